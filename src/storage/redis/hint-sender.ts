import { Queue } from 'bullmq';

import type { RunHint } from '../../runs/run.queue.js';
import { hintJob, HINT_QUEUE } from './hint-job.js';
import type { RedisConnections } from './redis-connections.js';

/** Beyond this many that wait to be sent a hint is dropped: the sweeper finds the run all the same. */
const MAX_WAITING = 10_000;

/** Hints sent in one round trip. */
const BATCH = 500;

/** How many events of the queue Redis keeps: nobody reads them. */
const KEPT_EVENTS = 0;

/** Sends hints: those of one turn of the event loop together, one round trip at a time. */
export class HintSender {
  private readonly waiting = new Map<string, RunHint>();
  private readonly queue: Queue;
  private sending: Promise<void> | undefined;

  /** @param onLost hints were dropped */
  constructor(
    private readonly redis: RedisConnections,
    private readonly onLost: () => void,
  ) {
    this.queue = new Queue(HINT_QUEUE, {
      connection: redis.commands,
      prefix: redis.keyPrefix,
      skipVersionCheck: true,
      streams: { events: { maxLen: KEPT_EVENTS } },
    });
    this.queue.on('error', () => undefined); // the connection tells of its outages itself
  }

  send(hint: RunHint): void {
    const known = this.waiting.get(hint.runId);
    if (known === undefined && this.waiting.size >= MAX_WAITING) return;
    if (known === undefined || known.priority < hint.priority) this.waiting.set(hint.runId, hint);
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined;
    });
  }

  /** Removes all hints that wait in Redis. */
  async forgetWaiting(): Promise<void> {
    if (this.redis.commands.status === 'ready') await this.queue.drain().catch(() => undefined);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.sending;
  }

  private async sendAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)); // what comes in the same turn goes together
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, BATCH);
      for (const { runId } of batch) this.waiting.delete(runId);
      if (!(await this.sendBatch(batch))) {
        this.waiting.clear();
        this.onLost();
      }
    }
  }

  /** False when Redis is away or did not answer: what was sent is lost, or not. */
  private async sendBatch(batch: readonly RunHint[]): Promise<boolean> {
    if (this.redis.commands.status !== 'ready') return false;
    try {
      await this.queue.addBulk(batch.map(hintJob));
      return true;
    } catch {
      return false;
    }
  }
}
