/** Waiting for a time: for a duration from now, or until an instant. */
import { evaluateValue } from '../../../expressions/value.js';
import { failureOf } from '../../../kernel/failure.js';
import type { Json } from '../../../kernel/json.js';
import { isoOf } from '../../../kernel/time.js';
import { MAX_WAIT_MS } from '../../../workflows/domain/kinds/wait.step.js';
import { located } from '../located.js';
import type { Resolution } from '../run.commands.js';
import { runErrors } from '../run.errors.js';
import type { EngineKind } from './step-kind.js';

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

export const waitStep: EngineKind<'wait'> = {
  needsPlace: false,
  resolve({ durationMs, until }, resolving) {
    const { scope, now } = resolving();
    if (durationMs !== undefined) return untilInstant(now + durationMs, now);
    if (until === undefined) throw new TypeError('a wait without its end');
    const value = evaluateValue(until, scope);
    if (!value.ok) return { kind: 'fail', failure: located(value.failure, 'until') };
    const instant = instantOf(value.value);
    return instant === undefined || instant - now > MAX_WAIT_MS
      ? { kind: 'fail', failure: noInstant(value.value, now) }
      : untilInstant(instant, now);
  },
};

/** An instant that has passed is no wait at all. */
function untilInstant(until: number, now: number): Resolution {
  return until <= now ? { kind: 'complete', output: null } : { kind: 'wait', for: 'timer', until };
}

function instantOf(value: Json): number | undefined {
  if (typeof value !== 'string' || !INSTANT.test(value)) return undefined;
  const instant = Date.parse(value);
  return Number.isNaN(instant) ? undefined : instant;
}

function noInstant(value: Json, now: number): ReturnType<typeof failureOf> {
  const latest = isoOf(now + MAX_WAIT_MS);
  const shown = JSON.stringify(value).slice(0, 100);
  const message = `until: expected an ISO 8601 instant with its zone, at latest ${latest}, got ${shown}`;
  return failureOf(runErrors['wait.invalid'], message, { details: { field: 'until' } });
}
