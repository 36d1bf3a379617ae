import type { Clock } from '../../platform/clock/clock.js';
import { RateStore, type RateCount, type RateLimit } from '../../platform/ports/rate.store.js';

/** Callers remembered at once; beyond it those whose window began first are forgotten. */
const MAX_WINDOWS = 20_000;

interface Window {
  hits: number;
  readonly endsAt: number;
}

/** Counts the requests to this process, exactly. */
export class InProcessRateStore extends RateStore {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly clock: Clock) {
    super();
  }

  override take(key: string, limit: RateLimit): Promise<RateCount> {
    const now = this.clock.monotonic();
    const window = this.windowOf(key, now, limit.windowMs);
    window.hits += 1;
    return Promise.resolve({
      hits: window.hits,
      isOver: window.hits > limit.hits,
      endsInMs: window.endsAt - now,
    });
  }

  private windowOf(key: string, now: number, windowMs: number): Window {
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const window = { hits: 0, endsAt: now + windowMs };
    this.windows.delete(key);
    this.windows.set(key, window);
    this.forgetOldest(now);
    return window;
  }

  /** Windows stand in the order in which they began, so those that ended come first. */
  private forgetOldest(now: number): void {
    for (const [key, { endsAt }] of this.windows) {
      if (endsAt > now && this.windows.size <= MAX_WINDOWS) return;
      this.windows.delete(key);
    }
  }
}
