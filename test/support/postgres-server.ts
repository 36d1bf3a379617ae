/** A PostgreSQL of a test's own, on a free port of the loopback interface, with its tables and its log where a test wants them. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';

import { aFreePort } from './free-port.js';
import { until } from './until.js';

const DATABASE = 'ensemble_test';
const START_DEADLINE_MS = 120_000;
const PACE_MS = 100;

/** Where a server keeps what it has. @default a temporary folder for each */
export interface PostgresFolders {
  readonly tables?: string;
  /** The write-ahead log. */
  readonly log?: string;
}

/** Outlives its end, as a server does under a process manager: `resume` starts it again where it has ended. */
export class PostgresServer {
  private child: ChildProcess | undefined;
  private said = '';

  private constructor(
    private readonly port: number,
    private readonly home: string,
    private readonly tables: string,
  ) {}

  /** Makes a cluster with one database and starts its server. Needs `describeWithOwnPostgres`. */
  static async start({ tables, log }: PostgresFolders): Promise<PostgresServer> {
    const home = mkdtempSync(join(tmpdir(), 'ensemble-postgres-'));
    chmodSync(home, 0o755);
    const folders = { tables: ownFolder(tables ?? home, 'tables'), log: ownFolder(log ?? home, 'log') };
    const [program = '', ...more] = asPostgres('initdb');
    execFileSync(
      program,
      [...more, `--pgdata=${folders.tables}`, `--waldir=${folders.log}`, ...INIT_ARGUMENTS],
      { cwd: '/', stdio: 'pipe' },
    );
    const server = new PostgresServer(await aFreePort(), home, folders.tables);
    server.run();
    await server.untilItAnswers('postgres');
    await server.ask(`create database ${DATABASE}`);
    return server;
  }

  get url(): string {
    return this.urlOf(DATABASE);
  }

  /** Everything that it has said so far. */
  get log(): string {
    return this.said;
  }

  /** Starts it again where it has ended by itself, and resolves when it answers. */
  async resume(): Promise<void> {
    const looked = async (): Promise<boolean> => {
      if (this.child === undefined) this.run();
      return this.answers(DATABASE);
    };
    await until(looked, 'PostgreSQL answers', START_DEADLINE_MS, PACE_MS);
  }

  /** Ends it for good and removes what it kept in folders of its own. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child !== undefined) {
      const exited = once(child, 'exit');
      child.kill('SIGINT'); // ends at once, in good order
      await exited;
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  private run(): void {
    const [program = '', ...more] = asPostgres('postgres');
    const settings = [...SETTINGS, `port=${this.port}`].flatMap((setting) => ['-c', setting]);
    const child = spawn(program, [...more, '-D', this.tables, ...settings], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
    this.child = child;
  }

  private async untilItAnswers(database: string): Promise<void> {
    const looked = async (): Promise<boolean> => {
      if (this.child === undefined) throw new Error(`PostgreSQL ended: ${this.said}`);
      return this.answers(database);
    };
    await until(looked, 'PostgreSQL answers', START_DEADLINE_MS, PACE_MS);
  }

  private async answers(database: string): Promise<boolean> {
    const client = new Client({ connectionString: this.urlOf(database), connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.query('select 1');
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private async ask(sql: string): Promise<void> {
    const client = new Client({ connectionString: this.urlOf('postgres') });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  private urlOf(database: string): string {
    return `postgres://postgres@127.0.0.1:${this.port}/${database}`;
  }
}

/** Segments of the log of 1 MB, so that it needs room soon. */
const INIT_ARGUMENTS = [
  '--username=postgres',
  '--auth=trust',
  '--encoding=UTF8',
  '--locale=C.UTF-8',
  '--no-sync',
  '--wal-segsize=1',
];

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'shared_buffers=16MB',
  'max_connections=50',
  // Room is taken back when a test says so.
  'autovacuum=off',
  'wal_keep_size=0',
  'min_wal_size=2MB',
  'max_wal_size=32MB',
];

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** A program of the server, which root may not run: its user `postgres` does. */
function asPostgres(program: string): readonly string[] {
  const path = join(process.env['TEST_POSTGRES_PROGRAMS'] ?? '', program);
  return isRoot() ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups', path] : [path];
}

/** An empty folder that the server may write to. */
function ownFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { mode: 0o700 });
  if (isRoot()) chownSync(folder, idOf('-u'), idOf('-g'));
  return folder;
}

function idOf(flag: '-u' | '-g'): number {
  return Number(execFileSync('id', [flag, 'postgres']).toString());
}
