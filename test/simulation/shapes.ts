/** Workflows of well-known shapes, with details that the seed decides about. */
import type { ArbitraryDefinition, ArbitraryStep } from '../support/arbitrary-definition.js';
import type { SeededRandom } from './seeded-random.js';

type Step = Partial<ArbitraryStep> & { readonly id: string };

/** An output of the scripted agents: how often the unit had failed before. */
const AT_ONCE = 'steps.a.output.failures == 0';

/** The steps of each shape. */
const SHAPES: readonly ((random: SeededRandom) => readonly Step[])[] = [
  chain,
  diamond,
  fan,
  branches,
  caught,
  mapped,
  looped,
  asked,
  lasting,
];

/** A workflow of some shape. */
export function shapeOf(random: SeededRandom): ArbitraryDefinition {
  const isUndone = random.chance(0.3);
  const steps = random
    .pick(SHAPES)(random)
    .map((step) => ({
      agent: 'scripted',
      dependsOn: [],
      ...step,
      ...(isUndone && { compensate: { agent: 'scripted' } }),
    }));
  return {
    steps: steps.map(bare) as unknown as readonly ArbitraryStep[],
    contextReducers: { 'ended.count': 'sum' },
    retry: { maxAttempts: 1 + random.below(3), initialIntervalMs: 50 },
  };
}

/** Steps of other kinds call no agent. */
function bare(step: Step): Step {
  if (step['kind'] === undefined) return step;
  const { agent: _, ...rest } = step as Step & { readonly agent: string };
  return rest;
}

function chain(random: SeededRandom): readonly Step[] {
  return Array.from({ length: 3 + random.below(5) }, (_, index) => ({
    id: `c${index}`,
    dependsOn: index === 0 ? [] : [`c${index - 1}`],
    onError: random.pick(['fail', 'continue', 'continue'] as const),
    writes: { 'ended.count': 1 },
  }));
}

function diamond(random: SeededRandom): readonly Step[] {
  return [
    { id: 'a', onError: 'continue' },
    { id: 'b', dependsOn: ['a'], onError: 'continue' },
    { id: 'c', dependsOn: ['a'], onError: 'continue', timeoutMs: 30 },
    { id: 'd', dependsOn: ['b', 'c'], join: join(random) },
  ];
}

function fan(random: SeededRandom): readonly Step[] {
  const width = 3 + random.below(6);
  const branches = Array.from({ length: width }, (_, index) => ({
    id: `f${index}`,
    dependsOn: ['a'],
    onError: 'continue' as const,
    writes: { 'ended.count': 1 },
  }));
  return [{ id: 'a' }, ...branches, { id: 'z', dependsOn: branches.map(({ id }) => id), join: join(random) }];
}

function branches(random: SeededRandom): readonly Step[] {
  return [
    { id: 'a', onError: 'continue' },
    { id: 'x', dependsOn: ['a'], onError: 'continue' },
    { id: 'b', dependsOn: ['a', 'x'], when: `steps.a.status == "completed" && ${AT_ONCE}` },
    { id: 'c', dependsOn: ['a', 'x'], when: 'steps.a.status != "completed"' },
    { id: 'd', dependsOn: ['b', 'c'], join: join(random) },
    { id: 'e', dependsOn: ['c'] },
  ];
}

function caught(random: SeededRandom): readonly Step[] {
  return [
    { id: 'a', catch: 'h' },
    { id: 'b', catch: 'h', totalTimeoutMs: 120 },
    { id: 'h', onError: 'continue' },
    { id: 'z', dependsOn: ['a', 'b', 'h'], join: join(random) },
  ];
}

function mapped(random: SeededRandom): readonly Step[] {
  const items = Array.from({ length: random.below(6) }, (_, index) => index);
  const forEach = { items, maxConcurrency: 1 + random.below(3), toleratedFailureCount: random.below(3) };
  return [
    { id: 'a', forEach: { items: [] } },
    { id: 'm', dependsOn: ['a'], forEach, onError: 'continue' },
    { id: 'z', dependsOn: ['m'] },
  ];
}

function looped(random: SeededRandom): readonly Step[] {
  const steps = [
    { id: 'make', agent: 'scripted', onError: 'continue' },
    { id: 'check', agent: 'scripted', dependsOn: ['make'], onError: 'continue' },
  ];
  const repeat = { maxIterations: 1 + random.below(4), until: 'iteration == 2', onExhausted: 'continue' };
  return [
    { id: 'a' },
    { id: 'l', kind: 'loop', dependsOn: ['a'], repeat: { ...repeat, body: { steps } } },
    { id: 'r', dependsOn: ['a'], repeat },
  ];
}

function asked(random: SeededRandom): readonly Step[] {
  const later = random.chance(0.1) ? 12_000 : 300;
  return [
    { id: 'a' },
    { id: 'w', kind: 'wait', dependsOn: ['a'], durationMs: later },
    { id: 's', kind: 'signal', signal: 'never', timeoutMs: 4_000, onError: 'continue' },
    { id: 'p', kind: 'approval', timeoutMs: 500, onTimeout: 'approve', dependsOn: ['a'] },
    { id: 'z', dependsOn: ['w', 's', 'p'] },
  ];
}

function lasting(): readonly Step[] {
  return [
    { id: 'a', onError: 'continue' },
    { id: 'b', dependsOn: ['a'] },
    { id: 'y', finally: true, onError: 'continue' },
    { id: 'z', finally: true, dependsOn: ['y'] },
  ];
}

function join(random: SeededRandom): ArbitraryStep['join'] {
  return random.pick(['none_failed', 'all_completed', 'all_settled', 'any_completed'] as const);
}
