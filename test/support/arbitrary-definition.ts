/** Random workflows and random endings, for properties. */
import fc from 'fast-check';

import type { Failure } from '../../src/kernel/failure.js';
import type { Script } from './simulated-run.js';

export interface ArbitraryStep {
  readonly id: string;
  readonly agent: string;
  readonly dependsOn: readonly string[];
  readonly join: 'none_failed' | 'all_completed' | 'all_settled' | 'any_completed';
  readonly onError: 'fail' | 'continue';
  readonly when?: string;
}

export interface ArbitraryDefinition {
  readonly steps: readonly ArbitraryStep[];
  readonly retry: { readonly maxAttempts: number; readonly initialIntervalMs: number };
}

/** Up to `maxSteps` steps; each depends on some of those before it. Steps are shuffled in the definition. */
export function arbitraryDefinition(maxSteps = 9): fc.Arbitrary<ArbitraryDefinition> {
  return fc
    .integer({ min: 1, max: maxSteps })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => arbitraryStep(index))))
    .chain((steps) =>
      fc.record({
        steps: fc.shuffledSubarray(steps, { minLength: steps.length }),
        retry: fc.record({ maxAttempts: fc.integer({ min: 1, max: 3 }), initialIntervalMs: fc.constant(50) }),
      }),
    );
}

function arbitraryStep(index: number): fc.Arbitrary<ArbitraryStep> {
  const before = Array.from({ length: index }, (_, at) => `s${String(at)}`);
  return fc
    .record({
      dependsOn: fc.subarray(before, { maxLength: Math.min(4, index) }),
      join: fc.constantFrom('none_failed', 'none_failed', 'all_completed', 'all_settled', 'any_completed'),
      onError: fc.constantFrom('fail', 'continue', 'continue'),
      holds: fc.constantFrom(true, true, true, false, undefined),
    })
    .map(({ dependsOn, join, onError, holds }) => ({
      id: `s${String(index)}`,
      agent: 'scripted',
      dependsOn,
      join,
      onError,
      ...(holds === undefined ? {} : { when: String(holds) }),
    }));
}

/** How the attempts of each step end, by how often it has failed before. */
export function arbitraryScript(): fc.Arbitrary<Script> {
  const endings = fc.array(fc.constantFrom('ok', 'ok', 'ok', 'transient', 'fatal'), {
    minLength: 1,
    maxLength: 7,
  });
  return endings.map((list) => (stepId, failures) => {
    const ending = list[(Number(stepId.slice(1)) + 3 * failures) % list.length];
    return ending === 'ok'
      ? { output: { of: stepId, failures } }
      : { failure: failureOf(ending === 'transient') };
  });
}

/** Which of the open attempts ends next. */
export function arbitraryChoice(): fc.Arbitrary<(count: number) => number> {
  return fc.infiniteStream(fc.nat({ max: 1_000 })).map((numbers) => (count) => {
    const next: unknown = numbers.next().value;
    return count === 0 ? 0 : (next as number) % count;
  });
}

function failureOf(retryable: boolean): Failure {
  return {
    code: retryable ? 'agent.overloaded' : 'agent.refused',
    kind: 'upstream',
    message: 'as told',
    retryable,
  };
}
