import fc from 'fast-check';

import { compileDefinition } from '../../src/workflows/domain/compile-definition.js';
import type { Graph } from '../../src/workflows/domain/graph.js';
import { shapeOf } from '../../src/workflows/domain/shape.js';

const RUNS = { numRuns: 1_000 };
const MAX_STEPS = 12;

/** Steps by number; each edge is a pair of a step and one that it waits for, or reads. */
interface Plan {
  readonly count: number;
  readonly edges: readonly (readonly [step: number, dependency: number, isRead: boolean])[];
}

const anyPlan: fc.Arbitrary<Plan> = fc.integer({ min: 1, max: MAX_STEPS }).chain((count) => {
  const index = fc.nat({ max: count - 1 });
  return fc.record({
    count: fc.constant(count),
    edges: fc.array(fc.tuple(index, index, fc.boolean()), { maxLength: 2 * MAX_STEPS }),
  });
});

/** Steps wait for earlier ones only, so there is no cycle. */
const orderedPlan = anyPlan.map(({ count, edges }) => ({
  count,
  edges: edges
    .filter(([step, dependency]) => step !== dependency)
    .map(([a, b, isRead]) => [Math.max(a, b), Math.min(a, b), isRead] as const),
}));

describe('definitions', () => {
  it('without cycles are accepted, with exactly their edges', () => {
    fc.assert(
      fc.property(orderedPlan, (plan) => {
        const { steps, edgeCount } = graphOf(plan);

        expect(steps.map(({ dependencies }) => [...dependencies])).toEqual(dependenciesOf(plan));
        expect(edgeCount).toBe(dependenciesOf(plan).flat().length);
        for (const { index, dependencies } of steps) {
          for (const dependency of dependencies) expect(steps[dependency]?.dependents).toContain(index);
        }
      }),
      RUNS,
    );
  });

  it('are layered so that each step is one layer behind its last dependency', () => {
    fc.assert(
      fc.property(orderedPlan, (plan) => {
        const { layers, criticalPath } = shapeOf(graphOf(plan));
        const layerOf = (id: string): number => layers.findIndex((layer) => layer.includes(id));
        const depths = dependenciesOf(plan).map(
          (list) => Math.max(-1, ...list.map((at) => layerOf(`s${at}`))) + 1,
        );

        expect(depths).toEqual(depths.map((_, index) => layerOf(`s${index}`)));
        expect(layers.flat()).toHaveLength(plan.count);
        expect(criticalPath).toHaveLength(layers.length);
      }),
      RUNS,
    );
  });

  it('with a cycle are refused, each knot named by a path that is one', () => {
    fc.assert(
      fc.property(anyPlan, (plan) => {
        const result = compileDefinition(definitionOf(plan), { maxSteps: MAX_STEPS });
        const named = result.ok ? [] : result.failure.map(({ message }) => pathIn(message));
        const inCycles = stepsInCycles(plan);

        for (const path of named) expectCycle(plan, path);
        expect(named.length > 0).toBe(inCycles.length > 0);
        for (const step of inCycles) {
          expect(named.some(([first = -1]) => reaches(plan, step, first) && reaches(plan, first, step))).toBe(
            true,
          );
        }
      }),
      RUNS,
    );
  });
});

function definitionOf({ count, edges }: Plan): unknown {
  return {
    steps: Array.from({ length: count }, (_, index) => ({
      id: `s${index}`,
      agent: 'echo',
      dependsOn: edges.filter(([step, , isRead]) => step === index && !isRead).map(([, at]) => `s${at}`),
      input: edges
        .filter(([step, , isRead]) => step === index && isRead)
        .map(([, at]) => `{{ steps.s${at}.output }}`),
    })),
  };
}

function graphOf(plan: Plan): Graph {
  const result = compileDefinition(definitionOf(plan), { maxSteps: MAX_STEPS });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value.graph;
}

function dependenciesOf({ count, edges }: Plan): number[][] {
  return Array.from({ length: count }, (_, index) =>
    [...new Set(edges.filter(([step]) => step === index).map(([, at]) => at))].toSorted((a, b) => a - b),
  );
}

function pathIn(message: string): readonly number[] {
  return Array.from(message.matchAll(/s(\d+)(?= →|$)/g), ([, index]) => Number(index));
}

function expectCycle(plan: Plan, path: readonly number[]): void {
  const dependencies = dependenciesOf(plan);

  expect(path.length).toBeGreaterThan(1);
  expect(path.at(-1)).toBe(path[0]);
  for (const [at, step] of path.slice(1).entries()) expect(dependencies[path[at] ?? -1]).toContain(step);
}

function stepsInCycles(plan: Plan): readonly number[] {
  return Array.from({ length: plan.count }, (_, index) => index).filter((index) =>
    reaches(plan, index, index),
  );
}

/** Whether one step waits for another, directly or through others. */
function reaches(plan: Plan, from: number, to: number): boolean {
  const dependencies = dependenciesOf(plan);
  const seen = new Set<number>();
  const open = [...(dependencies[from] ?? [])];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) return true;
    if (!seen.has(at)) open.push(...(dependencies[at] ?? []));
    seen.add(at);
  }
  return false;
}
