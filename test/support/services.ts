/**
 * Suites that need a service run when its variable names one, and say why when they do not.
 *
 * Decided here: skip at a desk, fail under CI=true, and which database a suite may touch. Finding a service and
 * setting the variable is decided in scripts/services.mjs.
 */
import { Redis } from 'ioredis';
import pg from 'pg';

/** What the decision is made from; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a suite runs against a service, and if not, what the reader of the results is told. */
export type SuiteChoice =
  | { readonly kind: 'run'; readonly url: string }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'fail'; readonly reason: string };

let suiteCount = 0;

/**
 * A suite against PostgreSQL, in a database of its own that is made before it and dropped after it.
 *
 * Skipped, with the reason in its title, where TEST_DATABASE_URL is not set; under CI=true it fails instead.
 *
 * @param suite gets the URL of its database, which exists once its hooks and tests run
 * @throws when the name of the database in TEST_DATABASE_URL lacks "test"
 */
export function describeWithPostgres(name: string, suite: (url: string) => void): void {
  describeWith('PostgreSQL', chooseSuite('TEST_DATABASE_URL', process.env), name, (url) => {
    describeInOwnDatabase(name, assertTestDatabase(url), suite);
  });
}

/** Where a suite finds Redis, and what its keys and channels begin with. */
export interface RedisPlace {
  readonly redisUrl: string;
  readonly redisKeyPrefix: string;
}

/**
 * A suite against Redis, with a prefix of keys of its own, which are deleted after it.
 *
 * Skipped, with the reason in its title, where TEST_REDIS_URL is not set; under CI=true it fails instead.
 */
export function describeWithRedis(name: string, suite: (place: RedisPlace) => void): void {
  describeWith('Redis', chooseSuite('TEST_REDIS_URL', process.env), name, (redisUrl) => {
    const place = { redisUrl, redisKeyPrefix: `ensemble-test-${process.pid}-${++suiteCount}` };
    describe(name, () => {
      afterAll(() => deleteKeys(place));
      suite(place);
    });
  });
}

/**
 * A suite that starts servers of Redis of its own (test/support/redis-server.ts).
 *
 * Skipped, with the reason in its title, where TEST_REDIS_SERVER is not set; under CI=true it fails instead.
 */
export function describeWithOwnRedis(name: string, suite: () => void): void {
  describeWith('redis-server', chooseSuite('TEST_REDIS_SERVER', process.env), name, () => {
    describe(name, suite);
  });
}

/**
 * A suite that starts servers of PostgreSQL of its own (test/support/postgres-server.ts).
 *
 * Skipped, with the reason in its title, where TEST_POSTGRES_PROGRAMS is not set; under CI=true it fails instead.
 */
export function describeWithOwnPostgres(name: string, suite: () => void): void {
  describeWith('the programs of PostgreSQL', chooseSuite('TEST_POSTGRES_PROGRAMS', process.env), name, () => {
    describe(name, suite);
  });
}

/**
 * A suite that mounts disks of its own (test/support/small-disk.ts), which root may and others may not.
 *
 * Skipped, with the reason in its title, where TEST_SMALL_DISK is not set; under CI=true it fails instead.
 */
export function describeWithSmallDisk(name: string, suite: () => void): void {
  describeWith('leave to mount a small disk', chooseSuite('TEST_SMALL_DISK', process.env), name, () => {
    describe(name, suite);
  });
}

/**
 * A suite with the browser Chromium, whose path it gets.
 *
 * Skipped, with the reason in its title, where TEST_CHROMIUM is not set; under CI=true it fails instead.
 */
export function describeWithChromium(name: string, suite: (path: string) => void): void {
  describeWith('Chromium', chooseSuite('TEST_CHROMIUM', process.env), name, (path) => {
    describe(name, () => {
      suite(path);
    });
  });
}

function describeWith(service: string, choice: SuiteChoice, name: string, run: (url: string) => void): void {
  if (choice.kind === 'run') {
    run(choice.url);
  } else if (choice.kind === 'skip') {
    describe(`${name} (${choice.reason})`, () => {
      it.skip(`needs ${service}`, () => undefined);
    });
  } else {
    describe(name, () => {
      it(`needs ${service}`, () => {
        throw new Error(choice.reason);
      });
    });
  }
}

/** Decides by a variable whether a suite runs. */
export function chooseSuite(variable: string, environment: Environment): SuiteChoice {
  const url = environment[variable];
  if (url !== undefined && url !== '') return { kind: 'run', url };
  const reason = `${variable} is not set`;
  return environment['CI'] === 'true'
    ? { kind: 'fail', reason }
    : { kind: 'skip', reason: `skipped: ${reason}` };
}

/**
 * The URL itself, when the name of its database has "test" in it.
 *
 * @throws otherwise: tests create and drop what they like there
 */
export function assertTestDatabase(url: string): string {
  const name = databaseOf(url);
  if (!name.includes('test')) {
    throw new Error(`Tests refuse database "${name}": its name must contain "test".`);
  }
  return url;
}

async function deleteKeys({ redisUrl, redisKeyPrefix }: RedisPlace): Promise<void> {
  const client = new Redis(redisUrl);
  try {
    for await (const keys of client.scanStream({ match: `${redisKeyPrefix}:*`, count: 1_000 })) {
      if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
    }
  } finally {
    client.disconnect();
  }
}

function describeInOwnDatabase(name: string, serverUrl: string, suite: (url: string) => void): void {
  const database = `${databaseOf(serverUrl)}_${process.pid}_${++suiteCount}`;
  const identifier = pg.escapeIdentifier(database);
  const drop = `DROP DATABASE IF EXISTS ${identifier} WITH (FORCE)`;
  describe(name, () => {
    // A process that was killed may have left a database of this name.
    beforeAll(() => execute(serverUrl, drop, `CREATE DATABASE ${identifier}`));
    afterAll(() => execute(serverUrl, drop));
    suite(withDatabase(serverUrl, database));
  });
}

async function execute(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}

function databaseOf(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
