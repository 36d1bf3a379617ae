/**
 * Following a run: stored events, then live ones, contiguous; deltas beside them.
 *
 * Decided here: a follower sees 1..n without gap or repeat whatever the moment it joins. Decided elsewhere: how it
 * is sent on (SSE in run.controller.ts, sockets in events/).
 */
import type { EncodedEvent } from './domain/run.events.js';

/** Something outside the log, never numbered: tokens or progress of an attempt under way. */
export interface Delta {
  readonly type: 'step.delta' | 'step.progress';
  readonly runId: string;
  readonly stepId: string;
  readonly path?: string;
  readonly attempt: number;
  /** Counts from 1 within the attempt. */
  readonly n: number;
  /** The run's last sequence number when it was sent. */
  readonly afterSeq: number;
  readonly data: { readonly text?: string; readonly percent?: number; readonly message?: string };
}

export type FeedItem =
  | { readonly kind: 'event'; readonly event: EncodedEvent }
  | { readonly kind: 'delta'; readonly delta: Delta };

export interface FollowOptions {
  readonly namespace: string;
  readonly runId: string;
  /** Events after this one; 0 for all. */
  readonly afterSeq: number;
  readonly signal: AbortSignal;
  /** Whether deltas are wanted. @default false */
  readonly deltas?: boolean;
}

export abstract class RunFeed {
  private readonly listeners = new Set<() => void>();

  /**
   * Follows a run until its terminal event or until the signal aborts, which ends it without an error. Ends at once
   * for a run whose log holds nothing more and has ended; goes on past a terminal event that others follow in the
   * log, as in a run that was retried.
   *
   * Memory is bounded: a consumer that falls behind is served from the record again. Deltas are then dropped, as are
   * those older than an event that was delivered. Nothing is held before the first item is asked for, nor after the
   * consumer returns.
   *
   * @throws AppError `run.not-found`
   */
  abstract follow(options: FollowOptions): AsyncIterable<FeedItem>;

  /**
   * Which runs of a namespace change: each time it is asked, the ids of those with events since the last time, at
   * least one. Waits while there are none; ends when the signal aborts. Memory grows with the runs that changed and
   * were not asked for, not with their events.
   */
  abstract watch(namespace: string, signal: AbortSignal): AsyncIterable<ReadonlySet<string>>;

  /** Tells followers of events that are durable now. Called by the owner, in order. Costs next to nothing when nobody follows. */
  abstract publish(namespace: string, runId: string, events: readonly EncodedEvent[]): void;

  /** Tells followers of a delta. Never throws, may be dropped. */
  abstract publishDelta(delta: Delta): void;

  /**
   * Calls back whenever events of any run were published in this process, for those who follow the log as a whole: a
   * hint to read, which says nothing of what there is. The listener must neither throw nor take long.
   *
   * @returns ends it
   */
  onPublish(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** For adapters: tells the listeners that something was published. */
  protected hint(): void {
    for (const listener of this.listeners) listener();
  }
}
