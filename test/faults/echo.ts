/**
 * What no queue promises not to do (F7): every message between processes arrives again, late and out of order. Hints
 * are jobs of the queue under the id of their run, so that the one of the service is late where it finds a delayed one
 * in its place; notes are published once more after others.
 */
import { randomUUID } from 'node:crypto';

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

import { hintJob, HINT_QUEUE } from '../../src/storage/redis/hint-job.js';
import type { SeededRandom } from '../simulation/seeded-random.js';

/** What a service without settings of its own puts before its keys. */
const PREFIX = 'ensemble';

/** Hints of a run come over this time from its start on, each of them late by up to the second figure. */
const HINTS_OVER_MS = 8_000;
const LATE_MS = 2_000;

/** Of so many hints one is for a run that there is not. */
const UNKNOWN_OF = 10;

export class Echo {
  /** Hints sent beside those of the service. */
  hints = 0;
  /** Notes published once more. */
  notes = 0;
  private readonly publisher: Redis;
  private readonly listener: Redis;
  private readonly queue: Queue;
  private readonly timers = new Set<NodeJS.Timeout>();
  /** How many copies of a message are on their way, so that no copy is copied. */
  private readonly copies = new Map<string, number>();

  private constructor(
    redisUrl: string,
    private readonly random: SeededRandom,
  ) {
    this.publisher = new Redis(redisUrl, { maxRetriesPerRequest: null });
    this.listener = this.publisher.duplicate();
    this.queue = new Queue(HINT_QUEUE, {
      connection: this.publisher,
      prefix: PREFIX,
      skipVersionCheck: true,
    });
    this.listener.on('pmessage', (_pattern: string, channel: string, text: string) => {
      this.repeat(channel, text);
    });
  }

  /** Hears every note from now on. */
  static async start(redisUrl: string, random: SeededRandom): Promise<Echo> {
    const echo = new Echo(redisUrl, random);
    await echo.listener.psubscribe(`${PREFIX}:notes*`);
    return echo;
  }

  /** Hints at a run two or three times more. */
  hintAt(runId: string): void {
    const times = 2 + this.random.below(2);
    for (let n = 0; n < times; n += 1) {
      const id = this.random.below(UNKNOWN_OF) === 0 ? randomUUID() : runId;
      this.after(this.random.below(HINTS_OVER_MS), () => this.hint(id));
    }
  }

  /** Sends nothing more. */
  async stop(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.listener.disconnect();
    await this.queue.close();
    this.publisher.disconnect();
  }

  private async hint(runId: string): Promise<void> {
    const { name, data, opts } = hintJob({ runId, priority: this.random.below(101) });
    this.hints += 1;
    await this.queue.add(name, data, { ...opts, delay: this.random.below(LATE_MS) });
  }

  private repeat(channel: string, text: string): void {
    const message = `${channel} ${text}`;
    const copies = this.copies.get(message) ?? 0;
    if (copies > 1) this.copies.set(message, copies - 1);
    else this.copies.delete(message);
    if (copies > 0) return;
    const times = 1 + this.random.below(2);
    for (let n = 0; n < times; n += 1) {
      this.after(this.random.below(LATE_MS), async () => {
        this.notes += 1;
        this.copies.set(message, (this.copies.get(message) ?? 0) + 1);
        await this.publisher.publish(channel, text);
      });
    }
  }

  private after(ms: number, act: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      void act();
    }, ms);
    this.timers.add(timer);
  }
}
