/**
 * What follows from an attempt: another one later, the end, a pause of the whole address.
 *
 * Decided here: how long a delivery is tried, and when an address is left alone. Decided elsewhere: what an attempt is
 * (delivery.executor.ts). Pure: chance is given.
 */
import { MAX_KEPT_ATTEMPTS, type Attempt, type Delivery } from './delivery.js';
import { CLOSED, type Breaker } from './webhook.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** From one attempt to the next; about a day in all. */
export const RETRY_DELAYS_MS: readonly number[] = [
  ...[5_000, 30_000, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE],
  ...[HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 10 * HOUR],
];
/** Each delay is up to this part longer or shorter, so that not everything comes back at once. */
const JITTER = 0.2;

/** Failures one after the other that open the breaker. */
export const BREAKER_FAILURES = 10;
const FIRST_PAUSE_MS = MINUTE;
const MAX_PAUSE_MS = HOUR;
/** What a receiver may ask us to wait. */
const MAX_ASKED_MS = 24 * HOUR;

/** How an attempt went. */
export interface AttemptEnd extends Attempt {
  /** What the receiver asks us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** No repetition can help: the address is gone, or the event is. */
  readonly isFinal?: boolean;
}

/** What becomes of a delivery and of its webhook. */
export interface Settlement {
  readonly delivery: Delivery;
  readonly breaker: Breaker;
}

/**
 * The delivery and the breaker after an attempt.
 *
 * @param random 0 to 1
 */
export function settle(
  { delivery, breaker }: Settlement,
  end: AttemptEnd,
  { now, random }: { readonly now: number; readonly random: number },
): Settlement {
  const { retryAfterMs = 0, isFinal = false, ...attempt } = end;
  const attempts = [...delivery.attempts, attempt].slice(-MAX_KEPT_ATTEMPTS);
  const { nextAt: _, ...rest } = { ...delivery, attempts, tries: delivery.tries + 1 };
  if (end.error === undefined)
    return { delivery: { ...rest, status: 'delivered', settledAt: now }, breaker: CLOSED };
  const failed = afterFailure(breaker, end.error, now);
  const delay = RETRY_DELAYS_MS[rest.tries - 1];
  if (isFinal || delay === undefined)
    return { delivery: { ...rest, status: 'failed', settledAt: now }, breaker: failed };
  const spread = delay * (1 + JITTER * (2 * random - 1));
  const nextAt = now + Math.round(Math.max(spread, Math.min(retryAfterMs, MAX_ASKED_MS)));
  return { delivery: { ...rest, nextAt }, breaker: failed };
}

/** Opens after ten failures in a row, for ever longer while they go on. */
function afterFailure({ failures }: Breaker, reason: string, now: number): Breaker {
  const count = failures + 1;
  if (count < BREAKER_FAILURES) return { failures: count, reason };
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(count - BREAKER_FAILURES, 20), MAX_PAUSE_MS);
  return { failures: count, reason, openUntil: now + pauseMs };
}
