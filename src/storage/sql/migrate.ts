/**
 * Brings the tables up to date: the migrations that are not recorded yet, in order, in one transaction.
 *
 * A record of a migration that this version does not know is left alone: a newer version has been here, and tables
 * grow before they shrink, so this one can go on.
 */
import { sql, type Kysely } from 'kysely';

import type { SqlDialect } from './dialect.js';
import { firstMigration } from './migrations/0001-first.js';
import { templatesMigration } from './migrations/0002-templates.js';
import { resourcesMigration } from './migrations/0003-resources.js';
import { secretsMigration } from './migrations/0004-secrets.js';
import { tasksMigration } from './migrations/0005-tasks.js';
import { limitsMigration } from './migrations/0007-limits.js';
import { webhooksMigration } from './migrations/0008-webhooks.js';
import { metricsMigration } from './migrations/0009-metrics.js';
import { schedulesMigration } from './migrations/0010-schedules.js';
import { approvalsMigration } from './migrations/0013-approvals.js';
import { subRunsMigration } from './migrations/0014-sub-runs.js';
import { runBlobsMigration } from './migrations/0015-run-blobs.js';
import { retentionMigration } from './migrations/0017-retention.js';
import { dutiesMigration } from './migrations/0018-duties.js';
import type { Migration } from './migrations/migration.js';
import type { Tables } from './tables.js';

const MIGRATIONS: readonly Migration[] = [
  firstMigration,
  templatesMigration,
  resourcesMigration,
  secretsMigration,
  tasksMigration,
  limitsMigration,
  webhooksMigration,
  metricsMigration,
  schedulesMigration,
  approvalsMigration,
  subRunsMigration,
  runBlobsMigration,
  retentionMigration,
  dutiesMigration,
];

/** Safe to call from several processes at once: one migrates, the others wait and find nothing left to do. */
export async function migrate(kysely: Kysely<Tables>, dialect: SqlDialect, nowMs: number): Promise<void> {
  await kysely.transaction().execute(async (transaction) => {
    // A migration sees no table types: those describe the last version, it speaks of its own.
    const db = transaction as unknown as Kysely<never>;
    await dialect.lockSchema(db);
    await createRecord(db, dialect);
    const applied = await appliedNames(db);
    for (const migration of MIGRATIONS.filter(({ name }) => !applied.has(name))) {
      await migration.up(db, dialect);
      await sql`insert into schema_migrations (name, applied_at) values (${migration.name}, ${nowMs})`.execute(
        db,
      );
    }
    await dialect.adoptLog(db);
    await dialect.extendLog(db, nowMs);
  });
}

async function createRecord(db: Kysely<never>, { columns, tables }: SqlDialect): Promise<void> {
  await sql`create table if not exists schema_migrations (
    name ${columns.text} not null primary key,
    applied_at ${columns.integer} not null
  ) ${tables.plain}`.execute(db);
}

async function appliedNames(db: Kysely<never>): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ readonly name: string }>`select name from schema_migrations`.execute(db);
  return new Set(rows.map(({ name }) => name));
}
