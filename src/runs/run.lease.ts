/**
 * Who owns which run. The lease is a process's right to own runs; the claim is (owner, epoch) on one run row.
 *
 * Decided here: when a claim is won, refused, parked or given back, all by the database's own time. Decided
 * elsewhere: when an owner must stop believing in itself (engine/owner.service.ts). Renewal touches no run row.
 */
import type { Claim } from './domain/claim.js';

export interface Renewal {
  /** False when the lease had run out or was retired: the owner must drop its runs and take a new id. */
  readonly held: boolean;
  /** The database's time, in milliseconds since the epoch. */
  readonly now: number;
  /** Runs of this owner whose `wake_at` has come: something came in, or a timer is due. Longest due first, at most 1,000. */
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
  /** Highest priority first, then longest due, then lowest id. */
  readonly runs: readonly DueRun[];
  /** The earliest `wake_at` of a free run that lies after now. When `runs` is full, look again at once instead. */
  readonly nextWakeAt?: number;
  /** When the next lease runs out, the caller's own included; in the past when one has run out and is not retired yet. */
  readonly nextExpiryAt?: number;
}

export abstract class RunLease {
  /**
   * Registers an owner, or renews its lease for `ttlMs` from the database's now. One single-row write.
   * A lease that has run out (from `expires_at` on) or was retired is not revived: that id can never be used again.
   */
  abstract renew(ownerId: string, ttlMs: number): Promise<Renewal>;

  /**
   * Ends leases and frees the runs they hold, due at once: those that have run out, the one named, or all.
   * Epochs stay: the next claim raises them. Safe to call twice. Answers how many runs became free.
   */
  abstract retire(which: { readonly ownerId: string } | 'expired' | 'all'): Promise<number>;

  /**
   * Claims a free run if its epoch is still the one seen (any epoch when `seenEpoch` is absent): epoch + 1, the rest
   * of the row stays. Of claims at the same time one wins. Undefined when refused: no such run, owned, another epoch,
   * or an owner without a live lease (so a claim that arrives late can not bind a run to a dead owner).
   */
  abstract claim(runId: string, ownerId: string, seenEpoch?: number): Promise<Claimed | undefined>;

  /**
   * Gives a claim up until `wakeAt` (absent: until something comes in); refused (false), with nothing changed, when
   * something came in since `inboxSeq`, or owner or epoch are not the run's any more.
   */
  abstract park(claim: Claim, inboxSeq: number, wakeAt: number | undefined): Promise<boolean>;

  /** Gives a claim up, due at once. Does nothing when owner or epoch are not the run's any more. */
  abstract release(claim: Claim): Promise<void>;

  /** Free runs of all namespaces that are due now by the database's time, at most `limit`, from one index. */
  abstract due(limit: number): Promise<Due>;
}
