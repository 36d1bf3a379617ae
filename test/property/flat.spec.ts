/** The engine's work for one event does not grow with the number of steps. */
import { advance } from '../../src/runs/domain/advance.js';
import { evaluator } from '../../src/runs/domain/evaluate.js';
import { encodeEvent } from '../../src/runs/domain/run.events.js';
import { markInvoked, plannedInvocations } from '../../src/runs/domain/plan.js';
import { initialState, type RunState } from '../../src/runs/domain/run.state.js';
import { summaryOf } from '../../src/runs/domain/summary.js';
import { graphOf, queuedEvent, SimulatedRun } from '../support/simulated-run.js';

const WIDTH = 10;

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
  const state: RunState = {
    ...plain,
    steps: counted(plain.steps),
    graph: { ...graph, steps: counted(graph.steps) },
  };
  const turns: number[] = [];
  const turn = (commands: Parameters<typeof advance>[1]['commands']): readonly string[] => {
    const before = reads;
    advance(state, { commands, evaluator, now: 1, mayStart: () => true });
    const started = plannedInvocations(state).map(({ stepId }) => stepId);
    markInvoked(state);
    summaryOf(state, undefined);
    turns.push(reads - before);
    return started;
  };
  const open = [...turn([{ type: 'begin', at: 1 }])];
  for (let stepId = open.shift(); stepId !== undefined; stepId = open.shift()) {
    open.push(...turn([{ type: 'complete', at: 1, stepId, attempt: 1, output: null }]));
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
