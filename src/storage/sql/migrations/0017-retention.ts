/** Runs that were deleted, and what is found by its run so that it can be. Times are milliseconds since the epoch. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const retentionMigration: Migration = {
  name: '0017-retention',
  async up(db, { columns: { text, integer }, tables }) {
    await sql`
      create table purged_runs (
        run_id ${text} not null primary key,
        namespace ${text} not null,
        item ${text} not null,
        purged_at ${integer} not null,
        blobs_at ${integer}
      ) ${tables.plain}`.execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

const INDEXES: readonly string[] = [
  `create index purged_runs_by_age on purged_runs (purged_at)`,
  `create index purged_runs_with_blobs on purged_runs (blobs_at) where blobs_at is not null`,
  `create index runs_ended on runs (ended_at, id) where ended_at is not null`,
  `create index tasks_of_run on tasks (run_id) where run_id is not null`,
  `create index idempotency_keys_of_run on idempotency_keys (run_id) where run_id is not null`,
  `create index approval_assignees_of_approval on approval_assignees (approval_id)`,
  `create index webhook_deliveries_of_run on webhook_deliveries (run_id) where status = 'pending'`,
];
