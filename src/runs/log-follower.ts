/**
 * Following the log of all runs: reads what comes after a consumer's cursor, page by page, and rests while there is
 * nothing.
 *
 * Decided here: when the log is read, and that a consumer that fails is asked again later. Decided elsewhere: where
 * the cursor is kept and what is done with the events (the consumer). The engine knows of no follower: the feed hints
 * that something was published, and that is all.
 */
import type { Logger } from '@nestjs/common';

import type { RunFeed } from './run.feed.js';
import type { LogPage, RunLog } from './run.log.js';

/** Whoever does something with every event, once or at least once. */
export interface LogConsumer {
  /** For the log: `metrics`. */
  readonly name: string;

  /** Where it stands; `""` at the beginning of the log. */
  cursor(): Promise<string>;

  /** Where it stands, as another process may have left it. Changes nothing. @default `cursor` */
  peek?(): Promise<string>;

  /** Forgets what it knows of where it stands: another process may have gone on since. Called before it is read for. */
  forget?(): void;

  /**
   * Takes the page that begins at its cursor, and moves the cursor. A page that was refused, or that this rejects
   * for, is read again from where the consumer then stands.
   */
  take(from: string, page: LogPage): Promise<void>;
}

/** When a follower reads. Times are milliseconds. */
export interface FollowPace {
  /** Events in a page, about, where they are not long. */
  readonly pageSize: number;
  /** From a hint to the reading: what is published meanwhile is read together. */
  readonly gatherMs: number;
  /** From the end of the log to another look: events of transactions that were open then may have come. */
  readonly settleMs: number;
  /** The first pause after a failure; doubled up to `maxPauseMs`. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

/** Half a second behind the engine, unless there is much to do. */
export const DEFAULT_PACE: FollowPace = {
  pageSize: 2_000,
  gatherMs: 500,
  settleMs: 5_000,
  pauseMs: 500,
  maxPauseMs: 30_000,
};

/** How often an end of the log is looked at again before the follower rests without a timer. */
const MAX_LOOKS = 2;

/** Where the events come from, and what hints that there are some. */
export interface FollowedLog {
  readonly log: RunLog;
  readonly feed: RunFeed;
  readonly logger: Logger;
}

/** One consumer's way along the log. Never rejects: failures are logged and tried again. */
export class LogFollower {
  private unsubscribe: (() => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  private isHinted = false;
  private isStopped = true;
  private failures = 0;
  private looksLeft = 0;

  constructor(
    private readonly source: FollowedLog,
    private readonly consumer: LogConsumer,
    private readonly pace: FollowPace = DEFAULT_PACE,
  ) {}

  /** Where the consumer stands, whether it is followed for here or in another process. */
  stands(): Promise<string> {
    const { consumer } = this;
    return this.isStopped && consumer.peek !== undefined ? consumer.peek() : consumer.cursor();
  }

  /** Begins where the consumer stands. */
  start(): void {
    this.isStopped = false;
    this.consumer.forget?.();
    this.unsubscribe = this.source.feed.onPublish(() => {
      this.hint();
    });
    this.hint();
  }

  /** Reads soon: events may have come that nobody hinted at. */
  look(): void {
    if (!this.isStopped) this.hint();
  }

  /** Ends after the page under way. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.unsubscribe?.();
    clearTimeout(this.timer);
    await this.reading;
    this.isHinted = false;
    this.failures = 0;
  }

  /** On the engine's path: costs nothing while the follower is awake. */
  private hint(): void {
    this.looksLeft = MAX_LOOKS;
    if (this.isHinted) return;
    this.isHinted = true;
    if (this.reading === undefined && this.failures === 0) this.readIn(this.pace.gatherMs);
  }

  private readIn(delayMs: number | undefined): void {
    clearTimeout(this.timer);
    if (this.isStopped || delayMs === undefined) return;
    this.timer = setTimeout(() => {
      this.reading = this.readToEnd();
    }, delayMs);
    // Waiting for more is no reason for the process to go on.
    this.timer.unref();
  }

  private async readToEnd(): Promise<void> {
    this.isHinted = false;
    const hasEnded = await this.attempt();
    this.reading = undefined;
    this.failures = hasEnded ? 0 : this.failures + 1;
    this.readIn(this.nextDelay());
  }

  /** Undefined: a hint is waited for. */
  private nextDelay(): number | undefined {
    const { gatherMs, settleMs, pauseMs, maxPauseMs } = this.pace;
    if (this.failures > 0) return Math.min(pauseMs * 2 ** (this.failures - 1), maxPauseMs);
    if (this.isHinted) return gatherMs;
    if (this.looksLeft === 0) return undefined;
    this.looksLeft -= 1;
    return settleMs;
  }

  /** True at the end of the log. */
  private async attempt(): Promise<boolean> {
    try {
      while (!this.isStopped && (await this.readPage()));
      return true;
    } catch (err) {
      this.source.logger.warn({
        msg: 'a follower of the log could not go on',
        follower: this.consumer.name,
        err,
      });
      return false;
    }
  }

  /** False at the end of the log: what is added meanwhile is gathered to a page of its own. */
  private async readPage(): Promise<boolean> {
    const { pageSize } = this.pace;
    const from = await this.consumer.cursor();
    const page = await this.source.log.readAfter(from, pageSize);
    if (page.entries.length > 0) await this.consumer.take(from, page);
    return page.more;
  }
}
