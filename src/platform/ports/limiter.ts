/**
 * Limiter: capacity that all processes share, by key. Slots are leased, never counted: the slot of a holder that died
 * is free when its lease has run out, and nothing has to notice the death. Rates are token buckets that hold a minute's
 * worth.
 *
 * Decided here: what is reserved together, and when it is free again. Decided elsewhere: who waits, in which order, and
 * who renews (agents/limit-gate.ts).
 */

/** What is limited: an agent, for example. */
export interface LimitKey {
  readonly namespace: string;
  readonly key: string;
}

/** What a reservation takes from a bucket. */
export interface BucketTake {
  /** Unique for its key: `requests`, `tokens`. */
  readonly bucket: string;
  /** A whole number from 0. More than the bucket holds is let through when it is full, and paid off afterwards. */
  readonly amount: number;
  /** How much flows in each minute, and the most that the bucket holds. */
  readonly perMinute: number;
}

/** A call that asks for its share. */
export interface Reservation extends LimitKey {
  /** Unique for the call. */
  readonly holder: string;
  /** How many may hold a slot; absent: any number, and no slot is taken. */
  readonly slots?: number;
  /** How long the slot is held unless it is renewed. */
  readonly ttlMs: number;
  readonly takes: readonly BucketTake[];
}

/** What stands in the way: every slot is held, a bucket holds too little, or nothing is let through for a time. */
export type Obstacle = 'slots' | 'rate' | 'pause';

export type Reserved =
  | { readonly held: true }
  /**
   * When trying again may help, at the latest: in milliseconds, at least 1. A slot may be released before. `by` is what
   * lasts longest.
   */
  | { readonly held: false; readonly retryAfterMs: number; readonly by: Obstacle };

export abstract class Limiter {
  /** Takes a slot and from every bucket, or nothing at all. Atomic among all processes; judged by the record's time. */
  abstract reserve(reservation: Reservation): Promise<Reserved>;

  /** Prolongs the leases of slots that are held still; answers their holders. What is not among them was lost. */
  abstract renew(holders: readonly string[], ttlMs: number): Promise<readonly string[]>;

  /** Gives a slot back. Does nothing when it is not held. */
  abstract release(key: LimitKey, holder: string): Promise<void>;

  /** Takes more from a bucket than was reserved, or gives back (negative). Does nothing when there is no such bucket. */
  abstract adjust(key: LimitKey, bucket: string, amount: number): Promise<void>;

  /** Lets no reservation of a key through for a time. A longer pause stays. */
  abstract pause(key: LimitKey, ms: number): Promise<void>;
}
