import type { Clock } from '../../platform/clock/clock.js';
import {
  Limiter,
  type BucketTake,
  type LimitKey,
  type Obstacle,
  type Reservation,
  type Reserved,
} from '../../platform/ports/limiter.js';

const MINUTE_MS = 60_000;

interface Bucket {
  level: number;
  filledAt: number;
}

interface Entry {
  pausedUntil: number;
  /** When the lease of a holder runs out. */
  readonly slots: Map<string, number>;
  readonly buckets: Map<string, Bucket>;
}

/** For how long something stands in the way, in milliseconds. */
interface LimitWait {
  readonly by: Obstacle;
  readonly ms: number;
}

/** The limits of one process, or of several that share one object. */
export class MemoryLimiter extends Limiter {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override reserve({ holder, slots, ttlMs, takes, ...key }: Reservation): Promise<Reserved> {
    const now = this.clock.now();
    const entry = this.entryOf(key);
    for (const [other, until] of entry.slots) if (until <= now) entry.slots.delete(other);
    const isFull = slots !== undefined && entry.slots.size >= slots;
    const longest = longestOf([
      { by: 'pause', ms: entry.pausedUntil - now },
      { by: 'slots', ms: isFull ? Math.min(...entry.slots.values()) - now : 0 },
      ...takes.map((take) => ({ by: 'rate' as const, ms: waitFor(take, bucketOf(entry, take, now)) })),
    ]);
    if (longest.ms > 0) {
      return Promise.resolve({ held: false, retryAfterMs: Math.max(1, longest.ms), by: longest.by });
    }
    if (slots !== undefined) entry.slots.set(holder, now + ttlMs);
    for (const take of takes) bucketOf(entry, take, now).level -= take.amount;
    return Promise.resolve({ held: true });
  }

  override renew(holders: readonly string[], ttlMs: number): Promise<readonly string[]> {
    const now = this.clock.now();
    const held = holders.filter((holder) =>
      [...this.entries.values()].some(({ slots }) => {
        if ((slots.get(holder) ?? 0) <= now) return false;
        slots.set(holder, now + ttlMs);
        return true;
      }),
    );
    return Promise.resolve(held);
  }

  override release(key: LimitKey, holder: string): Promise<void> {
    this.entryOf(key).slots.delete(holder);
    return Promise.resolve();
  }

  override adjust(key: LimitKey, bucket: string, amount: number): Promise<void> {
    const found = this.entryOf(key).buckets.get(bucket);
    if (found !== undefined) found.level -= amount;
    return Promise.resolve();
  }

  override pause(key: LimitKey, ms: number): Promise<void> {
    const entry = this.entryOf(key);
    entry.pausedUntil = Math.max(entry.pausedUntil, this.clock.now() + ms);
    return Promise.resolve();
  }

  private entryOf({ namespace, key }: LimitKey): Entry {
    const id = `${namespace}\n${key}`;
    const entry = this.entries.get(id) ?? { pausedUntil: 0, slots: new Map(), buckets: new Map() };
    this.entries.set(id, entry);
    return entry;
  }
}

function longestOf(waits: readonly LimitWait[]): LimitWait {
  return waits.reduce((longest, wait) => (wait.ms > longest.ms ? wait : longest));
}

/** A bucket with what has flowed in until now. */
function bucketOf({ buckets }: Entry, { bucket, perMinute }: BucketTake, now: number): Bucket {
  const found = buckets.get(bucket) ?? { level: perMinute, filledAt: now };
  const inflow = (Math.max(0, now - found.filledAt) * perMinute) / MINUTE_MS;
  found.level = Math.min(perMinute, found.level + inflow);
  found.filledAt = now;
  buckets.set(bucket, found);
  return found;
}

function waitFor({ amount, perMinute }: BucketTake, { level }: Bucket): number {
  return Math.ceil(((Math.min(amount, perMinute) - level) * MINUTE_MS) / perMinute);
}
