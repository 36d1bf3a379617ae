/** One worker that asks for tasks: how many, how long, and the answer that it waits for. */
import type { Task } from './domain/task.js';

/** A task with the token that opens it. */
export interface HandedTask {
  readonly task: Task;
  readonly token: string;
}

export interface PollOrder {
  readonly namespace: string;
  readonly agentKey: string;
  /** Tasks that the worker takes at once, at least 1. */
  readonly max: number;
  /** How long to wait for the first task, in milliseconds; 0 looks once. */
  readonly waitMs: number;
  /** Aborted when the worker is gone. */
  readonly signal: AbortSignal;
}

export class TaskPoller {
  readonly answer: Promise<readonly HandedTask[]>;
  /** False: it leaves after the next look. */
  isPatient: boolean;
  private readonly settle: PromiseWithResolvers<readonly HandedTask[]>;
  private isAnswered = false;

  constructor(readonly order: PollOrder) {
    this.isPatient = order.waitMs > 0;
    this.settle = Promise.withResolvers();
    this.answer = this.settle.promise;
  }

  /** False once it was answered or its worker is gone: a task given to it would be lost for a while. */
  get isWaiting(): boolean {
    return !this.isAnswered && !this.order.signal.aborted;
  }

  /** Answers once; a second answer changes nothing. */
  give(tasks: readonly HandedTask[]): void {
    this.isAnswered = true;
    this.settle.resolve(tasks);
  }

  refuse(error: unknown): void {
    this.isAnswered = true;
    this.settle.reject(error instanceof Error ? error : new Error(String(error)));
  }
}
