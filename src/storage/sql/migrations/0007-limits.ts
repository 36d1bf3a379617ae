/**
 * Shared limits: keys with their pauses, leased slots, buckets. Times are milliseconds since the epoch by the
 * database; a bucket's level is its amount times 60,000, so that what flows in within a millisecond is a whole number.
 */
import { sql, type RawBuilder } from 'kysely';

import type { SqlDialect } from '../dialect.js';
import type { Migration } from './migration.js';

export const limitsMigration: Migration = {
  name: '0007-limits',
  async up(db, dialect) {
    for (const table of TABLES) await table(dialect).execute(db);
    await sql.raw(`create index limit_slots_of_holder on limit_slots (holder)`).execute(db);
  },
};

type Table = (dialect: SqlDialect) => RawBuilder<unknown>;

const limitKeys: Table = ({ columns: { text, integer }, tables }) => sql`
  create table limit_keys (
    namespace ${text} not null,
    key ${text} not null,
    paused_until ${integer} not null,
    primary key (namespace, key)
  ) ${tables.keyed}`;

const limitSlots: Table = ({ columns: { text, integer }, tables }) => sql`
  create table limit_slots (
    namespace ${text} not null,
    key ${text} not null,
    holder ${text} not null,
    expires_at ${integer} not null,
    primary key (namespace, key, holder)
  ) ${tables.keyed}`;

const limitBuckets: Table = ({ columns: { text, integer }, tables }) => sql`
  create table limit_buckets (
    namespace ${text} not null,
    key ${text} not null,
    bucket ${text} not null,
    level ${integer} not null,
    filled_at ${integer} not null,
    primary key (namespace, key, bucket)
  ) ${tables.keyed}`;

const TABLES: readonly Table[] = [limitKeys, limitSlots, limitBuckets];
