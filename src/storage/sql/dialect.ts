/**
 * What differs between the engines, as named capabilities. Stores ask for a capability and never for an engine, so
 * a difference that is not written here does not exist.
 *
 * The model is Kysely's `DialectAdapter`.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';

import { extendPartitions } from './postgres-partitions.js';
import { adoptLog } from './postgres-restored-log.js';
import { nowPlaceholder } from './statement.js';

type Fragment = RawBuilder<unknown>;

/** Types of columns. All text compares byte by byte. */
export interface ColumnTypes {
  readonly text: Fragment;
  /** 64 bits; read back as a number. */
  readonly integer: Fragment;
  readonly bytes: Fragment;
  /** An integer that the database counts up by itself and never gives twice. */
  readonly counter: Fragment;
}

/** What is appended to `create table`. */
export interface TableOptions {
  /** Found by key, changed often, rows of a few hundred bytes. */
  readonly keyed: Fragment;
  readonly plain: Fragment;
  /** The log: on PostgreSQL in partitions by range of run id, that is by time. */
  readonly log: Fragment;
}

/** The order in which the log is read across runs, and how far. */
export interface LogOrder {
  /** Columns to sort by. */
  readonly columns: Fragment;
  /** The number of a row's transaction as text; "0" where rows do not carry one. */
  readonly xid: Fragment;
  /** Rows behind a place whose order can not change any more. */
  readonly after: (xid: string, position: number) => Fragment;
  /** Rows behind a place, whether or not their order can still change. */
  readonly beyond: (xid: string, position: number) => Fragment;
  /** The place behind which only rows lie that are written from now on. */
  readonly head: { readonly xid: Fragment; readonly position: Fragment };
}

/** What a column of rows that come as JSON holds. */
export type JsonColumn = 'text' | 'integer';

export interface SqlDialect {
  /** For messages and file names; nothing branches on it. */
  readonly name: 'sqlite' | 'postgres';

  /**
   * The database's time in milliseconds since the epoch, the same within one statement.
   *
   * SQLite has only the system clock, which may step; there the process's `Clock` is bound as a value.
   */
  readonly now: () => RawBuilder<number>;

  readonly columns: ColumnTypes;

  readonly tables: TableOptions;

  /**
   * Whether transactions run beside each other. Then rows of several runs are locked in the order of their ids, the
   * queue is counted under a lock where it is nearly full, and a row of the log carries its transaction's number,
   * because positions are given before they commit.
   *
   * @default false one writer executes one unit after the other
   */
  readonly concurrentTransactions: boolean;

  /** Appended to a query to lock the rows of one of its tables; nothing where transactions do not run beside each other. */
  readonly forUpdateOf: (alias: string) => Fragment;

  /**
   * A query that waits, where the condition holds, until this transaction is the only one with that lock, and keeps
   * it to the end. Absent where transactions do not run beside each other.
   */
  readonly lockWhere?: (lock: number, condition: RawBuilder<boolean>) => Fragment;

  /**
   * A query that locks the rows of these runs in the order of their ids, so that no two transactions wait for each
   * other. Absent where transactions do not run beside each other.
   */
  readonly lockRuns?: (runIds: readonly string[]) => Fragment;

  /**
   * A table of the rows in a JSON text, so that one statement takes many: a list of lists with one value for each
   * column, in order.
   */
  readonly rowsOf: (json: string, columns: Readonly<Record<string, JsonColumn>>) => Fragment;

  /** Columns of the log beside the common ones, each with a comma after it. */
  readonly logColumns: Fragment;

  readonly logOrder: LogOrder;

  /**
   * Waits until this transaction alone changes the schema. From then on it waits for nobody who reads a table, such as a
   * backup, longer than an append may wait behind it: it fails, and the start is tried again.
   */
  readonly lockSchema: (transaction: Kysely<never>) => Promise<void>;

  /** Makes the parts of the log in which runs of the next months will lie. Does nothing where the log is one table. */
  readonly extendLog: (db: Kysely<never>, nowMs: number) => Promise<void>;

