/** Work that one process does for all, and the owner whose it is. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const dutiesMigration: Migration = {
  name: '0018-duties',
  async up(db, { columns: { text }, tables }) {
    await sql`
      create table duties (
        name ${text} not null primary key,
        owner_id ${text}
      ) ${tables.keyed}`.execute(db);
  },
};
