/** Tasks of workers, and keys that are narrowed to them. Times are milliseconds since the epoch. */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const tasksMigration: Migration = {
  name: '0005-tasks',
  async up(db, dialect) {
    await tasks(dialect).execute(db);
    await sql`alter table api_keys add column agents ${dialect.columns.text}`.execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
  },
};

function tasks({ columns: { text, integer }, tables }: SqlDialect): RawBuilder<unknown> {
  return sql`
  create table tasks (
    id ${text} not null primary key,
    namespace ${text} not null,
    agent_key ${text} not null,
    lineage ${text} not null,
    input ${text} not null,
    idempotency_key ${text} not null,
    attempt ${integer} not null,
    run_id ${text},
    step_id ${text},
    heartbeat_timeout_ms ${integer} not null,
    max_deliveries ${integer} not null,
    created_at ${integer} not null,
    status ${text} not null,
    deliveries ${integer} not null,
    token_hash ${text},
    lease_until ${integer},
    outcome ${text},
    ended_at ${integer}
  ) ${tables.plain}`;
}

const INDEXES: readonly string[] = [
  `create index tasks_queued on tasks (namespace, agent_key, id) where status = 'queued'`,
  `create index tasks_leased on tasks (lease_until) where status = 'leased'`,
  `create index tasks_ended on tasks (ended_at) where ended_at is not null`,
  // Work that was cancelled may be asked for again.
  `create unique index tasks_by_lineage on tasks (namespace, lineage) where status <> 'cancelled'`,
  `create unique index tasks_by_token on tasks (token_hash) where token_hash is not null`,
];
