/** Random workflows and random endings, for properties. */
import fc from 'fast-check';

import type { Failure } from '../../src/kernel/failure.js';
import type { Script } from './simulated-run.js';

/** What a step does: one of the kinds, perhaps mapped over items or repeated. */
interface Doing {
  readonly [field: string]: unknown;
}

export interface ArbitraryStep extends Doing {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly join: 'none_failed' | 'all_completed' | 'all_settled' | 'any_completed';
  readonly onError: 'fail' | 'continue';
  readonly when?: string;
  readonly finally?: boolean;
}

export interface ArbitraryDefinition {
  readonly steps: readonly ArbitraryStep[];
  readonly retry: { readonly maxAttempts: number; readonly initialIntervalMs: number };
  readonly contextReducers: { readonly [path: string]: string };
}

/** Up to `maxSteps` steps; each depends on some of those before it. Steps are shuffled in the definition. */
export function arbitraryDefinition(maxSteps = 9): fc.Arbitrary<ArbitraryDefinition> {
  const arbitrary = fc.tuple(arbitrarySteps(maxSteps, { prefix: 's', depth: 2 }), fc.boolean(), fc.boolean());
  return arbitrary.chain(([steps, hasLast, isUndone]) =>
    fc.record({
      steps: fc.constant(
        steps.map(counted).map((step) => ({
          ...step,
          ...(isUndone && { compensate: { agent: 'scripted' } }),
          // nothing depends on the step with the highest number
          ...(hasLast && step.id === `s${String(steps.length - 1)}` && { finally: true }),
        })),
      ),
      contextReducers: fc.constant({ 'ended.count': 'sum' }),
      retry: fc.record({ maxAttempts: fc.integer({ min: 1, max: 3 }), initialIntervalMs: fc.constant(50) }),
    }),
  );
}

/** A step that is carried out once counts itself in the context. */
function counted(step: ArbitraryStep): ArbitraryStep {
  const isOnce = step['forEach'] === undefined && step['repeat'] === undefined;
  return isOnce ? { ...step, writes: { 'ended.count': 1 } } : step;
}

/** Where steps stand: what their ids begin with, and how deep loops may still nest in them. */
interface Place {
  readonly prefix: string;
  readonly depth: number;
}

function arbitrarySteps(maxSteps: number, place: Place): fc.Arbitrary<readonly ArbitraryStep[]> {
  return fc
    .integer({ min: 1, max: maxSteps })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => arbitraryStep(index, place))))
    .chain((steps) => fc.shuffledSubarray(steps, { minLength: steps.length }));
}

function arbitraryStep(index: number, place: Place): fc.Arbitrary<ArbitraryStep> {
  const before = Array.from({ length: index }, (_, at) => `${place.prefix}${String(at)}`);
  const id = `${place.prefix}${String(index)}`;
  return fc
    .record({
      doing: arbitraryDoing(id, place.depth),
      dependsOn: fc.subarray(before, { maxLength: Math.min(4, index) }),
      join: fc.constantFrom('none_failed', 'none_failed', 'all_completed', 'all_settled', 'any_completed'),
      onError: fc.constantFrom('fail', 'continue', 'continue'),
      holds: fc.constantFrom(true, true, true, false, undefined),
    })
    .map(({ doing, dependsOn, join, onError, holds }) => ({
      ...doing,
      id,
      dependsOn,
      join,
      onError,
      ...(holds === undefined ? {} : { when: String(holds) }),
    }));
}

function arbitraryDoing(id: string, depth: number): fc.Arbitrary<Doing> {
  const plain = fc.constantFrom<Doing>(
    { agent: 'scripted' },
    { agent: 'scripted' },
    { agent: 'scripted' },
    { kind: 'workflow', workflow: { name: 'other' } },
    { kind: 'transform', expression: '"made"' },
    { kind: 'wait', durationMs: 40 },
    { kind: 'fail', code: 'test.failed' },
    { kind: 'signal', signal: 'never', timeoutMs: 60 },
    { kind: 'approval', timeoutMs: 60, onTimeout: { output: 'nobody' } },
  );
  const mapped = fc.record({ plain, forEach: arbitraryForEach }).map(({ plain: doing, forEach }) => ({
    ...doing,
    forEach,
  }));
  const repeated = fc.record({ plain, repeat: arbitraryRepeat }).map(({ plain: doing, repeat }) => ({
    ...doing,
    repeat,
  }));
  if (depth === 0) return plain;
  const loop = fc
    .record({
      steps: arbitrarySteps(3, { prefix: `${id}_`, depth: depth - 1 }),
      repeat: arbitraryRepeat,
      forEach: fc.option(arbitraryForEach, { nil: undefined }),
    })
    .map(({ steps, repeat, forEach }) => ({
      kind: 'loop',
      repeat: { ...repeat, body: { steps } },
      ...(forEach === undefined ? {} : { forEach }),
    }));
  return fc.oneof(
    { weight: 6, arbitrary: plain },
    { weight: 1, arbitrary: mapped },
    { weight: 1, arbitrary: repeated },
    { weight: 1, arbitrary: loop },
  );
}

const arbitraryForEach: fc.Arbitrary<object> = fc.record(
  {
    items: fc.array(fc.constant(0), { maxLength: 4 }),
    maxConcurrency: fc.integer({ min: 1, max: 3 }),
    batchSize: fc.integer({ min: 1, max: 2 }),
    toleratedFailureCount: fc.integer({ min: 0, max: 2 }),
  },
  { requiredKeys: ['items'] },
);

const arbitraryRepeat = fc.record(
  {
    maxIterations: fc.integer({ min: 1, max: 3 }),
    until: fc.constantFrom('iteration == 1', 'false', 'true'),
    onExhausted: fc.constantFrom('fail', 'continue'),
  },
  { requiredKeys: ['maxIterations'] },
);

/** How the attempts of each unit end, by how often it has failed before. */
export function arbitraryScript(): fc.Arbitrary<Script> {
  const endings = fc.array(fc.constantFrom('ok', 'ok', 'ok', 'transient', 'fatal', 'task'), {
    minLength: 1,
    maxLength: 7,
  });
  return endings.map((list) => (path, failures) => {
    const ending = list[(numberOf(path) + 3 * failures) % list.length];
    if (ending === 'task' && !path.endsWith('!')) return { taskId: path };
    return ending === 'ok' || ending === 'task'
      ? { output: { of: path, failures } }
      : { failure: failureOf(ending === 'transient') };
  });
}

/** A number that differs between paths. */
function numberOf(path: string): number {
  return Array.from(path.matchAll(/\d+/g), ([digits]) => Number(digits)).reduce((a, b) => 7 * a + b, 0);
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
