import type { InProcessTaskFeed } from '../memory/in-process-task.feed.js';
import type { NoteBus } from './note-bus.js';

/** How many are told at a time, and how long until the next are. */
const AT_ONCE = 25;
const STEP_MS = 100;
/** Between two rounds while notes may be lost, from the end of one. */
const REST_MS = 2_000;

/**
 * Tells all who listen for tasks to look, some at a time: once when they may have missed a note, again and again while
 * notes may be lost.
 */
export class NudgeRounds {
  private timer: NodeJS.Timeout | undefined;
  private told = 0;
  private isResting = false;
  private isClosed = false;

  constructor(
    private readonly local: Pick<InProcessTaskFeed, 'nudge' | 'topicCount'>,
    private readonly bus: Pick<NoteBus, 'isSure'>,
  ) {}

  /** A round from the beginning, unless one has begun that has told nobody yet. */
  begin(): void {
    if (this.timer !== undefined && this.told === 0 && !this.isResting) return;
    this.told = 0;
    this.isResting = false;
    this.stepIn(STEP_MS);
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private stepIn(delayMs: number): void {
    if (this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.step();
    }, delayMs).unref();
  }

  private step(): void {
    this.timer = undefined;
    this.isResting = false;
    this.local.nudge(this.told, this.told + AT_ONCE);
    this.told += AT_ONCE;
    if (this.told < this.local.topicCount) {
      this.stepIn(STEP_MS);
      return;
    }
    this.told = 0;
    if (this.bus.isSure || this.local.topicCount === 0) return;
    this.isResting = true;
    this.stepIn(REST_MS);
  }
}
