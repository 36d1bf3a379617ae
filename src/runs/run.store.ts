/**
 * The record of runs: a run row and an append-only log, written together.
 *
 * Decided here: what is atomic and what is refused. Decided elsewhere: who may append (run.lease.ts), what an event
 * means (domain/). No expected refusal is an exception; an exception means that the outcome is unknown.
 */
import type { Json, JsonObject } from '../kernel/json.js';
import type { IdempotencyRow } from '../platform/ports/idempotency.store.js';
import type { AskedApproval, Decision } from './domain/approval.js';
import type { Claim } from './domain/claim.js';
import type { EncodedEvent } from './domain/run.events.js';
import type { RunSummary } from './domain/summary.js';
import type { InboxEntry } from './run.inbox.js';

/** What a new run's row holds and never changes. */
export interface NewRun {
  readonly id: string;
  readonly namespace: string;
  readonly name?: string;
  readonly workflowId?: string;
  readonly workflowVersion?: number;
  readonly priority: number;
  readonly tags: readonly string[];
  /** The run that started this one as a step. */
  readonly parentId?: string;
  readonly createdAt: number;
  readonly summary: RunSummary;
  /** Event 1 and what may follow it at once. */
  readonly events: readonly EncodedEvent[];
  /** Identifies the first append after a connection was lost. */
  readonly appendId: string;
}

/**
 * A row that must become true together with events. None of them ever refuses the write it belongs to:
 * a run that exists already is left as it is (free, epoch 0, when new); an inbox row acts as `RunInbox.put`, and is
 * left out when its run does not exist or has ended; an idempotency row replaces the one of the same key; a settlement of a
 * reservation that was settled, or an audit row of an id that exists, is left as it is. So is an approval that exists
 * already; the end of one changes the approval that is open at its path, and nothing where none is. A blob that is kept
 * already is left as it is.
 */
export type AlsoRow =
  | { readonly kind: 'run'; readonly run: NewRun }
  | { readonly kind: 'inbox'; readonly entry: InboxEntry }
  | { readonly kind: 'idempotency'; readonly row: IdempotencyRow }
  | { readonly kind: 'settlement'; readonly row: Settlement }
  | { readonly kind: 'audit'; readonly row: AuditRow }
  | { readonly kind: 'approval'; readonly row: ApprovalRow }
  | { readonly kind: 'approval-end'; readonly end: ApprovalClosing }
  | { readonly kind: 'blob'; readonly use: BlobUse };

/** The end of a budget reservation: what was really spent. */
export interface Settlement {
  readonly reservationId: string;
  readonly namespace: string;
  readonly scope: string;
  readonly costMicros: number;
  readonly at: number;
}

/** Who changed what. The hash chain is added by the sealer, later. */
export interface AuditRow {
  readonly id: string;
  readonly namespace: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details: JsonObject;
  readonly at: number;
}

/** An approval that a unit of a run waits for, from its request on. */
export interface ApprovalRow {
  readonly id: string;
  readonly namespace: string;
  readonly runId: string;
  /** The unit that waits for it. */
  readonly path: string;
  readonly asked: AskedApproval;
  readonly requestedAt: number;
  /** When its deadline passes. */
  readonly expiresAt?: number;
}

/** That the log of a run refers to a blob from now on. */
export interface BlobUse {
  readonly namespace: string;
  readonly runId: string;
  readonly hash: string;
  /** Absent where the blob is kept already. */
  readonly content?: Uint8Array;
  readonly at: number;
}

/** What became of an approval; `cancelled` with the run or the step around it. */
export type ApprovalStatus = 'open' | 'approved' | 'rejected' | 'timed_out' | 'cancelled';

/** The end of the approval that is open at a path of a run. */
export interface ApprovalClosing {
  readonly namespace: string;
  readonly runId: string;
  readonly path: string;
  readonly status: Exclude<ApprovalStatus, 'open'>;
  readonly decision?: Decision;
  readonly data?: Json;
  readonly by?: string;
  readonly at: number;
}

