/** Approvals, and by whom they may be answered. Times are milliseconds since the epoch. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const approvalsMigration: Migration = {
  name: '0013-approvals',
  async up(db, { columns: { text, integer }, tables }) {
    await sql`
      create table approvals (
        id ${text} not null primary key,
        namespace ${text} not null,
        run_id ${text} not null,
        path ${text} not null,
        status ${text} not null,
        asked ${text} not null,
        requested_at ${integer} not null,
        expires_at ${integer},
        decision ${text},
        data ${text},
        answered_by ${text},
        resolved_at ${integer}
      ) ${tables.plain}`.execute(db);
    await sql`create index approvals_by_time on approvals (namespace, requested_at, id)`.execute(db);
    await sql`create index approvals_by_status on approvals (namespace, status, requested_at, id)`.execute(
      db,
    );
    await sql`create index approvals_by_run on approvals (run_id, path)`.execute(db);
    await sql`
      create table approval_assignees (
        namespace ${text} not null,
        assignee ${text} not null,
        requested_at ${integer} not null,
        approval_id ${text} not null,
        primary key (namespace, assignee, requested_at, approval_id)
      ) ${tables.keyed}`.execute(db);
  },
};
