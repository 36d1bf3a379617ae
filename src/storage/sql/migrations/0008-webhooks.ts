/** Webhooks, their deliveries, and how far the log has been turned into these. Times are milliseconds since the epoch. */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const webhooksMigration: Migration = {
  name: '0008-webhooks',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
    await sql`insert into webhook_cursors (id, namespace, cursor) values ('log', '', '')`.execute(db);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

const webhooks: Table = ({ columns: { text, integer }, tables }) => sql`
  create table webhooks (
    id ${text} not null primary key,
    namespace ${text} not null,
    body ${text} not null,
    is_enabled ${integer} not null,
    version ${integer} not null,
    failures ${integer} not null,
    open_until ${integer},
    reason ${text},
    created_at ${integer} not null,
    updated_at ${integer} not null
  ) ${tables.plain}`;

const deliveries: Table = ({ columns: { text, integer }, tables }) => sql`
  create table webhook_deliveries (
    id ${text} not null primary key,
    webhook_id ${text} not null,
    namespace ${text} not null,
    run_id ${text} not null,
    seq ${integer} not null,
    type ${text} not null,
    status ${text} not null,
    tries ${integer} not null,
    next_at ${integer},
    attempts ${text} not null,
    created_at ${integer} not null,
    settled_at ${integer}
  ) ${tables.plain}`;

/** One row, of no namespace: it stands in the log of all of them. */
const cursors: Table = ({ columns: { text }, tables }) => sql`
  create table webhook_cursors (
    id ${text} not null primary key,
    namespace ${text} not null,
    cursor ${text} not null
  ) ${tables.keyed}`;

const TABLES: readonly Table[] = [webhooks, deliveries, cursors];

const INDEXES: readonly string[] = [
  `create index webhooks_listed on webhooks (namespace, id)`,
  `create index webhook_deliveries_listed on webhook_deliveries (webhook_id, id)`,
  `create index webhook_deliveries_by_age on webhook_deliveries (webhook_id, created_at)`,
  `create index webhook_deliveries_due on webhook_deliveries (next_at) where next_at is not null`,
  `create index webhook_deliveries_pending on webhook_deliveries (webhook_id, run_id, seq) where status = 'pending'`,
];
