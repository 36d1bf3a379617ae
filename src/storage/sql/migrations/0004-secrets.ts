/** Secrets, encrypted. Times are milliseconds since the epoch. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const secretsMigration: Migration = {
  name: '0004-secrets',
  async up(db, { columns: { text, integer }, tables }) {
    await sql`
      create table secrets (
        namespace ${text} not null,
        name ${text} not null,
        sealed ${text} not null,
        created_at ${integer} not null,
        updated_at ${integer} not null,
        primary key (namespace, name)
      ) ${tables.keyed}`.execute(db);
  },
};
