import { Worker } from 'node:worker_threads';

import { Injectable, type OnModuleDestroy } from '@nestjs/common';

import { AppError } from '../../kernel/failure.js';
import { httpErrors } from '../http/http.errors.js';
import type { CheckAnswer, CheckJob } from './check-protocol.js';
import { workerEntry } from './worker-entry.js';
import { workerErrors } from './worker.errors.js';

/** A function that a feature offers to the pool: an export of one of its files. Input and output are cloned. */
export interface WorkerTask<I, O> {
  /** Path of the file below `src`, with the suffix `.js`: `workflows/definition.task.js`. */
  readonly module: string;
  /** The name of the export. */
  readonly name: string;
  /** Never called here: carries the types. */
  readonly types?: (input: I) => O;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_WAITING = 1000;
const CLOSING = 'The service is closing';
/**
 * A small young generation keeps the last step beyond the limit small: with the default one, a thread that runs out
 * of memory may take the whole process with it.
 */
const MEMORY_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 8 };

interface Job {
  readonly ask: CheckJob;
  readonly timeoutMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Turn {
  readonly job: Job;
  readonly timer: NodeJS.Timeout;
}

/**
 * One thread for checks that would block the main loop. Started by the first task; one task at a time, in order.
 * A task beyond its time or memory ends with its thread, and the next one gets a fresh thread.
 */
@Injectable()
export class WorkerPool implements OnModuleDestroy {
  private readonly waiting: Job[] = [];
  private thread: Worker | undefined;
  private turn: Turn | undefined;
  private isClosed = false;

  /**
   * Runs a task on the thread.
   *
   * @throws AppError what the task throws as one; `check.limit-exceeded` beyond time or memory; `service.unavailable` when
   * 1,000 wait or the service is closing
   */
  run<I, O>(task: WorkerTask<I, O>, input: I, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<O> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const ask = { module: workerEntry(task.module), task: task.name, input };
    if (this.isClosed) {
      reject(unavailable(CLOSING));
    } else if (this.waiting.length >= MAX_WAITING) {
      reject(unavailable('Too many checks wait already'));
    } else {
      this.waiting.push({ ask, timeoutMs, resolve, reject });
      this.next();
    }
    return promise as Promise<O>;
  }

  async onModuleDestroy(): Promise<void> {
    this.isClosed = true;
    this.fail(unavailable(CLOSING));
    for (const { reject } of this.waiting.splice(0)) reject(unavailable(CLOSING));
    await this.dropThread();
  }

  private next(): void {
    if (this.turn !== undefined) return;
    const job = this.waiting.shift();
    if (job === undefined) {
      this.thread?.unref();
      return;
    }
    const timer = setTimeout(() => {
      this.stop(limitExceeded(`The check took longer than ${job.timeoutMs} ms`));
    }, job.timeoutMs);
    this.turn = { job, timer };
    this.thread ??= this.startThread();
    this.thread.ref();
    this.thread.postMessage(job.ask);
  }

  private startThread(): Worker {
    const thread = new Worker(workerEntry('platform/lifecycle/check.worker.js'), {
      resourceLimits: MEMORY_LIMITS,
    });
    thread.on('message', (answer: CheckAnswer) => {
      if (thread === this.thread) this.take(answer);
    });
    thread.on('error', (error: Error) => {
      const isMemory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      if (thread === this.thread)
        this.stop(isMemory ? limitExceeded('The check took too much memory') : error);
    });
    return thread;
  }

  private take(answer: CheckAnswer): void {
    if ('failure' in answer) this.fail(new AppError(answer.failure));
    else if ('error' in answer) this.fail(new Error(answer.error));
    else this.end()?.resolve(answer.value);
    this.next();
  }

  /** Ends the task under way with its thread. */
  private stop(error: Error): void {
    void this.dropThread();
    this.fail(error);
    this.next();
  }

  private fail(error: Error): void {
    this.end()?.reject(error);
  }

  private end(): Job | undefined {
    const { turn } = this;
    this.turn = undefined;
    clearTimeout(turn?.timer);
    return turn?.job;
  }

  private async dropThread(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.terminate();
  }
}

function limitExceeded(message: string): AppError {
  return AppError.of(workerErrors['check.limit-exceeded'], message);
}

function unavailable(message: string): AppError {
  return AppError.of(httpErrors['service.unavailable'], message);
}
