/**
 * Where figures are kept, together with how far the log has been counted.
 *
 * Decided here: figures and the cursor move together or not at all, so that every event is counted exactly once
 * whatever fails. Decided elsewhere: what is counted (domain/fold.ts), how long it is kept (configuration).
 */
import type { MinuteFigures, OpenRun } from './domain/fold.js';
import type { Grain, Tile } from './domain/grain.js';
import type { Dimension, Series } from './domain/series.js';

/** How far the log has been counted, and by which fold. */
export interface MetricPosition {
  readonly cursor: string;
  /** A fold of another version counts from the beginning again. */
  readonly foldVersion: number;
}

/** What one page of the log adds. */
export interface MetricChange {
  /** Where the figures must stand for this to be true. */
  readonly from: MetricPosition;
  /** Where they stand afterwards. */
  readonly to: MetricPosition;
  /** At most one of each series and minute. */
  readonly minutes: readonly MinuteFigures[];
  /** What is remembered of runs that are open after the page; undefined: nothing any more. */
  readonly open: ReadonlyMap<string, RememberedRun | undefined>;
}

export interface RememberedRun {
  readonly namespace: string;
  readonly open: OpenRun;
}

/** Which series are read. */
export interface MetricQuery {
  readonly namespace: string;
  readonly dimension: Dimension;
  /** Only those of this workflow or template. */
  readonly parent?: string;
  readonly key?: string;
  readonly tiles: readonly Tile[];
}

/** Figures of one series in one piece of time. */
export interface SeriesFigures {
  readonly key: string;
  readonly parent: string;
  readonly grain: Grain;
  /** The beginning of the piece. */
  readonly at: number;
  /** As `storeFigures` writes them: there may be a thousand pieces, and most are only added up. */
  readonly stored: string;
}

export abstract class MetricStore {
  /** How far the log has been counted; undefined before the first page. */
  abstract position(): Promise<MetricPosition | undefined>;

  /** What is remembered of those of these runs that are open. */
  abstract openRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, OpenRun>>;

  /** Every series of a namespace, in any order. */
  abstract series(namespace: string): Promise<readonly Series[]>;

  /**
   * Adds the figures of a page to those of its minutes, hours and days, and moves the cursor: all of it, or nothing
   * and false when the figures do not stand at `from`.
   */
  abstract commit(change: MetricChange): Promise<boolean>;

  /** Pieces of series that begin within the tiles, in any order. Reads figures only, never a run. */
  abstract read(query: MetricQuery): Promise<readonly SeriesFigures[]>;

  /** Forgets pieces of a grain that begin before an instant, and series of which nothing is left. */
  abstract prune(grain: Grain, before: number): Promise<void>;

  /** Forgets everything: the log is counted from the beginning again. */
  abstract reset(): Promise<void>;
}
