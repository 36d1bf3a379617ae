/**
 * The services that some suites need: one row each.
 *
 * A suite decides when it is loaded, by the variable, whether it runs (test/support/services.ts); this file finds
 * the service and sets the variable.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';
import pg from 'pg';

import { fromRoot } from './root.mjs';

const CONNECT_MS = 3_000;

const services = [
  {
    name: 'PostgreSQL',
    variable: 'TEST_DATABASE_URL',
    defaultUrl: 'postgres://postgres@127.0.0.1:5432/ensemble_test',
    /** What a spec file calls to say that it needs this service. */
    marker: 'describeWithPostgres',
    prepare: preparePostgres,
  },
  {
    name: 'Redis',
    variable: 'TEST_REDIS_URL',
    defaultUrl: 'redis://127.0.0.1:6379',
    marker: 'describeWithRedis',
    prepare: askRedis,
  },
  {
    name: 'redis-server',
    variable: 'TEST_REDIS_SERVER',
    defaultUrl: '/usr/bin/redis-server',
    marker: 'describeWithOwnRedis',
    prepare: (path) => (existsSync(path) ? undefined : `there is no ${path}`),
  },
  {
    name: 'the programs of PostgreSQL',
    variable: 'TEST_POSTGRES_PROGRAMS',
    // The newest that is installed.
    defaultUrl: globSync('/usr/lib/postgresql/*/bin').sort().at(-1) ?? '/usr/lib/postgresql/15/bin',
    marker: 'describeWithOwnPostgres',
    prepare: (path) => (existsSync(join(path, 'initdb')) ? undefined : `there is no ${path}/initdb`),
  },
  {
    name: 'leave to mount a small disk',
    variable: 'TEST_SMALL_DISK',
    defaultUrl: tmpdir(),
    marker: 'describeWithSmallDisk',
    prepare: mountOnce,
  },
  {
    name: 'Chromium',
    variable: 'TEST_CHROMIUM',
    defaultUrl: '/usr/bin/chromium',
    marker: 'describeWithChromium',
    prepare: (path) => (existsSync(path) ? undefined : `there is no ${path}`),
  },
];

/**
 * Finds the services that the given spec files need and sets the variable of each that answers.
 *
 * @param specs paths from the repository's folder
 * @returns one sentence for each service that is missing, empty when none is
 */
export async function findServices(specs) {
  const missing = [];
  for (const service of services) {
    const users = specs.filter((path) => readFileSync(fromRoot(path), 'utf8').includes(service.marker));
    if (users.length === 0) continue;
    const url = process.env[service.variable] || service.defaultUrl;
    const reason = await service.prepare(url);
    if (reason === undefined) process.env[service.variable] = url;
    else missing.push(missingText(service, reason, users));
    if (reason !== undefined) delete process.env[service.variable];
  }
  return missing;
}

function missingText(service, reason, users) {
  const list = users.map((path) => `\n    ${path}`).join('');
  return `${service.name} is not usable (${reason}); set ${service.variable}. Suites that need it:${list}`;
}

/** Creates the database when it is missing. Answers why it cannot be used, or undefined when it can. */
async function preparePostgres(url) {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  if (!name.includes('test')) return `the name of database "${name}" lacks "test"`;
  const first = await query(url, 'SELECT 1');
  if (first?.code !== '3D000') return first?.message;
  const created = await query(withDatabase(url, 'postgres'), `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  // Another test run may have been quicker.
  return created?.code === '42P04' || created?.code === '23505' ? undefined : created?.message;
}

/** Answers why Redis cannot be used, or undefined when it can. */
async function askRedis(url) {
  const options = { lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null };
  const client = new Redis(url, options);
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return undefined;
  } catch (error) {
    return error.message;
  } finally {
    client.disconnect();
  }
}

/** Answers why no disk can be mounted at a folder below this one, or undefined when it can. */
function mountOnce(folder) {
  const place = mkdtempSync(join(folder, 'ensemble-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place], { stdio: 'pipe' });
    execFileSync('umount', [place], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return error.message.trim();
  } finally {
    rmdirSync(place);
  }
}

/** Runs one statement on a connection of its own. Answers the error, or undefined. */
async function query(url, sql) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS });
  try {
    await client.connect();
    await client.query(sql);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function withDatabase(url, name) {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
