import type { ThrottlerStorage } from '@nestjs/throttler';

import type { Clock } from '../clock/clock.js';

/** Callers remembered at once; beyond it those whose window began first are forgotten. */
const MAX_WINDOWS = 20_000;

interface Window {
  hits: number;
  readonly endsAt: number;
}

/**
 * Counts requests in windows that begin with the first request of a caller. Constant work and memory per request,
 * whatever the limit.
 */
export class RateWindows implements ThrottlerStorage {
  private readonly windows = new Map<string, Window>();

  constructor(private readonly clock: Clock) {}

  increment(key: string, ttl: number, limit: number): ReturnType<ThrottlerStorage['increment']> {
    const now = this.clock.monotonic();
    const window = this.windowOf(key, now, ttl);
    window.hits += 1;
    const seconds = Math.max(1, Math.ceil((window.endsAt - now) / 1000));
    const isBlocked = window.hits > limit;
    return Promise.resolve({
      totalHits: window.hits,
      timeToExpire: seconds,
      isBlocked,
      timeToBlockExpire: isBlocked ? seconds : 0,
    });
  }

  private windowOf(key: string, now: number, ttl: number): Window {
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const window = { hits: 0, endsAt: now + ttl };
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
