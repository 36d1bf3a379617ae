import { Clock } from '../../src/platform/clock/clock.js';

/** Time that stands still until a test moves it on. */
export class ManualClock extends Clock {
  private elapsedMs = 0;

  /** @param startMs wall time at the start, in milliseconds since the epoch */
  constructor(private readonly startMs = 1_800_000_000_000) {
    super();
  }

  override now(): number {
    return this.startMs + this.elapsedMs;
  }

  override monotonic(): number {
    return this.elapsedMs;
  }

  /** Moves wall time and monotonic time on together. */
  advance(ms: number): void {
    this.elapsedMs += ms;
  }
}
