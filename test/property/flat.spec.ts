/** The engine's work for one event does not grow with the number of steps. */
import { Heap } from '../../src/kernel/heap.js';
import { advance } from '../../src/runs/domain/advance.js';
import { evaluator } from '../../src/runs/domain/evaluate.js';
import { ALL_INLINE } from '../../src/runs/domain/kept.js';
import { encodeEvent } from '../../src/runs/domain/run.events.js';
import { markInvoked, plannedInvocations } from '../../src/runs/domain/plan.js';
import { initialState } from '../../src/runs/domain/run.state.js';
import { summaryOf } from '../../src/runs/domain/summary.js';
import { graphOf, queuedEvent, SimulatedRun } from '../support/simulated-run.js';

const WIDTH = 10;

/** One process, and a run that runs no other. */
const ALONE = { starts: () => 'all' as const, subRunId: (lineage: string) => lineage };

/** Layers of ten, each step depending on two of the layer above. */
function layered(count: number): unknown {
  return {
    steps: Array.from({ length: count }, (_, index) => {
      const above = index - WIDTH;
      const beside = index - WIDTH - (index % WIDTH) + ((index + 1) % WIDTH);
      return {
        id: `s${String(index)}`,
        agent: 'scripted',
        ...(index < WIDTH ? {} : { dependsOn: [`s${String(above)}`, `s${String(beside)}`] }),
      };
    }),
  };
}

/** How often each turn of a run reads a step, of the state or of the graph. */
function readsPerTurn(count: number): readonly number[] {
  const definition = layered(count);
  let reads = 0;
  const counted = <T extends object>(list: readonly T[]): readonly T[] =>
    new Proxy(list, {
      get: (target, key) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1;
        return Reflect.get(target, key) as unknown;
      },
    });
  const graph = graphOf(definition);
  const plain = initialState(queuedEvent(definition, { maxParallelSteps: WIDTH }), graph);
  const { root } = plain;
  Object.assign(root, { units: counted(root.units), graph: { ...graph, steps: counted(graph.steps) } });
  const state = plain;
  const turns: number[] = [];
  const turn = (commands: Parameters<typeof advance>[1]['commands']): readonly string[] => {
    const before = reads;
    advance(state, { commands, evaluator, contents: ALL_INLINE, now: 1, ...ALONE });
    const started = plannedInvocations(state).map(({ path }) => path);
    markInvoked(state);
    summaryOf(state, undefined);
    turns.push(reads - before);
    return started;
  };
  const open = [...turn([{ type: 'begin', at: 1 }])];
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    open.push(...turn([{ type: 'complete', at: 1, path, attempt: 1, output: null }]));
  }
  expect(state.status).toBe('completed');
  return turns;
}

it('reads as many steps for one event at 10,000 steps as at 100', () => {
  const few = readsPerTurn(100).slice(1, -1);
  const many = readsPerTurn(10_000).slice(1, -1);

  expect(Math.max(...many)).toBe(Math.max(...few));
  expect(
    many
      .slice(0, -WIDTH)
      .toSorted((a, b) => a - b)
      .at(-1),
  ).toBeLessThan(50);
  expect(new Set(many)).toEqual(new Set(few));
});

/** How often each turn looks something up in a collection, for a definition of which one attempt is open at a time. */
function lookUpsPerTurn(definition: object): readonly number[] {
  const state = initialState(queuedEvent(definition, { maxParallelSteps: 1 }), graphOf(definition));
  let lookUps = 0;
  const spies = [
    ...(['get', 'set', 'delete', 'has', 'values', 'entries'] as const).map(
      (name) => [Map.prototype, name] as const,
    ),
    ...(['add', 'delete', 'has', 'values'] as const).map((name) => [Set.prototype, name] as const),
    ...(['peek', 'push', 'pop'] as const).map((name) => [Heap.prototype, name] as const),
    ...(['map', 'flatMap', 'filter', 'slice', 'toSorted'] as const).map(
      (name) => [Array.prototype, name] as const,
    ),
  ].map(([prototype, name]) => {
    const methods = prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
    const plain = methods[name] as (...args: unknown[]) => unknown;
    methods[name] = function counted(this: unknown, ...args: unknown[]) {
      lookUps += 1 + (Array.isArray(this) ? this.length : 0);
      return plain.apply(this, args);
    };
    return () => {
      methods[name] = plain;
    };
  });
  const turns: number[] = [];
  try {
    for (let path: string | undefined, more = true; more;) {
      const before = lookUps;
      const commands =
        path === undefined
          ? [{ type: 'begin', at: 1 } as const]
          : [{ type: 'complete', at: 1, path, attempt: 1, output: null } as const];
      advance(state, { commands, evaluator, contents: ALL_INLINE, now: 1, ...ALONE });
      [path] = plannedInvocations(state).map((invocation) => invocation.path);
      markInvoked(state);
      more = path !== undefined;
      turns.push(lookUps - before);
    }
  } finally {
    for (const restore of spies) restore();
  }
  expect(state.status).toBe('completed');
  return turns;
}

const LIST = Array.from({ length: 2_000 }, (_, index) => index);

it.each<readonly [string, object]>([
  ['an item', { id: 's', agent: 'scripted', input: '{{ item }}', forEach: { items: LIST } }],
  ['an iteration', { id: 's', agent: 'scripted', input: '{{ previous }}', repeat: { maxIterations: 2_000 } }],
  [
    'a step of a body',
    {
      id: 's',
      kind: 'loop',
      repeat: {
        maxIterations: 1_000,
        body: {
          steps: [
            { id: 'a', agent: 'scripted' },
            { id: 'b', agent: 'scripted', dependsOn: ['a'] },
          ],
        },
      },
    },
  ],
])('looks up as little for %s at the end as at the beginning', (_, step) => {
  // The last turn puts all outputs together.
  const turns = lookUpsPerTurn({ steps: [step] }).slice(1, -1);

  expect(turns.length).toBeGreaterThan(1_990);
  expect(Math.max(...turns.slice(-100))).toBeLessThanOrEqual(Math.max(...turns.slice(0, 100)));
  expect(Math.max(...turns)).toBeLessThan(500);
});

it('appends a sequential step at once, in at most 500 bytes beside input and output, whatever the number of steps', () => {
  for (const count of [10, 1_000]) {
    const steps = Array.from({ length: count }, (_, index) => ({
      id: `step-${String(index)}`,
      agent: 'scripted',
      ...(index === 0 ? {} : { dependsOn: [`step-${String(index - 1)}`] }),
    }));
    const run = SimulatedRun.of({ steps });
    run.takeUp();
    run.finish(() => ({ output: {} }));
    const appends = run.appends.slice(2, -1);

    expect(appends).toHaveLength(count - 1);
    for (const events of appends) {
      expect(events.map(({ type }) => type)).toEqual(['step.completed', 'step.started']);
      const bytes = events.reduce((sum, event) => sum + Buffer.byteLength(encodeEvent(event).text), 0);
      expect(bytes).toBeLessThanOrEqual(500);
    }
  }
});
