/**
 * Who owns which run. The lease is a process's right to own runs; the claim is (owner, epoch) on one run row.
 *
 * Decided here: when a claim is won, refused, parked or given back, all by the database's own time. Decided
 * elsewhere: when an owner must stop believing in itself (engine/owner.ts). Renewal touches no run row.
 */
import type { Claim } from './run.store.js';

export interface Renewal {
  /** False when the lease had run out or was retired: the owner must drop its runs and take a new id. */
  readonly held: boolean;
  /** The database's time, in milliseconds since the epoch. */
  readonly now: number;
  /** Runs of this owner that want to be looked at: something came in, or a timer is due. At most 1,000. */
  readonly attention: readonly string[];
}

export interface Claimed {
  readonly claim: Claim;
  readonly namespace: string;
  readonly lastSeq: number;
  readonly inboxSeq: number;
}

/** A run that nobody owns and that wants to be looked at. */
export interface DueRun {
  readonly runId: string;
  readonly epoch: number;
  readonly priority: number;
  readonly wakeAt: number;
}

export interface Due {
  /** Highest priority first, then longest due. */
  readonly runs: readonly DueRun[];
  /** When the next run that nobody owns is due, where none is due now beyond `runs`. */
  readonly nextWakeAt?: number;
  /** When the next lease of another owner runs out. */
  readonly nextExpiryAt?: number;
}

export abstract class RunLease {
  /**
   * Registers an owner, or renews its lease for `ttlMs` from the database's now. One single-row write.
   * A lease that has run out is not revived.
   */
  abstract renew(ownerId: string, ttlMs: number): Promise<Renewal>;

  /**
   * Ends leases and frees the runs they hold, due at once: those that have run out, or the one named.
   * Epochs stay: the next claim raises them. Answers how many runs became free.
   */
  abstract retire(which: { readonly ownerId: string } | 'expired' | 'all'): Promise<number>;

  /** Claims a free run if its epoch is still the one seen (any epoch when `seenEpoch` is absent). Undefined when refused. */
  abstract claim(runId: string, ownerId: string, seenEpoch?: number): Promise<Claimed | undefined>;

  /** Gives a claim up until `wakeAt`; refused (false) when something came in since `inboxSeq`, or the claim is lost. */
  abstract park(claim: Claim, inboxSeq: number, wakeAt: number | undefined): Promise<boolean>;

  /** Gives a claim up, due at once. Does nothing when the claim is lost. */
  abstract release(claim: Claim): Promise<void>;

  /** Free runs that are due now by the database's time, at most `limit`, from one index. */
  abstract due(limit: number): Promise<Due>;
}
