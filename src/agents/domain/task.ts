/**
 * Task: work of one attempt that a process outside carries out.
 *
 * Decided here: what a task is and when two answers are the same. Decided elsewhere: who gets it when (task.store.ts),
 * what a token opens (task.service.ts).
 */
import type { Failure } from '../../kernel/failure.js';
import { canonicalJson, type Json } from '../../kernel/json.js';

/** `queued` and `leased` are open; the others are final. */
export type TaskStatus = 'queued' | 'leased' | 'completed' | 'failed' | 'cancelled';

/** How a task ended. */
export type TaskOutcome =
  | { readonly status: 'completed'; readonly output: Json }
  | { readonly status: 'failed'; readonly failure: Failure };

/** A task as it is asked for; never changed. */
export interface NewTask {
  readonly id: string;
  readonly namespace: string;
  readonly agentKey: string;
  /**
   * Equal for attempts that go on with the same work: those of one stable key between which none failed. At most one
   * task of a lineage is there that was not cancelled.
   */
  readonly lineage: string;
  readonly input: Json;
  /** The stable key of the work, the same in every attempt. */
  readonly idempotencyKey: string;
  /** The attempt that asked for it first. */
  readonly attempt: number;
  /** Absent when the agent was called outside a run. */
  readonly runId?: string;
  readonly stepId?: string;
  /** How long a lease holds without a heartbeat, in milliseconds. */
  readonly heartbeatTimeoutMs: number;
  /** How often it is handed out at most. */
  readonly maxDeliveries: number;
  readonly createdAt: number;
}

/** A task and how far it has come. */
export interface Task extends NewTask {
  readonly status: TaskStatus;
  /** How often it was handed out. */
  readonly deliveries: number;
  /** The hash of the token of the last lease; gone once that lease has run out. */
  readonly tokenHash?: string;
  /** When the lease runs out, in milliseconds since the epoch. */
  readonly leaseUntil?: number;
  readonly outcome?: TaskOutcome;
  readonly endedAt?: number;
}

/** True while the task may still be done by a worker. */
export function isOpenTask({ status }: Task): boolean {
  return status === 'queued' || status === 'leased';
}

/** True when both say the same; the order of keys does not matter. */
export function isSameOutcome(a: TaskOutcome, b: TaskOutcome): boolean {
  return canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json);
}
