import { sql } from 'kysely';

import {
  Limiter,
  type BucketTake,
  type LimitKey,
  type Obstacle,
  type Reservation,
  type Reserved,
} from '../../platform/ports/limiter.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, StatementResult } from './statement.js';
import type { LimitBucketsTable, LimitSlotsTable } from './tables.js';

/** A level is an amount times this: in a millisecond `perMinute` flows in. */
const UNITS = 60_000;

type Take = Omit<LimitBucketsTable, 'level' | 'filled_at'> & {
  readonly per_minute: number;
  readonly capacity: number;
  /** What must be there. */
  readonly need: number;
  /** What is taken: more than `need` only where that is more than the bucket holds. */
  readonly amount: number;
};

/** A row of what stands in the way: the instant when it is over. */
interface Hindrance {
  readonly now: number;
  readonly until: number;
}

type BucketRow = LimitBucketsTable & Pick<Hindrance, 'now'>;

export class SqlLimiter extends Limiter {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly now = this.database.dialect.now;

  /** Also locks the key, so that one reservation after the other counts what is held. */
  private readonly enter = this.database.prepare(
    'limit.enter',
    (p: Slots<LimitKey>) => sql`
    insert into limit_keys (namespace, key, paused_until) values (${p.namespace}, ${p.key}, 0)
    on conflict (namespace, key) do update set paused_until = limit_keys.paused_until
      where limit_keys.paused_until <= ${this.now()}`,
  );

  private readonly dropExpired = this.database.prepare(
    'limit.drop-expired',
    (p: Slots<LimitKey>) => sql`
    delete from limit_slots
    where namespace = ${p.namespace} and key = ${p.key} and expires_at <= ${this.now()}`,
  );

  private readonly takeSlot = this.database.prepare(
    'limit.take-slot',
    (p: Slots<Omit<LimitSlotsTable, 'expires_at'> & { readonly ttl: number; readonly slots: number }>) => sql`
    insert into limit_slots (namespace, key, holder, expires_at)
    select ${p.namespace}, ${p.key}, ${p.holder}, ${this.now()} + cast(${p.ttl} as bigint)
    where (select count(*) from limit_slots where namespace = ${p.namespace} and key = ${p.key})
      < cast(${p.slots} as bigint)`,
  );

  private readonly fill = this.database.prepare(
    'limit.fill',
    (p: Slots<Omit<Take, 'need' | 'amount'>>) => sql`
    insert into limit_buckets (namespace, key, bucket, level, filled_at)
    values (${p.namespace}, ${p.key}, ${p.bucket}, ${p.capacity}, ${this.now()})
    on conflict (namespace, key, bucket) do update set
      level = case
        when ${this.now()} <= limit_buckets.filled_at then limit_buckets.level
        when limit_buckets.level + (${this.now()} - limit_buckets.filled_at) * cast(${p.per_minute} as bigint)
          > cast(${p.capacity} as bigint) then cast(${p.capacity} as bigint)
        else limit_buckets.level + (${this.now()} - limit_buckets.filled_at) * cast(${p.per_minute} as bigint) end,
      filled_at = ${this.now()}`,
  );

  private readonly takeFrom = this.database.prepare(
    'limit.take',
    (p: Slots<Omit<Take, 'per_minute' | 'capacity'>>) => sql`
    update limit_buckets set level = level - cast(${p.amount} as bigint)
    where namespace = ${p.namespace} and key = ${p.key} and bucket = ${p.bucket}
      and level >= cast(${p.need} as bigint)`,
  );

  private readonly pauseLeft = this.database.prepare(
    'limit.pause-left',
    (p: Slots<LimitKey>) => sql<Hindrance>`
    select ${this.now()} as now, paused_until as until from limit_keys
    where namespace = ${p.namespace} and key = ${p.key} and paused_until > ${this.now()}`,
  );

  private readonly firstFree = this.database.prepare(
    'limit.first-free',
    (p: Slots<LimitKey & { readonly slots: number }>) => sql<Hindrance>`
    select ${this.now()} as now, min(expires_at) as until from limit_slots
    where namespace = ${p.namespace} and key = ${p.key} and expires_at > ${this.now()}
    having count(*) >= cast(${p.slots} as bigint)`,
  );

  private readonly levelOf = this.database.prepare(
    'limit.level',
    (p: Slots<LimitKey & { readonly bucket: string }>) => sql<BucketRow>`
    select namespace, key, bucket, level, filled_at, ${this.now()} as now from limit_buckets
    where namespace = ${p.namespace} and key = ${p.key} and bucket = ${p.bucket}`,
  );

  private readonly prolong = this.database.prepare(
    'limit.renew',
    (p: Slots<{ readonly holder: string; readonly ttl: number }>) => sql`
    update limit_slots set expires_at = ${this.now()} + cast(${p.ttl} as bigint)
    where holder = ${p.holder} and expires_at > ${this.now()}`,
  );

