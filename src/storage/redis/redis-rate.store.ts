/**
 * Rates of all processes together, counted in Redis.
 *
 * Decided here: when a request waits for the count of all, which is one round trip. It does where the limit is small, where
 * the last count is more than 50 ms old, and where this process has let through a 64th of what was left since. Otherwise
 * it is let through at once, and counted with others a moment later. So a limit is exceeded by at most a 64th of it for
 * each process, where all are busy with the same caller. Who is past the limit is told so without asking.
 *
 * While Redis is away each process goes on from what it knew, and lets the rest of the limit through by itself. What it
 * let through then is not counted by others; a Redis that was emptied begins again for those who are not past the limit.
 */
import type { Redis } from 'ioredis';

import { BoundedMap } from '../../kernel/bounded-map.js';
import type { Clock } from '../../platform/clock/clock.js';
import { RateStore, type RateCount, type RateLimit } from '../../platform/ports/rate.store.js';
import type { RedisConnections } from './redis-connections.js';
import type { RedisReach } from './redis-reach.js';

/** Callers remembered at once in this process. */
const MAX_WINDOWS = 20_000;

/** For how long the count of all is believed. */
const BELIEVED_MS = 50;

/** How long requests that wait for nobody are gathered. */
const GATHERED_MS = 20;

/** Of smaller limits each request waits for the count of all. */
const SMALL_LIMIT = 200;

/** The part of what is left that is let through without waiting, at most. */
const UNCOUNTED = 1 / 64;

/**
 * Adds requests to a window, which begins with the first.
 *
 * KEYS: 1 window. ARGV: 1 how many, 2 length of a window in milliseconds. Returns { how many there are, milliseconds
 * left }.
 */
const COUNT = `
local hits = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  left = tonumber(ARGV[2])
  redis.call('PEXPIRE', KEYS[1], left)
end
return { hits, left }`;

type RateRedis = Redis & {
  countRate(key: string, hits: number, windowMs: number): Promise<readonly [hits: number, leftMs: number]>;
};

/** Requests that are sent together. */
interface Batch {
  size: number;
  isSent: boolean;
  /** How many there were before them; undefined when Redis gave no answer. */
  readonly before: PromiseWithResolvers<number | undefined>;
}

interface Window {
  readonly key: string;
  /** Requests of all processes, as of the last answer. */
  counted: number;
  /** Requests of this process that are not counted in it. */
  uncounted: number;
  countedAt: number;
  endsAt: number;
  batch: Batch | undefined;
}

export class RedisRateStore extends RateStore {
  private readonly windows = new BoundedMap<Window>({ entries: MAX_WINDOWS, weight: Infinity });
  private readonly redis: RateRedis;

  constructor(
    private readonly connections: RedisConnections,
    private readonly reach: RedisReach,
    private readonly clock: Clock,
  ) {
    super();
    connections.commands.defineCommand('countRate', { lua: COUNT, numberOfKeys: 1 });
    this.redis = connections.commands as RateRedis;
  }

  override async take(key: string, limit: RateLimit): Promise<RateCount> {
    const now = this.clock.monotonic();
    const window = this.windowOf(key, now, limit.windowMs);
    if (window.counted >= limit.hits) return countOf(window, window.counted + 1, limit, now);
    const batch = this.batchOf(window);
    batch.size += 1;
    window.uncounted += 1;
    const place = batch.size;
    const hits = window.counted + window.uncounted;
    if (!mustWait(window, limit, now)) {
      this.sendLater(window, batch, limit.windowMs);
      return countOf(window, hits, limit, now);
    }
    this.send(window, batch, limit.windowMs);
    const before = await batch.before.promise;
    return countOf(window, before === undefined ? hits : before + place, limit, this.clock.monotonic());
  }

  private windowOf(key: string, now: number, windowMs: number): Window {
    const known = this.windows.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    const window: Window = {
      key,
      ...{ counted: 0, uncounted: 0, countedAt: -Infinity },
      endsAt: now + windowMs,
      batch: undefined,
    };
    this.windows.set(key, window, 1);
    return window;
  }

  private batchOf(window: Window): Batch {
    window.batch ??= { size: 0, isSent: false, before: Promise.withResolvers() };
    return window.batch;
  }

  private sendLater(window: Window, batch: Batch, windowMs: number): void {
    if (batch.size > 1) return;
    setTimeout(() => {
      this.send(window, batch, windowMs);
    }, GATHERED_MS).unref();
  }

  /** What comes in the same tick goes along. */
  private send(window: Window, batch: Batch, windowMs: number): void {
    if (batch.isSent) return;
    batch.isSent = true;
    queueMicrotask(() => void this.count(window, batch, windowMs));
  }

  private async count(window: Window, batch: Batch, windowMs: number): Promise<void> {
    window.batch = undefined;
    const { size } = batch;
    const askedAt = this.clock.monotonic();
    const key = this.connections.key('rate', `{${window.key}}`);
    const answer = await this.reach.ask(() => this.redis.countRate(key, size, windowMs));
    window.uncounted -= size;
    if (answer === undefined) {
      window.counted += size;
      batch.before.resolve(undefined);
      return;
    }
    const [hits, leftMs] = answer;
    window.counted = Math.max(window.counted, hits);
    window.countedAt = askedAt;
    window.endsAt = askedAt + leftMs;
    batch.before.resolve(hits - size);
  }
}

function mustWait({ counted, uncounted, countedAt }: Window, limit: RateLimit, now: number): boolean {
  if (limit.hits < SMALL_LIMIT || now - countedAt > BELIEVED_MS) return true;
  return uncounted > UNCOUNTED * (limit.hits - counted);
}

function countOf(window: Window, hits: number, limit: RateLimit, now: number): RateCount {
  return { hits, isOver: hits > limit.hits, endsInMs: Math.max(0, window.endsAt - now) };
}
