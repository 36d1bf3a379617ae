/**
 * Cache with a time to live and invalidation across processes. Losing it loses nothing: every value can be rebuilt.
 *
 * Decided here: keys carry the namespace, values are JSON-like and must not be changed by who reads them.
 */
export interface HotKey {
  readonly namespace: string;
  /** What is cached: `run-view`, `template`, … */
  readonly area: string;
  readonly id: string;
}

export abstract class HotStore {
  /** The cached value, or undefined when there is none or its time is over. */
  abstract get<T>(key: HotKey): Promise<T | undefined>;

  /** Keeps a value for `ttlMs` milliseconds; an older value under the same key is replaced. */
  abstract set(key: HotKey, value: unknown, ttlMs: number): Promise<void>;

  /** Removes a value on every process. Resolves when no later `get` of this process can see it. */
  abstract invalidate(key: HotKey): Promise<void>;
}
