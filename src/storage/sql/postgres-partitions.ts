import { sql, type Kysely } from 'kysely';

const MONTHS_AHEAD = 3;

/** Whoever waits longer for the log would keep all appends waiting behind it. */
const LOCK_WAIT = '1s';
/** SQLSTATE `lock_not_available`. */
const NO_LOCK = '55P03';

interface Partition {
  readonly name: string;
  /** The first run id that lies in it, and the first that lies behind it. */
  readonly from: string;
  readonly to: string;
}

/**
 * Makes the monthly partitions of the log from this month on, and the default one, which takes what lies in none.
 *
 * A run id begins with the time at which it was made, so a range of ids is a range of time. A month that already
 * has rows in the default partition stays there. So does one that can not be made because somebody reads the whole
 * log, such as a backup: a later start makes it, as long as none of its rows are there.
 */
export async function extendPartitions(db: Kysely<never>, nowMs: number): Promise<void> {
  const present = await partitionNames(db);
  if (!present.has('run_appends_default')) {
    await sql`create table run_appends_default partition of run_appends default`.execute(db);
  }
  const missing = monthsFrom(nowMs).filter(({ name }) => !present.has(name));
  for (const partition of missing) await unlessLocked(db, () => makePartition(db, partition));
}

/** Does nothing where a lock is not to be had soon. Within a transaction. */
async function unlessLocked(db: Kysely<never>, work: () => Promise<void>): Promise<void> {
  await sql`savepoint before_partition`.execute(db);
  try {
    await sql`set local lock_timeout = ${sql.lit(LOCK_WAIT)}`.execute(db);
    await work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === NO_LOCK)) throw error;
    await sql`rollback to savepoint before_partition`.execute(db);
  }
  await sql`set local lock_timeout = default`.execute(db);
}

async function makePartition(db: Kysely<never>, { name, from, to }: Partition): Promise<void> {
  const found =
    await sql`select 1 from run_appends_default where run_id >= ${from} and run_id < ${to} limit 1`.execute(
      db,
    );
  if (found.rows.length > 0) return;
  await sql`create table ${sql.id(name)} partition of run_appends
    for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(db);
}

async function partitionNames(db: Kysely<never>): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ readonly name: string }>`
    select child.relname as name from pg_inherits
    join pg_class child on child.oid = pg_inherits.inhrelid
    where pg_inherits.inhparent = 'run_appends'::regclass`.execute(db);
  return new Set(rows.map(({ name }) => name));
}

function monthsFrom(nowMs: number): readonly Partition[] {
  const start = new Date(nowMs);
  return Array.from({ length: MONTHS_AHEAD + 1 }, (_, index) =>
    monthOf(start.getUTCFullYear(), start.getUTCMonth() + index),
  );
}

function monthOf(year: number, month: number): Partition {
  const from = Date.UTC(year, month);
  const date = new Date(from);
  const label = `${String(date.getUTCFullYear())}_${String(date.getUTCMonth() + 1).padStart(2, '0')}`;
  return { name: `run_appends_${label}`, from: boundOf(from), to: boundOf(Date.UTC(year, month + 1)) };
}

function boundOf(timeMs: number): string {
  return `run_${timeMs.toString(16).padStart(12, '0')}`;
}
