import {
  BREAKER_FAILURES,
  RETRY_DELAYS_MS,
  settle,
  type AttemptEnd,
  type Settlement,
} from './attempt-plan.js';
import { MAX_KEPT_ATTEMPTS, type Delivery } from './delivery.js';
import { CLOSED } from './webhook.js';

const DAY_MS = 86_400_000;
const FRESH: Delivery = {
  ...{ id: 'dlv_1', webhookId: 'whk_1', namespace: 'default', runId: 'run_1', seq: 1, type: 'run.queued' },
  ...{ status: 'pending', tries: 0, nextAt: 0, attempts: [], createdAt: 0 },
};
const BAD: AttemptEnd = { at: 0, durationMs: 1, status: 500, error: 'the receiver answered 500' };
const GOOD: AttemptEnd = { at: 0, durationMs: 1, status: 204 };

function after(ends: readonly AttemptEnd[], random = 0.5): Settlement {
  return ends.reduce<Settlement>(
    (before, end) => settle(before, end, { now: before.delivery.nextAt ?? 0, random }),
    { delivery: FRESH, breaker: CLOSED },
  );
}

it('ends with an answer of success, whatever was before', () => {
  const { delivery, breaker } = after([BAD, BAD, GOOD]);

  expect(delivery).toMatchObject({ status: 'delivered', tries: 3, settledAt: 35_000 });
  expect(delivery).not.toHaveProperty('nextAt');
  expect(delivery.attempts.map(({ status }) => status)).toEqual([500, 500, 204]);
  expect(breaker).toEqual(CLOSED);
});

it('is tried again, ever later, for about a day, and then not any more', () => {
  const times = RETRY_DELAYS_MS.map((_, count) => after(Array(count + 1).fill(BAD)).delivery.nextAt ?? 0);
  const last = after(Array(RETRY_DELAYS_MS.length + 1).fill(BAD));

  expect(times.map((time, index) => time - (times[index - 1] ?? 0))).toEqual(RETRY_DELAYS_MS);
  expect((times.at(-1) ?? 0) / DAY_MS).toBeCloseTo(1, 0);
  expect(last.delivery).toMatchObject({ status: 'failed', tries: RETRY_DELAYS_MS.length + 1 });
  expect(last.delivery).not.toHaveProperty('nextAt');
});

it.each([
  ['the least chance', BAD, 0, 4_000],
  ['the most chance', BAD, 1, 6_000],
  ['what the receiver asks for, where that is later', { ...BAD, retryAfterMs: 60_000 }, 0.5, 60_000],
  ['its own time, where that is later', { ...BAD, retryAfterMs: 1_000 }, 0.5, 5_000],
  ['a day at most', { ...BAD, retryAfterMs: 9 * DAY_MS }, 0.5, DAY_MS],
])('waits by %s', (_, end, random, nextAt) => {
  expect(after([end], random).delivery.nextAt).toBe(nextAt);
});

it('is not tried again when no repetition can help', () => {
  expect(after([{ ...BAD, status: 410, isFinal: true }]).delivery).toMatchObject({
    status: 'failed',
    tries: 1,
  });
});

it('keeps the last attempts only', () => {
  const delivery = {
    ...FRESH,
    attempts: Array.from({ length: MAX_KEPT_ATTEMPTS }, (_, at) => ({ at, durationMs: 1 })),
  };
  const { attempts } = settle(
    { delivery, breaker: CLOSED },
    { ...GOOD, at: 99 },
    { now: 99, random: 0 },
  ).delivery;

  expect(attempts).toHaveLength(MAX_KEPT_ATTEMPTS);
  expect([attempts[0]?.at, attempts.at(-1)?.at]).toEqual([1, 99]);
});

it('leaves an address alone after ten failures in a row, for ever longer up to an hour', () => {
  let breaker = CLOSED;
  const pauses: (number | undefined)[] = [];
  for (let failures = 1; failures <= BREAKER_FAILURES + 7; failures += 1) {
    ({ breaker } = settle({ delivery: FRESH, breaker }, BAD, { now: 0, random: 0.5 }));
    expect(breaker).toMatchObject({ failures, reason: BAD.error });
    pauses.push(breaker.openUntil);
  }

  expect(pauses.slice(0, BREAKER_FAILURES - 1).every((pause) => pause === undefined)).toBe(true);
  expect(pauses.slice(BREAKER_FAILURES - 1).map((pause = 0) => pause / 60_000)).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60,
  ]);
  expect(settle({ delivery: FRESH, breaker }, GOOD, { now: 0, random: 0 }).breaker).toEqual(CLOSED);
});
