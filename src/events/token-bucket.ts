/** How often something may happen: `perSecond` on average, `burst` at once after a silence. */
export interface Pace {
  readonly perSecond: number;
  readonly burst: number;
}

/** Counts what may happen now. Time is given, in milliseconds of a clock that never runs backwards. */
export class TokenBucket {
  private tokens: number;

  constructor(
    private readonly pace: Pace,
    private filledAt: number,
  ) {
    this.tokens = pace.burst;
  }

  /** Takes one; false when there is none, which costs nothing. */
  take(now: number): boolean {
    this.fill(now);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  /** Milliseconds until the next `take` succeeds. */
  waitMs(now: number): number {
    this.fill(now);
    return this.tokens >= 1 ? 0 : Math.ceil(((1 - this.tokens) / this.pace.perSecond) * 1000);
  }

  private fill(now: number): void {
    const gained = ((now - this.filledAt) / 1000) * this.pace.perSecond;
    this.tokens = Math.min(this.pace.burst, this.tokens + gained);
    this.filledAt = now;
  }
}
