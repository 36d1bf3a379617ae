/**
 * A delivery: one event for one webhook, and every attempt to bring it there.
 *
 * Its id is sent as `webhook-id`, the same each time, so a receiver can tell a repetition. The event itself stays in
 * the log and is read when it is sent.
 */

/** `pending`: it is tried, or waits for its turn. `failed`: it is not tried any more. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed';

export const DELIVERY_STATUSES = [
  'pending',
  'delivered',
  'failed',
] as const satisfies readonly DeliveryStatus[];

/** One attempt and its end. */
export interface Attempt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly durationMs: number;
  /** The status of the answer, where there was one. */
  readonly status?: number;
  /** Why it failed; absent when it did not. */
  readonly error?: string;
}

export interface Delivery {
  readonly id: string;
  readonly webhookId: string;
  readonly namespace: string;
  readonly runId: string;
  /** The number of its event in the log of the run. */
  readonly seq: number;
  readonly type: string;
  readonly status: DeliveryStatus;
  /** Attempts since it was made or asked for again. */
  readonly tries: number;
  /** When it is tried next; absent while one of the same run is before it, and when it is settled. */
  readonly nextAt?: number;
  /** The last ones, oldest first. */
  readonly attempts: readonly Attempt[];
  readonly createdAt: number;
  readonly settledAt?: number;
}

/** Attempts that are kept of a delivery. */
export const MAX_KEPT_ATTEMPTS = 20;
