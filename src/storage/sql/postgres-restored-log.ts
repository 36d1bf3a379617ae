/**
 * A log that comes from another server: restored from a dump, or copied by logical replication.
 *
 * Its rows keep the numbers of that server's transactions. Where this server has not come so far, they would lie
 * beyond the horizon for as long as it takes to, and whatever is written now before them: followers would stand
 * still. So rows and cursors get numbers that are over here, in the same order.
 */
import { sql, type Kysely } from 'kysely';

/** Behind every row of a transaction. */
const LAST_POSITION = Number.MAX_SAFE_INTEGER;

/** The places at which followers stand, each once. */
const PLACES = sql`
  select distinct split_part(cursor, ':', 1)::xid8 as xid, split_part(cursor, ':', 2)::bigint as position
  from (select cursor from log_cursors union all select cursor from webhook_cursors) as standing
  where cursor ~ '^[0-9]+:[0-9]+$'`;

/**
 * Numbers a foreign log anew; leaves any other alone. Of rows between two cursors the order is that of their
 * positions: all of them are committed, and those of one run stay in order.
 *
 * @throws where more followers stand at different places than transactions have been made on this server
 */
export async function adoptLog(db: Kysely<never>): Promise<void> {
  if (!(await isForeign(db))) return;
  await refuseTooManyPlaces(db);
  await sql`with places as (${PLACES}) update run_appends set xid = (
    select (1 + count(*))::text::xid8 from places
    where (run_appends.xid, run_appends.position) > (places.xid, places.position))`.execute(db);
  for (const table of ['log_cursors', 'webhook_cursors']) {
    await sql`with places as (${PLACES}), ranked as (
      select xid::text || ':' || position::text as cursor, row_number() over (order by xid, position) as rank
      from places)
    update ${sql.id(table)} as follower set cursor = ranked.rank::text || ':' || ${sql.lit(String(LAST_POSITION))}
    from ranked where follower.cursor = ranked.cursor`.execute(db);
  }
}

/** Whatever was written here has a number below that of the transaction that asks. */
async function isForeign(db: Kysely<never>): Promise<boolean> {
  const { rows } = await sql`select 1 from (
      select xid from run_appends order by xid desc, position desc limit 1
    ) as newest where xid >= pg_current_xact_id()`.execute(db);
  return rows.length > 0;
}

async function refuseTooManyPlaces(db: Kysely<never>): Promise<void> {
  const { rows } = await sql`select 1 from (${PLACES}) as places
    having (1 + count(*))::text::xid8 >= pg_snapshot_xmin(pg_current_snapshot())`.execute(db);
  if (rows.length > 0)
    throw new Error(
      'The log was restored from another server and has more cursors than this server has had transactions',
    );
}
