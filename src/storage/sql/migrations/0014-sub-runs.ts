/** Sub-runs are found by their parent. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const subRunsMigration: Migration = {
  name: '0014-sub-runs',
  async up(db) {
    await sql`create index runs_by_parent on runs (parent_id, id) where parent_id is not null`.execute(db);
  },
};
