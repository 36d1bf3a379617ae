/** How often callers have come lately, counted over all processes that share the store. */
export interface RateCount {
  /** Requests of the caller in this window, this one included, as far as they are counted: none need be past the limit. */
  readonly hits: number;
  /** This one is past the limit. */
  readonly isOver: boolean;
  /** Until the window ends, in milliseconds. */
  readonly endsInMs: number;
}

/** A limit: at most `hits` requests in `windowMs` milliseconds. */
export interface RateLimit {
  readonly hits: number;
  readonly windowMs: number;
}

/**
 * Counts requests in windows that begin with the first request of a caller. Constant work and memory per request,
 * whatever the limit; of very many callers those whose window is oldest may be forgotten.
 */
export abstract class RateStore {
  /**
   * Counts one request. Several processes may let a few more through than the limit together, as the adapter says.
   * Never refuses, throws or waits because what is shared is away: then each process counts alone.
   *
   * @param key the caller, and what is limited
   */
  abstract take(key: string, limit: RateLimit): Promise<RateCount>;
}
