/** The SQL record as an engine of the contract suites: one database for a suite, emptied before each test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';

import { openDatabase } from '../../src/storage/sql/open-database.js';
import { SqlAgentStore } from '../../src/storage/sql/sql-agent.store.js';
import { SqlApprovalStore } from '../../src/storage/sql/sql-approval.store.js';
import { SqlBlobStore } from '../../src/storage/sql/sql-blob.store.js';
import { SqlDutyStore } from '../../src/storage/sql/sql-duty.store.js';
import type { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { SqlIdempotencyStore } from '../../src/storage/sql/sql-idempotency.store.js';
import { SqlKeyStore } from '../../src/storage/sql/sql-key.store.js';
import { SqlLogCursorStore } from '../../src/storage/sql/sql-log-cursor.store.js';
import { SqlMetricStore } from '../../src/storage/sql/sql-metric.store.js';
import { SqlLimiter } from '../../src/storage/sql/sql-limiter.js';
import { SqlRetentionStore } from '../../src/storage/sql/sql-retention.store.js';
import { SqlRunCatalogue } from '../../src/storage/sql/sql-run.catalogue.js';
import { SqlRunInbox } from '../../src/storage/sql/sql-run.inbox.js';
import { SqlRunLease } from '../../src/storage/sql/sql-run.lease.js';
import { SqlRunLog } from '../../src/storage/sql/sql-run.log.js';
import { SqlRunStore } from '../../src/storage/sql/sql-run.store.js';
import { SqlScheduleStore } from '../../src/storage/sql/sql-schedule.store.js';
import { SqlSecretStore } from '../../src/storage/sql/sql-secret.store.js';
import { SqlTaskStore } from '../../src/storage/sql/sql-task.store.js';
import { SqlTemplateStore } from '../../src/storage/sql/sql-template.store.js';
import { SqlWorkflowStore } from '../../src/storage/sql/sql-workflow.store.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';
import type { RecordEngine, Stores } from './record-scene.js';

const TABLES_OF_KINDS = { settlement: 'budget_settlements', audit: 'audit_log' } as const;
const TABLES = [
  'runs',
  'run_tags',
  'run_appends',
  'run_inbox',
  'run_checkpoints',
  'purged_runs',
  'owners',
  'duties',
  'idempotency_keys',
  'api_keys',
  'blobs',
  'templates',
  'template_versions',
  'template_labels',
  'template_tags',
  'log_cursors',
  'metric_series',
  'metric_figures',
  'metric_open_runs',
  'resources',
  'resource_versions',
  'resource_labels',
  'resource_facets',
  'resource_references',
  'secrets',
  'limit_keys',
  'limit_slots',
  'limit_buckets',
  'tasks',
  'schedules',
  'schedule_fires',
  'approvals',
  'approval_assignees',
  ...Object.values(TABLES_OF_KINDS),
];

/** A suite on SQLite in a folder of its own, on a clock that the test steps. */
export function describeOnSqlite(suite: (engine: RecordEngine) => void): void {
  describe('on SQLite', () => {
    const clock = new ManualClock();
    const directory = mkdtemp(join(tmpdir(), 'ensemble-sql-'));
    const open = async (): Promise<SqlDatabase> => openDatabase({ dataDir: await directory }, clock);
    const now = (): Promise<number> => Promise.resolve(clock.now());
    const advance = (ms: number): void => {
      clock.advance(ms);
    };
    suite(engineOf('SQLite', open, () => ({ now, advance })));
    afterAll(async () => {
      await rm(await directory, { recursive: true, force: true });
    });
  });
}

/** PostgreSQL as an engine, judged by the database's own time. */
export function postgresEngine(url: string): RecordEngine {
  const open = (): Promise<SqlDatabase> => openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
  return engineOf('PostgreSQL', open, (database) => ({
    now: () => readNow(database),
    settle: () => untilAllIsRead(database),
  }));
}

/**
 * Waits until no transaction hides what is committed from readers across runs. The horizon is one for all databases of
 * a server, so a transaction of another test holds it back too.
 */
export async function untilAllIsRead(database: SqlDatabase): Promise<void> {
  const hidden = sql`select 1 from run_appends where xid >= pg_snapshot_xmin(pg_current_snapshot()) limit 1`;
  await until(
    async () => (await hidden.execute(database.kysely)).rows.length === 0,
    'everything committed can be read across runs',
  );
}

/** Every port of one SQL database. */
export function storesOf(database: SqlDatabase): Omit<Stores, 'now' | 'advance'> {
  return {
    runs: new SqlRunStore(database),
    lease: new SqlRunLease(database),
    duties: new SqlDutyStore(database),
    inbox: new SqlRunInbox(database),
    catalogue: new SqlRunCatalogue(database),
    log: new SqlRunLog(database),
    idempotency: new SqlIdempotencyStore(database),
    keys: new SqlKeyStore(database),
    blobs: new SqlBlobStore(database),
    templates: new SqlTemplateStore(database),
    metrics: new SqlMetricStore(database),
    cursors: new SqlLogCursorStore(database),
    agents: new SqlAgentStore(database),
    workflows: new SqlWorkflowStore(database),
    secrets: new SqlSecretStore(database),
    limiter: new SqlLimiter(database),
    tasks: new SqlTaskStore(database),
    schedules: new SqlScheduleStore(database),
    approvals: new SqlApprovalStore(database),
    retention: new SqlRetentionStore(database),
    count: (kind) => countRows(database, TABLES_OF_KINDS[kind]),
  };
}

/** How many rows a table has. */
export async function countRows(database: SqlDatabase, table: string): Promise<number> {
  const { rows } = await sql<{ readonly n: number }>`select count(*) as n from ${sql.table(table)}`.execute(
    database.kysely,
  );
  return rows[0]?.n ?? 0;
}

function engineOf(
  name: string,
  open: () => Promise<SqlDatabase>,
  timeOf: (database: SqlDatabase) => Pick<Stores, 'now' | 'advance'>,
): RecordEngine {
  let database: SqlDatabase | undefined;
  afterAll(() => database?.close());
  return {
    name,
    async create() {
      database ??= await open();
      for (const table of TABLES) await sql`delete from ${sql.table(table)}`.execute(database.kysely);
      return { ...storesOf(database), ...timeOf(database) };
    },
    destroy: () => Promise.resolve(),
  };
}

async function readNow(database: SqlDatabase): Promise<number> {
  const { rows } = await sql<{ readonly now: number }>`select ${database.dialect.now()} as now`.execute(
    database.kysely,
  );
  return rows[0]?.now ?? 0;
}
