/**
 * The one source of time. Wall time is frozen at start and carried on by the monotonic clock, so a step of the
 * system clock neither fires a timer early nor steals a lease.
 */
export abstract class Clock {
  /** Now, in milliseconds since the epoch. Never runs backwards within a process, once it has started. */
  abstract now(): number;

  /** Milliseconds of monotonic time since an arbitrary instant; for durations and the owner's own deadline. */
  abstract monotonic(): number;

  /** What the clock on the wall shows, in milliseconds since the epoch; it may be set. For calendars, not for leases. */
  wall(): number {
    return this.now();
  }

  /**
   * The record has said what its clock shows. Followed where several processes share a record.
   *
   * @param recordNow milliseconds since the epoch, whole
   * @param sentAt monotonic time at which it was asked; it is heard now
   */
  follow(_recordNow: number, _sentAt: number): void {
    // The record has no clock of its own.
  }

  /** By how much the clock of the machine is ahead of the record's for certain, in milliseconds; 0 where there is one clock. */
  wallOffMs(): number {
    return 0;
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
