/** Which blobs the log of a run refers to. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const runBlobsMigration: Migration = {
  name: '0015-run-blobs',
  async up(db, { columns: { text }, tables }) {
    await sql`
      create table run_blobs (
        namespace ${text} not null,
        run_id ${text} not null,
        hash ${text} not null,
        primary key (namespace, run_id, hash)
      ) ${tables.keyed}`.execute(db);
    await sql`create index run_blobs_by_hash on run_blobs (namespace, hash)`.execute(db);
  },
};
