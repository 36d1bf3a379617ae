/**
 * Takes hints out of Redis for one taker, one at a time, while it is open.
 *
 * Decided here: a job is acknowledged before the taker sees it, so a hint that is sent from then on arrives again. What
 * is lost in between is found by the sweeper. BullMQ's `Worker` fetches; it is given a connection that queues commands
 * while Redis is away, since it asks again at once whenever a command is refused.
 */
import { Logger } from '@nestjs/common';
import { Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';

import type { HintSubscription, HintTaker } from '../../runs/run.queue.js';
import { hintOf, HINT_QUEUE } from './hint-job.js';
import type { HintSender } from './hint-sender.js';
import type { RedisConnections } from './redis-connections.js';
import { within } from './redis-reach.js';

/** How long one command waits for a hint, in seconds: an idle process sends two commands in that time. */
const WAIT_S = 10;

/** Past this without a word from Redis hints may be lost. BullMQ itself gives a wait up 1 s after its time. */
const SILENCE_MS = (WAIT_S + 2) * 1_000;

/** How often a taker looks for itself while hints may be lost. */
const LOOK_MS = 1_000;

/** How long an acknowledgement may take until the hint is brought without it. */
const ACKNOWLEDGE_MS = 1_000;

/** How long to wait after a fetch that failed. */
const RETRY_MS = 1_000;

/**
 * A hint of this age has waited until somebody was open: most runs of those that wait were found in the record by then.
 * They are forgotten before the taker looks, and it sees what they were about.
 */
const OLD_MS = 2_000;

/** A job whose taker died before it acknowledged is in the way of hints of its run for at most this and the next. */
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 30_000;

/** All jobs are taken under one name: a lock says only that somebody lives. */
const TOKEN = 'taken';

export class HintReceiver implements HintSubscription {
  private readonly logger = new Logger('Hints');
  private isStopped = false;
  /** Resolves when the connections of one that was stopped are closed. */
  readonly closed = Promise.withResolvers<undefined>();
  private awaited = Promise.withResolvers<undefined>();
  private silence: NodeJS.Timeout | undefined;
  private worker: Worker | undefined;
  private connection: Redis | undefined;
  private readonly running: Promise<void>;

  /** @param sender takes hints back that the taker can not take any more */
  constructor(
    private readonly redis: RedisConnections,
    private readonly taker: HintTaker,
    private readonly sender: HintSender,
  ) {
    this.running = this.run();
  }

  resume(): void {
    this.awaited.resolve(undefined);
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    this.resume();
    void this.close();
  }

  /** A job that a fetch under way brings is acknowledged yet: it would be in the way of hints of its run. */
  private async close(): Promise<void> {
    await this.worker?.close(true).catch(() => undefined);
    await Promise.race([this.running, this.pause(ACKNOWLEDGE_MS)]);
    this.connection?.disconnect();
    this.closed.resolve(undefined);
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      try {
        if (this.taker.isOpen()) await this.takeNext();
        else await this.untilResumed();
      } catch (error) {
        this.logger.error({ msg: 'a hint was not taken', err: error });
      }
    }
  }

  private async untilResumed(): Promise<void> {
    await this.awaited.promise;
    this.awaited = Promise.withResolvers();
  }

  private async takeNext(): Promise<void> {
    const job = await this.fetch();
    if (job === undefined) return;
    await this.acknowledge(job);
    const hint = hintOf(job);
    if (this.isStopped || !this.taker.isOpen()) {
      this.sender.send(hint);
      return;
    }
    if (Date.now() - job.timestamp > OLD_MS) await this.sender.forgetWaiting();
    await this.taker.take(hint);
  }

  private async fetch(): Promise<Job | undefined> {
    this.watchSilence(SILENCE_MS);
    try {
      return await Promise.race([this.openWorker().getNextJob(TOKEN), this.closed.promise]);
    } catch {
      await this.pause(RETRY_MS);
      return undefined;
    } finally {
      clearTimeout(this.silence);
    }
  }

  /** Lets the taker look for itself when Redis says nothing for longer than it may, until it does. */
  private watchSilence(ms: number): void {
    this.silence = setTimeout(() => {
      if (this.redis.commands.status === 'ready') this.taker.missed();
      this.watchSilence(LOOK_MS);
    }, ms).unref();
  }

  private async acknowledge(job: Job): Promise<void> {
    const acknowledged = job.moveToCompleted(null, TOKEN, false).catch(() => undefined);
    await within(acknowledged, ACKNOWLEDGE_MS);
  }

  /** Connections are opened by who takes hints, not by who only sends them. */
  private openWorker(): Worker {
    this.worker ??= this.makeWorker();
    return this.worker;
  }

  private makeWorker(): Worker {
    this.connection = this.redis.open('hints', {
      enableOfflineQueue: true,
      autoResendUnfulfilledCommands: true,
    });
    const worker = new Worker(HINT_QUEUE, null, {
      connection: this.connection,
      prefix: this.redis.keyPrefix,
      skipVersionCheck: true,
      autorun: false,
      drainDelay: WAIT_S,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
    });
    worker.on('error', () => undefined); // the connection tells of its outages itself
    void worker.startStalledCheckTimer();
    return worker;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms).unref());
  }
}
