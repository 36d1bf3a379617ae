import { TimerService, type Timer } from '../../src/runs/engine/timer.service.js';
import type { ManualClock } from './manual-clock.js';

/** The engine's timers on a clock that stands still: they fire when a test moves it on, each at its time. */
export class SteppedTimers extends TimerService {
  private readonly waiting = new Set<{ readonly at: number; readonly callback: () => void }>();

  constructor(private readonly manual: ManualClock) {
    super(manual);
  }

  /** How many timers wait. */
  get size(): number {
    return this.waiting.size;
  }

  override at(at: number, callback: () => void): Timer {
    const entry = { at, callback };
    this.waiting.add(entry);
    return { cancel: () => void this.waiting.delete(entry) };
  }

  /** Moves the clock to the next timer within `ms` from now, and fires it; false when there is none. */
  fireNextWithin(end: number): boolean {
    const [next] = [...this.waiting].toSorted((a, b) => a.at - b.at);
    if (next === undefined || next.at > end) return false;
    this.waiting.delete(next);
    this.manual.advance(Math.max(0, next.at - this.manual.now()));
    next.callback();
    return true;
  }
}
