/** Schedules, and the fires of each. Times are milliseconds since the epoch. */
import { sql } from 'kysely';

import type { Migration } from './migration.js';

export const schedulesMigration: Migration = {
  name: '0010-schedules',
  async up(db, { columns: { text, integer }, tables }) {
    await sql`
      create table schedules (
        id ${text} not null primary key,
        namespace ${text} not null,
        name ${text} not null,
        status ${text} not null,
        workflow ${text},
        version ${integer} not null,
        revision ${integer} not null,
        body ${text} not null,
        next_at ${integer},
        last_at ${integer},
        wake_at ${integer},
        created_at ${integer} not null,
        updated_at ${integer} not null
      ) ${tables.plain}`.execute(db);
    await sql`
      create table schedule_fires (
        id ${text} not null primary key,
        schedule_id ${text} not null,
        namespace ${text} not null,
        scheduled_at ${integer} not null,
        fired_at ${integer} not null,
        outcome ${text} not null,
        is_open ${integer} not null,
        body ${text} not null
      ) ${tables.plain}`.execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

const INDEXES: readonly string[] = [
  `create index schedules_listed on schedules (namespace, id)`,
  `create index schedules_due on schedules (wake_at) where wake_at is not null`,
  `create index schedules_of_workflow on schedules (namespace, workflow) where workflow is not null`,
  `create index schedule_fires_listed on schedule_fires (schedule_id, scheduled_at, id)`,
  `create index schedule_fires_by_age on schedule_fires (schedule_id, fired_at)`,
  `create index schedule_fires_open on schedule_fires (schedule_id, scheduled_at, id) where is_open = 1`,
];
