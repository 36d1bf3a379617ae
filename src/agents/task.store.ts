/**
 * The record of tasks for workers: each is handed out to one worker at a time, under a lease.
 *
 * Decided here: what changes together, and by whose time (the record's). Decided elsewhere: what a token is
 * (task.service.ts), when leases are looked at (task-sweep.ts), who is told (task.feed.ts).
 */
import type { Failure } from '../kernel/failure.js';
import type { NewTask, Task, TaskOutcome } from './domain/task.js';

/** What a poll asks for: at most one task for each hash. */
export interface LeaseOrder {
  readonly namespace: string;
  readonly agentKey: string;
  /** Hashes of fresh tokens. */
  readonly tokenHashes: readonly string[];
}

/** What looking at leases has changed, and when to look again. */
export interface Expiry {
  /** In the queue again: their leases had run out. */
  readonly requeued: readonly Task[];
  /** Failed: their last lease had run out. */
  readonly failed: readonly Task[];
  /** Milliseconds until the next lease runs out; undefined when nothing is leased. */
  readonly nextInMs?: number;
}

export abstract class TaskStore {
  /** Adds a task to the queue. Answers the task of the same lineage instead where one is that was not cancelled. */
  abstract create(task: NewTask): Promise<Task>;

  abstract find(namespace: string, id: string): Promise<Task | undefined>;

  /** Tasks of a run that are open still, at most 1,000. */
  abstract openOf(namespace: string, runId: string): Promise<readonly Task[]>;

  /** The task of a token, ended ones included; undefined once the lease of the token has run out. */
  abstract findByToken(namespace: string, tokenHash: string): Promise<Task | undefined>;

  /**
   * Leases queued tasks of an agent, the oldest first, each under one of the tokens until the record's time plus its
   * heartbeat time-out. Two callers never get the same task.
   */
  abstract lease(order: LeaseOrder): Promise<readonly Task[]>;

  /** Puts leased tasks back into the queue as if they had not been handed out. Does nothing for other tokens. */
  abstract release(namespace: string, tokenHashes: readonly string[]): Promise<void>;

  /** Makes a lease hold for another heartbeat time-out. Undefined when the lease does not hold. */
  abstract extend(namespace: string, tokenHash: string): Promise<Task | undefined>;

  /** Ends a task whose lease holds. False when it does not. */
  abstract end(namespace: string, tokenHash: string, outcome: TaskOutcome): Promise<boolean>;

  /** Cancels an open task; its token stays known. False when it is not open. */
  abstract cancel(namespace: string, id: string): Promise<boolean>;

  /**
   * Takes back what is leased and whose lease has run out, in every namespace: into the queue again, or failed where
   * it was handed out as often as it may be.
   */
  abstract expire(failure: Failure): Promise<Expiry>;

  /** Deletes tasks that ended before a time, at most `limit`; answers how many. */
  abstract purge(endedBefore: number, limit: number): Promise<number>;
}