export interface Creation {
  readonly run: NewRun;
  /**
   * The process that executes it from the start: the run is created with epoch 1 claimed. If that owner holds no
   * live lease, the run is created with epoch 1, free and due at once. Absent: free, epoch 0.
   */
  readonly ownerId?: string;
  /** Refuse when this many runs of all namespaces, sub-runs aside, are queued and free. Absent: never refuse (sub-runs). */
  readonly maxQueued?: number;
  /**
   * Written in the same transaction; a row of the same key, whatever its body, refuses the creation unless it had
   * expired at the new row's `createdAt`.
   */
  readonly idempotency?: IdempotencyRow;
  readonly also?: readonly AlsoRow[];
}

/** What became of a creation. Where several refusals hold, `exists` is told before `key_used` before `queue_full`. */
export type CreateResult =
  | { readonly outcome: 'created' }
  | { readonly outcome: 'queue_full'; readonly queued: number }
  /** The key was used before; `row` says for which body and run. */
  | { readonly outcome: 'key_used'; readonly row: IdempotencyRow }
  /** A run of this id exists; for a child this means it was started before. */
  | { readonly outcome: 'exists' };

export interface Append {
  readonly claim: Claim;
  readonly namespace: string;
  /** The log's last sequence number as the owner knows it; the first event has the next one. */
  readonly expectedSeq: number;
  /** Unique; found again by `findAppend` when the outcome of a commit is unknown. */
  readonly appendId: string;
  /** At least one, numbered from `expectedSeq + 1` without a gap. */
  readonly events: readonly EncodedEvent[];
  readonly summary: RunSummary;
  /** Inbox rows that these events record; deleted with the append. */
  readonly consumedInbox: readonly number[];
  readonly also?: readonly AlsoRow[];
}

export type AppendResult =
  /** `inboxSeq` is the run's counter after the append: larger than seen means that something came in. */
  | { readonly outcome: 'appended'; readonly inboxSeq: number }
  /** The claim's epoch or the expected sequence is not the run's any more, or no such run exists in that namespace. Nothing was written. */
  | { readonly outcome: 'refused' };

export interface EventPage {
  readonly events: readonly EncodedEvent[];
  /** The last sequence number that the log had when it was read. */
  readonly lastSeq: number;
  /** Whether events after the last one returned exist. */
  readonly more: boolean;
}

/** A saved fold: disposable, never truth. */
export interface Checkpoint {
  readonly seq: number;
  /** A fold of another version is ignored. */
  readonly foldVersion: number;
  readonly state: string;
}

export abstract class RunStore {
  /**
   * Writes the run row, its first events and all `also` rows in one transaction, or nothing at all.
   *
   * @throws RangeError before anything is written when the events are none or not numbered from 1
   */
  abstract create(creation: Creation): Promise<CreateResult>;

  /**
   * Appends events, updates the summary, deletes consumed inbox rows and writes `also` rows in one transaction,
   * if and only if epoch and sequence hold. Callers may append to many runs at once: appends are grouped, and each
   * is answered on its own.
   * An append whose summary has `endedAt` gives the claim up too: the run's owner becomes nobody.
   *
   * The row's `wake_at` becomes the summary's. Where inbox rows are left that this append did not consume, or the run
   * has been freed meanwhile (a claim that was retired or given back keeps its epoch until the next one), it becomes
   * the earlier of that and now: the run stays due.
   *
   * @throws RangeError before anything is written when the events are none or not numbered from `expectedSeq + 1`
   */
  abstract append(append: Append): Promise<AppendResult>;

  /**
   * Whether the append (or creation) that wrote the event after `expectedSeq` had this id: answers an unknown commit
   * outcome. False when there is no such event or run.
   */
  abstract findAppend(runId: string, expectedSeq: number, appendId: string): Promise<boolean>;

  /**
   * Events after `afterSeq` in order, at most `limit`, from one consistent view; undefined when the run does not
   * exist in that namespace. An empty page of an existing run has `events: []`.
   */
  abstract read(
    namespace: string,
    runId: string,
    range: { readonly afterSeq: number; readonly limit: number },
  ): Promise<EventPage | undefined>;

  /** Keeps the newest checkpoint of a run: one of a lower `seq` than stored is ignored, one of the same `seq` replaces it. */
  abstract saveCheckpoint(runId: string, checkpoint: Checkpoint): Promise<void>;

  /** The checkpoint of a run, or undefined when there is none or it is of another fold version. */
  abstract findCheckpoint(runId: string, foldVersion: number): Promise<Checkpoint | undefined>;
}
