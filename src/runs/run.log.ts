/**
 * Reading the log across runs, for followers that keep a cursor (webhooks, metrics, audit).
 *
 * Decided here: what is below the horizon never changes order, so a cursor that moved past an event can not miss
 * one that commits later. PostgreSQL: rows of transactions older than every open one, by (transaction, position).
 * SQLite: by rowid, which its single writer gives in commit order.
 */
import type { LoggedEvent } from './domain/logged-event.js';

export interface LogEntry {
  readonly namespace: string;
  readonly event: LoggedEvent;
}

export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** Opaque, never empty after events; where to go on. Equal to the one given when nothing new lies below the horizon. */
  readonly cursor: string;
  /** False: nothing more lay below the horizon. True: there may be more. */
  readonly more: boolean;
}

/** A run whose log was written to. */
export interface ChangedRun {
  readonly runId: string;
  readonly namespace: string;
}

export interface LogChanges {
  readonly runs: readonly ChangedRun[];
  /** Where the next look begins. */
  readonly cursor: string;
}

export abstract class RunLog {
  /**
   * Events after a cursor, in stable order, whole appends at a time, about `limit` events, fewer where they are long: at
   * least one append where there is one, and none is begun once `limit` events are read. Events of one run come in the order of their numbers.
   *
   * @param cursor `""` reads from the beginning
   */
  abstract readAfter(cursor: string, limit: number): Promise<LogPage>;

  /** The cursor of the present horizon: reading after it gives only what comes later. */
  abstract head(): Promise<string>;

  /**
   * Which runs were appended to behind a cursor, above the horizon too, each once: nothing is held back by a transaction
   * that is open. What lies above the horizon may be told again by the next look. The latest `limit` where there are more.
   */
  abstract changedAfter(cursor: string, limit: number): Promise<LogChanges>;
}
