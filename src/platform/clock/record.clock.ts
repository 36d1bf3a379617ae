import { Clock } from './clock.js';

/** How much slower than time it goes while it is ahead of the record. */
const SLOWED_BY = 0.5;

/** The record's times are whole milliseconds, rounded down. */
const ROUNDED_MS = 1;

/**
 * Follows the clock of a record that several processes share, so that all of them mean the same by "now", whatever the
 * clocks of their machines show.
 *
 * The first time that it hears the record, at the start, it is set. From then on it never runs backwards: where it is
 * behind it jumps, where it is ahead it goes at half the speed until the record has caught up. Between two hearings it
 * goes on with monotonic time. What the record said lies between sending and hearing, and as long as it agrees with
 * that nothing is corrected (Cristian, "Probabilistic clock synchronization", 1989).
 */
export class RecordClock extends Clock {
  /** The instant of monotonic time 0. */
  private origin: number;
  /** What `origin` comes down to, from `slowedFrom` on. */
  private target: number;
  private slowedFrom = 0;
  private hasHeard = false;
  private offMs = 0;

  /** @param system the machine's own clocks, in milliseconds; a test gives others */
  constructor(
    private readonly system: { readonly wall: () => number; readonly monotonic: () => number } = SYSTEM,
  ) {
    super();
    this.origin = system.wall() - system.monotonic();
    this.target = this.origin;
  }

  override now(): number {
    return Math.floor(this.originNow() + this.system.monotonic());
  }

  override monotonic(): number {
    return this.system.monotonic();
  }

  override follow(recordNow: number, sentAt: number): void {
    const heardAt = this.system.monotonic();
    const earliest = recordNow - heardAt;
    const latest = recordNow + ROUNDED_MS - sentAt;
    this.offMs = distance(this.system.wall() - heardAt, earliest, latest);
    const origin = this.originNow();
    if (this.hasHeard && origin > latest) this.slowDown(origin, latest);
    else this.setTo(Math.min(Math.max(origin, earliest), latest));
    this.hasHeard = true;
  }

  override wallOffMs(): number {
    return this.offMs;
  }

  private originNow(): number {
    const slowed = this.origin - (this.system.monotonic() - this.slowedFrom) * SLOWED_BY;
    return Math.max(this.target, slowed);
  }

  private setTo(origin: number): void {
    this.origin = origin;
    this.target = origin;
  }

  private slowDown(origin: number, target: number): void {
    this.origin = origin;
    this.target = target;
    this.slowedFrom = this.system.monotonic();
  }
}

const SYSTEM = { wall: () => Date.now(), monotonic: () => performance.now() };

/** How far a value is from a span: positive beyond it, negative before it. */
function distance(value: number, from: number, to: number): number {
  if (value > to) return value - to;
  return value < from ? value - from : 0;
}
