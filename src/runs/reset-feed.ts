import { AppError } from '../kernel/failure.js';
import { runErrors } from './domain/run.errors.js';
import type { Reset } from './retention.store.js';
import type { FeedItem } from './run.feed.js';

/** What a client is told of a run that it follows. */
export type FollowedItem = FeedItem | { readonly kind: 'reset'; readonly reset: Reset };

/**
 * Items of a feed; where that finds no run, a reset instead, and then the end.
 *
 * @param findReset what is known of a run that was deleted
 */
export function withReset(
  feed: AsyncIterable<FeedItem>,
  findReset: () => Promise<Reset | undefined>,
): AsyncIterable<FollowedItem> {
  return { [Symbol.asyncIterator]: () => new ResettingIterator(feed[Symbol.asyncIterator](), findReset) };
}

/** No generator: the `return` of one waits for a `next` that is under way. */
class ResettingIterator implements AsyncIterator<FollowedItem, undefined, undefined> {
  private isOver = false;

  constructor(
    private readonly items: AsyncIterator<FeedItem>,
    private readonly findReset: () => Promise<Reset | undefined>,
  ) {}

  async next(): Promise<IteratorResult<FollowedItem, undefined>> {
    if (this.isOver) return { done: true, value: undefined };
    try {
      const next = await this.items.next();
      return next.done === true ? { done: true, value: undefined } : next;
    } catch (error) {
      const reset = isNotFound(error) ? await this.findReset() : undefined;
      if (reset === undefined) throw error;
      this.isOver = true;
      return { done: false, value: { kind: 'reset', reset } };
    }
  }

  async return(): Promise<IteratorResult<FollowedItem, undefined>> {
    this.isOver = true;
    await this.items.return?.();
    return { done: true, value: undefined };
  }
}

function isNotFound(error: unknown): boolean {
  return AppError.is(error) && error.failure.code === runErrors['run.not-found'].code;
}
