/**
 * Questions to Redis that somebody waits for: answered soon, or not at all.
 *
 * Decided here: that a Redis that hangs costs those who ask one short wait together. Who waited in vain cuts it off
 * for all, and a look in the background, never a caller's own question, finds out when it answers again. That is why
 * this is no breaker of the usual kind, which lets a caller try.
 */
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';

/** How long an answer may take. */
const PATIENCE_MS = 100;

/** Between two looks at a Redis that hangs. */
const LOOK_EVERY_MS = 500;

/** What there is instead of an answer that did not come in time. */
export const LATE = Symbol('late');

export class RedisReach implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private isCut = false;
  private look: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Whether it is worth asking. */
  get isOpen(): boolean {
    return !this.isCut && this.redis.status === 'ready';
  }

  /** An answer, or undefined when there is none: Redis is away, hangs, or refuses. Never throws. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (!this.isOpen) return undefined;
    try {
      const answer = await within(question(this.redis), this.patienceMs);
      if (answer !== LATE) return answer;
      this.cut();
    } catch (error) {
      this.logger.debug({ msg: 'Redis did not answer', err: error });
    }
    return undefined;
  }

  onApplicationShutdown(): void {
    clearTimeout(this.look);
  }

  private cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.logger.warn('Redis does not answer in time; it is not asked until it does');
    this.lookLater();
  }

  private lookLater(): void {
    this.look = setTimeout(() => void this.lookAgain(), LOOK_EVERY_MS).unref();
  }

  private async lookAgain(): Promise<void> {
    try {
      this.isCut = (await within(this.redis.ping(), this.patienceMs)) === LATE;
    } catch {
      // A connection that was lost is made again by its owner; until then nothing is asked anyway.
    }
    if (this.isCut) this.lookLater();
    else this.logger.log('Redis answers again');
  }
}

/**
 * What a promise gives in time. What lies in the socket already is in time: after a block of the event loop the clock
 * alone says nothing.
 */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, LATE), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
