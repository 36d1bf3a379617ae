/**
 * Deleting what is left of runs that have ended, and remembering for a while that they were there.
 *
 * Decided here: what is deleted together, and when that is refused. Decided elsewhere: which runs are old enough
 * (retention.loop.ts), who has to have read them (log-followers.ts).
 */
import type { RunItem } from './run-item.js';
import type { RunRow } from './run.catalogue.js';

/** The last that is known of a run that was deleted. */
export interface PurgedRun extends Omit<RunItem, 'links'> {
  /** When it was deleted: ISO 8601 UTC. */
  readonly purgedAt: string;
}

/** The events that were asked for are not kept any more: forget what is there, and take the snapshot. */
export interface Reset {
  readonly runId: string;
  /** The number of the last event that there was. */
  readonly seq: number;
  readonly reset: true;
  readonly snapshot: PurgedRun;
}

/** Names a run. */
export interface RunName {
  readonly namespace: string;
  readonly runId: string;
}

/** A run to be deleted. */
export interface Purge {
  /** As it was read: it is refused when something was added to its log since. */
  readonly run: RunRow;
  readonly last: PurgedRun;
  /** Where the followers of the log stand. */
  readonly cursors: readonly string[];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When the blobs may go that nobody else refers to. */
  readonly blobsAt: number;
}

/**
 * Why a run was not deleted: it is not there, has not ended or has changed since; the run that started it is there; a
 * follower has not read all of it.
 */
export type PurgeResult = 'purged' | 'changed' | 'nested' | 'unread';

/** A run that ended long ago. */
export interface DueRun {
  readonly run: RunRow;
  readonly endedAt: number;
  /** Whether deliveries of its events are still to be made. */
  readonly isTold: boolean;
}

export interface DuePurges {
  /** The oldest end first. */
  readonly runs: readonly DueRun[];
  /** The earliest end that is not before; absent where there is none. */
  readonly nextEndAt?: number;
}

/** Where a list of ended runs goes on: after this one. */
export type EndPlace = Pick<DueRun, 'endedAt'> & { readonly runId: string };

export abstract class RetentionStore {
  /**
   * Runs that ended before a time, at most `limit`, after a place where one is given. Those that another run started
   * are left out as long as that one is there: what a parent waits for or has got stays with it.
   */
  abstract due(endedBefore: number, limit: number, after?: EndPlace): Promise<DuePurges>;

  /**
   * Deletes a run with its log, tags, inbox, checkpoint, tasks, approvals and idempotency rows, and keeps the last that
   * is known of it, all at once. Its figures stay, and so do audit rows, deliveries and fires that name it.
   */
  abstract purge(purge: Purge): Promise<PurgeResult>;

  /** Ended runs that a run started, at most `limit`. */
  abstract endedChildren(parent: RunName, limit: number): Promise<readonly RunRow[]>;

  /** The last that is known of a run that was deleted; undefined when there is none, or it was forgotten. */
  abstract findPurged(namespace: string, runId: string): Promise<PurgedRun | undefined>;

  /** Deleted runs whose blobs may go by now, at most `limit`. */
  abstract blobsDue(now: number, limit: number): Promise<readonly RunName[]>;

  /** The blobs of a deleted run are gone. */
  abstract blobsGone(run: RunName): Promise<void>;

  /** Forgets runs that were deleted before a time and have no blobs left, at most `limit`; answers how many. */
  abstract forget(purgedBefore: number, limit: number): Promise<number>;

  /** The earliest deletion that is remembered, and the earliest time at which blobs may go. */
  abstract next(): Promise<{ readonly purgedAt?: number; readonly blobsAt?: number }>;
}
