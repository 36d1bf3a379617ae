/**
 * Commands to a run from outside its owner: durable rows, recorded as events by whoever owns the run.
 *
 * Decided here: a row and the run's `inbox_seq` and `wake_at` change together, so no wake-up is lost.
 */
import type { Json } from '../kernel/json.js';
import type { Claim } from './domain/claim.js';
import type { Decision } from './domain/approval.js';
import type { ContextCommand, Delivery, RetryRequest } from './domain/run.commands.js';

/** Whoever asks waits to hear of a refusal. */
interface Identified {
  readonly id: string;
}

/** What may be asked of a run. */
export type InboxCommand =
  | { readonly type: 'pause'; readonly by?: string; readonly reason?: string }
  | { readonly type: 'resume'; readonly by?: string }
  | { readonly type: 'cancel'; readonly by?: string; readonly reason?: string; readonly compensate?: boolean }
  | { readonly type: 'signal'; readonly name: string; readonly data: Json; readonly by?: string }
  | ({ readonly type: 'retry' } & Identified & RetryRequest)
  | (ContextCommand & Identified)
  /** What a unit waits for has come. `wait` is the number of the event with which the wait began. */
  | { readonly type: 'deliver'; readonly path: string; readonly wait: number; readonly outcome: Delivery }
  /** An answer to an approval, already found to be allowed and in form. */
  | {
      readonly type: 'answer';
      readonly path: string;
      readonly approval: string;
      readonly decision: Decision;
      readonly data: Json;
      readonly by?: string;
    };

export interface InboxEntry {
  readonly namespace: string;
  readonly runId: string;
  readonly command: InboxCommand;
  readonly at: number;
}

export interface InboxRow extends InboxEntry {
  /** Sorts rows of one run in the order in which they came. */
  readonly id: number;
}

export abstract class RunInbox {
  /** Adds a row, raises `inbox_seq` and makes the run due now, in one transaction. False when the run does not exist there. */
  abstract put(entry: InboxEntry): Promise<boolean>;

  /** Rows of a run in order, and the run's `inbox_seq` read in the same view; no rows and 0 for an unknown run. */
  abstract pending(runId: string): Promise<{ readonly rows: readonly InboxRow[]; readonly inboxSeq: number }>;

  /**
   * Deletes rows that led to no event (a pause of a paused run). Changes nothing else of the run. Does nothing when
   * owner or epoch are not the run's any more.
   */
  abstract discard(claim: Claim, rowIds: readonly number[]): Promise<void>;
}
