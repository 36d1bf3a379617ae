/** What is found by its run. Times are milliseconds since the epoch. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const retentionMigration: Migration = {
  name: '0017-retention',
  async up(db) {
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

const INDEXES: readonly string[] = [`create index tasks_of_run on tasks (run_id) where run_id is not null`];
