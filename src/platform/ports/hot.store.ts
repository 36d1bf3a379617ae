/**
 * Cache with a time to live and invalidation across processes. Losing it loses nothing: every value can be rebuilt.
 *
 * Decided here: keys carry the namespace, values are JSON-like and must not be changed by who reads them. What is too
 * large may not be kept. Nothing throws or waits because the cache is away: then there is nothing in it.
 */
export interface HotKey {
  readonly namespace: string;
  /** What is cached: `run-view`, `template`, … */
  readonly area: string;
  readonly id: string;
}

export abstract class HotStore {
  /** Whether what one process sets is read by others, which is more than an object in the memory of this one is. */
  abstract readonly isShared: boolean;

  /**
   * The cached value, or undefined when there is none or its time is over. Another process may have set a newer one a
   * moment ago.
   */
  abstract get<T>(key: HotKey): Promise<T | undefined>;

  /**
   * The cached value, or what `load` gives, which is kept for `ttlMs` milliseconds; undefined is not kept.
   *
   * What was loaded before the key was invalidated, on whatever process, is not found after it: where both happen at the
   * same time the value is the answer, and is not kept.
   *
   * @throws what `load` throws
   */
  abstract fill<T>(key: HotKey, ttlMs: number, load: () => Promise<T | undefined>): Promise<T | undefined>;

  /** Keeps a value for `ttlMs` milliseconds; an older value under the same key is replaced. */
  abstract set(key: HotKey, value: unknown, ttlMs: number): Promise<void>;

  /**
   * Removes a value on every process: on this one no later `get` can see it when this resolves, on others within the
   * time that a note takes. Where this process can not reach a shared cache, others go on with the old value at most
   * until it can again, or until the time of the value is over; what can not hear notes serves nothing for longer than
   * a second.
   */
  abstract invalidate(key: HotKey): Promise<void>;
}
