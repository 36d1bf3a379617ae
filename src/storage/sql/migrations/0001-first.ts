/** Every table of the record and its indexes. Times are milliseconds since the epoch, money is micro-dollars. */
import { sql, type Kysely, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const firstMigration: Migration = {
  name: '0001-first',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    for (const index of INDEXES) await sql.raw(index).execute(db);
    await indexHorizon(db, dialect);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

const runs: Table = ({ columns: { text, integer }, tables }) => sql`
  create table runs (
    id ${text} not null primary key,
    namespace ${text} not null,
    name ${text},
    workflow_id ${text},
    workflow_version ${integer},
    priority ${integer} not null,
    tags ${text} not null,
    parent_id ${text},
    created_at ${integer} not null,
    status ${text} not null,
    started_at ${integer},
    ended_at ${integer},
    steps_total ${integer} not null,
    steps_completed ${integer} not null,
    steps_failed ${integer} not null,
    steps_skipped ${integer} not null,
    input_tokens ${integer} not null,
    output_tokens ${integer} not null,
    cost_micros ${integer} not null,
    failure_code ${text},
    wake_at ${integer},
    last_seq ${integer} not null,
    epoch ${integer} not null,
    owner_id ${text},
    inbox_seq ${integer} not null,
    inbox_pending ${integer} not null,
    updated_at ${integer} not null
  ) ${tables.keyed}`;

const runTags: Table = ({ columns: { text }, tables }) => sql`
  create table run_tags (
    namespace ${text} not null,
    tag ${text} not null,
    run_id ${text} not null,
    primary key (namespace, tag, run_id)
  ) ${tables.keyed}`;

const runAppends: Table = ({ columns: { text, integer, counter }, tables, logColumns }) => sql`
  create table run_appends (
    position ${counter},
    ${logColumns}
    run_id ${text} not null,
    namespace ${text} not null,
    first_seq ${integer} not null,
    last_seq ${integer} not null,
    append_id ${text} not null,
    events ${text} not null
  ) ${tables.log}`;

const runInbox: Table = ({ columns: { text, integer, counter }, tables }) => sql`
  create table run_inbox (
    id ${counter},
    run_id ${text} not null,
    namespace ${text} not null,
    command ${text} not null,
    at ${integer} not null
  ) ${tables.plain}`;

const runCheckpoints: Table = ({ columns: { text, integer }, tables }) => sql`
  create table run_checkpoints (
    run_id ${text} not null primary key,
    seq ${integer} not null,
    fold_version ${integer} not null,
    state ${text} not null
  ) ${tables.plain}`;

const owners: Table = ({ columns: { text, integer }, tables }) => sql`
  create table owners (
    id ${text} not null primary key,
    expires_at ${integer} not null,
    retired_at ${integer}
  ) ${tables.keyed}`;

const idempotencyKeys: Table = ({ columns: { text, integer }, tables }) => sql`
  create table idempotency_keys (
    namespace ${text} not null,
    operation ${text} not null,
    key ${text} not null,
    body_hash ${text} not null,
    created_at ${integer} not null,
    expires_at ${integer} not null,
    run_id ${text},
    answer ${text},
    primary key (namespace, operation, key)
  ) ${tables.plain}`;

const apiKeys: Table = ({ columns: { text, integer }, tables }) => sql`
  create table api_keys (
    id ${text} not null primary key,
    namespace ${text} not null,
    name ${text} not null,
    role ${text} not null,
    hash ${text} not null unique,
    created_at ${integer} not null,
    expires_at ${integer},
    revoked_at ${integer}
  ) ${tables.plain}`;

const auditLog: Table = ({ columns: { text, integer }, tables }) => sql`
  create table audit_log (
    id ${text} not null primary key,
    namespace ${text} not null,
    actor ${text} not null,
    action ${text} not null,
    target ${text} not null,
    details ${text} not null,
    at ${integer} not null
  ) ${tables.plain}`;

const budgetSettlements: Table = ({ columns: { text, integer }, tables }) => sql`
  create table budget_settlements (
    reservation_id ${text} not null primary key,
    scope ${text} not null,
    namespace ${text} not null,
    cost_micros ${integer} not null,
    at ${integer} not null
  ) ${tables.plain}`;

const blobs: Table = ({ columns: { text, integer, bytes }, tables }) => sql`
  create table blobs (
    namespace ${text} not null,
    hash ${text} not null,
    bytes ${bytes} not null,
    created_at ${integer} not null,
    primary key (namespace, hash)
  ) ${tables.plain}`;

const TABLES: readonly Table[] = [
  runs,
  runTags,
  runAppends,
  runInbox,
  runCheckpoints,
  owners,
  idempotencyKeys,
  apiKeys,
  auditLog,
  budgetSettlements,
  blobs,
];

/** The same text on both engines. */
const INDEXES: readonly string[] = [
  // Free runs that want to be looked at: by level of priority, within a level by time.
  `create index runs_due on runs (priority, wake_at, id) where owner_id is null and wake_at is not null`,
  `create index runs_owned on runs (owner_id) where owner_id is not null`,
  `create index runs_queued on runs (status, owner_id) where status = 'queued' and owner_id is null`,
  `create index runs_listed on runs (namespace, id)`,
  `create index runs_by_status on runs (namespace, status, id)`,
  `create index runs_by_workflow on runs (namespace, workflow_id, id)`,
  `create unique index run_appends_of_run on run_appends (run_id, first_seq)`,
  `create index run_inbox_of_run on run_inbox (run_id, id)`,
  `create index idempotency_keys_expiry on idempotency_keys (expires_at)`,
  `create index api_keys_listed on api_keys (namespace, created_at)`,
  `create index audit_log_listed on audit_log (namespace, id)`,
];

async function indexHorizon(db: Kysely<never>, { concurrentTransactions }: SqlDialect): Promise<void> {
  if (!concurrentTransactions) return;
  await sql`create index run_appends_horizon on run_appends (xid, position)`.execute(db);
}
