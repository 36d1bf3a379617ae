/**
 * The one source of time. Wall time is frozen at start and carried on by the monotonic clock, so a step of the
 * system clock neither fires a timer early nor steals a lease.
 */
export abstract class Clock {
  /** Now, in milliseconds since the epoch. Never runs backwards within a process. */
  abstract now(): number;

  /** Milliseconds of monotonic time since an arbitrary instant; for durations and the owner's own deadline. */
  abstract monotonic(): number;

  /** What the clock on the wall shows, in milliseconds since the epoch; it may be set. For calendars, not for leases. */
  wall(): number {
    return this.now();
  }
}

/** Wall clock at start plus monotonic time elapsed since. */
export class SystemClock extends Clock {
  private readonly origin = Date.now() - performance.now();

  override now(): number {
    return Math.floor(this.origin + performance.now());
  }

  override monotonic(): number {
    return performance.now();
  }

  /** The system's own: it goes on while the machine sleeps, which monotonic time does not. */
  override wall(): number {
    return Date.now();
  }
}
