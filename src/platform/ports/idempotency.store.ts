/**
 * One answer per idempotency key and body, kept for 24 hours.
 *
 * Decided here: what a repeated key means. Decided elsewhere: which routes take a key (platform/http) and what a
 * start writes in its own transaction (runs/run.store.ts, `also`).
 */
import type { Json } from '../../kernel/json.js';

/** What identifies one request: the key is unique per namespace and operation. */
export interface IdempotencyKey {
  readonly namespace: string;
  /** The operation, `POST /api/v1/runs`. */
  readonly operation: string;
  /** What the caller sent as `Idempotency-Key`, 1 to 255 visible characters. */
  readonly key: string;
}

export interface IdempotencyAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string };
  readonly body: Json;
}

/** The row that a start writes in the transaction of its run. */
export interface IdempotencyRow extends IdempotencyKey {
  /** SHA-256 of the canonical body, hexadecimal. */
  readonly bodyHash: string;
  readonly createdAt: number;
  /** The row counts from `createdAt` until just before this instant. */
  readonly expiresAt: number;
  /** The run that the key started; its first answer is read from the run's own log. */
  readonly runId?: string;
  readonly answer?: IdempotencyAnswer;
}

export type IdempotencyBegin =
  /** Nobody used the key: the caller goes on and must `complete` or `abandon`. */
  | { readonly state: 'fresh' }
  /** Same key, other body. */
  | { readonly state: 'mismatch' }
  /** Same key and body, the first request has neither answered nor started a run yet. */
  | { readonly state: 'in_progress' }
  | { readonly state: 'answered'; readonly row: IdempotencyRow };

export abstract class IdempotencyStore {
  /** Takes the key, atomically. A row that has expired at the new one's `createdAt` counts as absent and is replaced. */
  abstract begin(row: IdempotencyRow): Promise<IdempotencyBegin>;

  /** Stores the answer of a key that `begin` gave to this caller. Does nothing when the row is gone or answered. */
  abstract complete(key: IdempotencyKey, answer: IdempotencyAnswer): Promise<void>;

  /** Gives a key back whose request was refused before it changed anything. A row with an answer or a run stays. */
  abstract abandon(key: IdempotencyKey): Promise<void>;

  /** The row of a key, answered or not; undefined when absent or expired at `now`. */
  abstract find(key: IdempotencyKey, now: number): Promise<IdempotencyRow | undefined>;

  /** Deletes at most `limit` rows expired at `now`; answers how many. */
  abstract sweep(now: number, limit: number): Promise<number>;
}