  private readonly freeSlot = this.database.prepare(
    'limit.release',
    (p: Slots<Omit<LimitSlotsTable, 'expires_at'>>) => sql`
    delete from limit_slots where namespace = ${p.namespace} and key = ${p.key} and holder = ${p.holder}`,
  );

  private readonly changeLevel = this.database.prepare(
    'limit.adjust',
    (p: Slots<LimitKey & { readonly bucket: string; readonly amount: number }>) => sql`
    update limit_buckets set level = level - cast(${p.amount} as bigint)
    where namespace = ${p.namespace} and key = ${p.key} and bucket = ${p.bucket}`,
  );

  private readonly pauseKey = this.database.prepare(
    'limit.pause',
    (p: Slots<LimitKey & { readonly ms: number }>) => sql`
    insert into limit_keys (namespace, key, paused_until)
    values (${p.namespace}, ${p.key}, ${this.now()} + cast(${p.ms} as bigint))
    on conflict (namespace, key) do update set paused_until = case
      when limit_keys.paused_until > excluded.paused_until then limit_keys.paused_until
      else excluded.paused_until end`,
  );

  override async reserve(reservation: Reservation): Promise<Reserved> {
    const { namespace, key, holder, slots, ttlMs, takes } = reservation;
    const id = { namespace, key };
    const taken = takes.map((take) => ({ ...id, ...unitsOf(take) }));
    const { held, results } = await this.database.write({
      statements: [
        this.enter.guard(id),
        ...(slots === undefined
          ? []
          : [this.dropExpired.bind(id), this.takeSlot.guard({ ...id, holder, ttl: ttlMs, slots })]),
        ...taken.flatMap((take) => [this.fill.bind(take), this.takeFrom.guard(take)]),
      ],
      otherwise: [
        this.pauseLeft.bind(id),
        ...(slots === undefined ? [] : [this.firstFree.bind({ ...id, slots })]),
        ...takes.map(({ bucket }) => this.levelOf.bind({ ...id, bucket })),
      ],
    });
    return held ? { held } : { held, ...waitOf(results, takes, slots !== undefined) };
  }

  override async renew(holders: readonly string[], ttlMs: number): Promise<readonly string[]> {
    if (holders.length === 0) return [];
    const { results } = await this.database.write({
      statements: holders.map((holder) => this.prolong.bind({ holder, ttl: ttlMs })),
    });
    return holders.filter((_, index) => (results[index]?.changes ?? 0) > 0);
  }

  override async release({ namespace, key }: LimitKey, holder: string): Promise<void> {
    await this.database.write({ statements: [this.freeSlot.bind({ namespace, key, holder })] });
  }

  override async adjust({ namespace, key }: LimitKey, bucket: string, amount: number): Promise<void> {
    const values = { namespace, key, bucket, amount: amount * UNITS };
    await this.database.write({ statements: [this.changeLevel.bind(values)] });
  }

  override async pause({ namespace, key }: LimitKey, ms: number): Promise<void> {
    await this.database.write({ statements: [this.pauseKey.bind({ namespace, key, ms })] });
  }
}

function unitsOf({ bucket, amount, perMinute }: BucketTake): Omit<Take, 'namespace' | 'key'> {
  const capacity = perMinute * UNITS;
  const units = amount * UNITS;
  return { bucket, per_minute: perMinute, capacity, amount: units, need: Math.min(units, capacity) };
}

/** The longest of what stands in the way; a moment when nothing does any more. */
function waitOf(
  [pause, ...rest]: readonly StatementResult[],
  takes: readonly BucketTake[],
  hasSlots: boolean,
): { readonly retryAfterMs: number; readonly by: Obstacle } {
  const slots = hasSlots ? rest.slice(0, 1) : [];
  const buckets = rest.slice(slots.length).flatMap(({ rows }) => rows as readonly BucketRow[]);
  const waits = {
    pause: longestOf(pause === undefined ? [] : [pause]),
    slots: longestOf(slots),
    rate: Math.max(0, ...buckets.map((row) => fillingOf(row, takes))),
  };
  const [by] = (Object.keys(waits) as Obstacle[]).toSorted((a, b) => waits[b] - waits[a]);
  return { by: by ?? 'rate', retryAfterMs: Math.max(1, ...Object.values(waits)) };
}

function longestOf(results: readonly StatementResult[]): number {
  const rows = results.flatMap((result) => result.rows as readonly Hindrance[]);
  return Math.max(0, ...rows.map(({ until, now }) => until - now));
}

function fillingOf(
  { bucket, level, filled_at: filledAt, now }: BucketRow,
  takes: readonly BucketTake[],
): number {
  const take = takes.find((one) => one.bucket === bucket);
  if (take === undefined) return 0;
  const { per_minute: perMinute, need } = unitsOf(take);
  return Math.ceil((need - level) / perMinute) - Math.max(0, now - filledAt);
}