  /** Brings a log that was restored from another server into the order of this one. */
  readonly adoptLog: (transaction: Kysely<never>) => Promise<void>;
}

export const SQLITE: SqlDialect = {
  name: 'sqlite',
  now: () => sql<number>`${nowPlaceholder()}`,
  columns: {
    text: sql`text`,
    integer: sql`integer`,
    bytes: sql`blob`,
    counter: sql`integer primary key autoincrement`,
  },
  tables: { keyed: sql`strict, without rowid`, plain: sql`strict`, log: sql`strict` },
  concurrentTransactions: false,
  forUpdateOf: () => sql``,
  rowsOf: (json, columns) =>
    sql`(select ${sql.join(
      Object.keys(columns).map((name, index) => sql`value ->> ${sql.lit(index)} as ${sql.id(name)}`),
    )} from json_each(${json}))`,
  logColumns: sql``,
  // One writer: positions are given in the order of commits.
  logOrder: {
    columns: sql`position`,
    xid: sql`'0'`,
    after: (_xid, position) => sql`position > ${position}`,
    beyond: (_xid, position) => sql`position > ${position}`,
    head: { xid: sql`'0'`, position: sql`(select coalesce(max(position), 0) from run_appends)` },
  },
  lockSchema: () => Promise.resolve(),
  extendLog: () => Promise.resolve(),
  adoptLog: () => Promise.resolve(),
};

/** Of `pg_advisory_xact_lock`: any number that nothing else in the database uses. */
const SCHEMA_LOCK = 0x656e_7365;
/** Half the time that a statement of the service has. */
const SCHEMA_LOCK_WAIT = '5s';

export const POSTGRES: SqlDialect = {
  name: 'postgres',
  now: () => sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint`,
  columns: {
    text: sql`text collate "C"`,
    integer: sql`bigint`,
    bytes: sql`bytea`,
    counter: sql`bigserial not null`,
  },
  tables: { keyed: sql`with (fillfactor = 70)`, plain: sql``, log: sql`partition by range (run_id)` },
  concurrentTransactions: true,
  forUpdateOf: (alias) => sql`for update of ${sql.id(alias)}`,
  lockRuns: (runIds) => sql`select id from runs where id = any(${runIds}::text[]) order by id for update`,
  rowsOf: (json, columns) =>
    sql`(select ${sql.join(
      Object.entries(columns).map(
        ([name, type], index) =>
          sql`(value ->> ${sql.lit(index)})::${POSTGRES.columns[type]} as ${sql.id(name)}`,
      ),
    )} from json_array_elements(${json}::json))`,
  lockWhere: (lock, condition) => sql`select pg_advisory_xact_lock(${sql.lit(lock)}) where ${condition}`,
  logColumns: sql`xid xid8 not null default pg_current_xact_id(),`,
  // A transaction that is still open may commit rows before those of a younger one that has committed already: rows
  // are read when every transaction that was there with them has ended.
  logOrder: {
    // Of the table: a bare `xid` would mean the text that a query gives under that name, and sort "10" before "9".
    columns: sql`run_appends.xid, run_appends.position`,
    xid: sql`xid::text`,
    after: (xid, position) => sql`(xid, position) > (${xid}::text::xid8, ${position}::bigint)
      and xid < pg_snapshot_xmin(pg_current_snapshot())`,
    beyond: (xid, position) => sql`(xid, position) > (${xid}::text::xid8, ${position}::bigint)`,
    head: { xid: sql`pg_snapshot_xmin(pg_current_snapshot())::text`, position: sql`0` },
  },
  lockSchema: async (transaction) => {
    await sql`select pg_advisory_xact_lock(${sql.lit(SCHEMA_LOCK)})`.execute(transaction);
    await sql`set local lock_timeout = ${sql.lit(SCHEMA_LOCK_WAIT)}`.execute(transaction);
  },
  extendLog: extendPartitions,
  adoptLog,
};
