/** Finding runs by what their rows say. Never folds a log. */
import type { Page, PageRequest } from '../kernel/page.js';
import type { RunStatus } from './domain/run.status.js';
import type { RunSummary } from './domain/summary.js';
import type { NewRun } from './run.store.js';

/** A run row. */
export interface RunRow extends Omit<NewRun, 'events' | 'appendId'> {
  readonly summary: RunSummary;
  readonly lastSeq: number;
  readonly epoch: number;
  readonly ownerId?: string;
}

export interface RunFilter {
  readonly status?: RunStatus;
  readonly workflowId?: string;
  /** The run whose sub-runs are asked for. */
  readonly parentId?: string;
  /** One of the run's tags, compared as a whole and by case. */
  readonly tag?: string;
  /** Created at or after, in milliseconds since the epoch. */
  readonly from?: number;
  /** Created before. */
  readonly to?: number;
  /** The code of the failure that ended it, as a whole. */
  readonly errorCode?: string;
  /** Somewhere in the first 1,000 characters of the failure's message, whatever the case of ASCII letters. */
  readonly errorText?: string;
  /** Cost at least, in micro-dollars. */
  readonly minCostMicros?: number;
  /** Cost at most. */
  readonly maxCostMicros?: number;
}

/** Where a run stands in the queue: higher priority first, then longest due, then lowest id. */
export interface QueuePlace {
  readonly id: string;
  readonly priority: number;
  readonly wakeAt: number;
}

/** How far a reader of a run has come. */
export interface RunReached {
  readonly runId: string;
  readonly seq: number;
}

/** How far the log of a run has come. */
export interface RunHead {
  readonly runId: string;
  readonly namespace: string;
  readonly lastSeq: number;
}

export abstract class RunCatalogue {
  /** The row of a run, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, runId: string): Promise<RunRow | undefined>;

  /** The rows of runs, in no order; those that do not exist in that namespace are left out. At most 200 ids at a time. */
  abstract findMany(namespace: string, runIds: readonly string[]): Promise<readonly RunRow[]>;

  /**
   * Those of the runs whose log goes on past where a reader is, in no order; of any namespace. One query, however many
   * they are.
   */
  abstract findAhead(reached: readonly RunReached[]): Promise<readonly RunHead[]>;

  /**
   * Runs of a namespace that match every field of the filter, newest first: by id; with `from` or `to` and without a
   * tag by the time of creation, then id. The cursor's key names the last run: runs created between two pages neither shift nor repeat
   * what follows. A cursor that is not one of ours gives an empty page.
   */
  abstract list(namespace: string, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>>;

  /** How many queued runs that nobody owns are taken before this one; 0 for a run that is not among them. */
  abstract queuedBefore(run: QueuePlace): Promise<number>;

  /** Runs that have not ended in each status, over all namespaces. Statuses without runs are absent. Counts no ended run. */
  abstract openCounts(): Promise<{ readonly [S in RunStatus]?: number }>;

  /** Runs in each status, over all namespaces. Statuses without runs are absent. */
  abstract counts(): Promise<{ readonly [S in RunStatus]?: number }>;
}
