/** A fork begins with the state that its parent had after any event, and goes on from there to its own end. */
import fc from 'fast-check';

import { evolve, replay } from '../../src/runs/domain/evolve.js';
import { stateOfText, textOfState } from '../../src/runs/domain/fold-text.js';
import { stepsAgain } from '../../src/runs/domain/reopen.js';
import type { FirstEvent, RunEvent, RunEventOf } from '../../src/runs/domain/run.events.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { essenceOf, SimulatedRun, type Script } from '../support/simulated-run.js';

const FORK_ID = 'run_00000000000070008000000000000009';
const RUNS = { numRuns: 500 };

const succeed: Script = (path) => ({ output: { of: path } });

const arbitraryFork = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  choose: arbitraryChoice(),
  maxParallelSteps: fc.integer({ min: 1, max: 4 }),
  /** Where the fork begins, in the parent's log. */
  place: fc.nat({ max: 1_000 }),
  isEdited: fc.boolean(),
});

type ArbitraryFork = typeof arbitraryFork extends fc.Arbitrary<infer T> ? T : never;

interface Scene {
  /** The parent's state where the fork begins. */
  readonly parent: RunState;
  readonly history: readonly RunEvent[];
  readonly fork: SimulatedRun;
}

function sceneOf({ definition, script, choose, maxParallelSteps, place, isEdited }: ArbitraryFork): Scene {
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  run.finish(script, choose);
  const history = run.events.slice(0, 1 + (place % run.events.length));
  const parent = replay(history, run.graph);
  return { parent, history, fork: SimulatedRun.forkOf(run.graph, history, forkedOf(parent, isEdited)) };
}

function forkedOf(
  { runId, lastSeq, queued, context, lastAt }: RunState,
  isEdited: boolean,
): RunEventOf<'run.forked'> {
  const edited = isEdited ? { ...context, edited: true } : context;
  const changes = isEdited ? [{ pointer: '/context/edited', after: true }] : [];
  const data = { ...queued, context: edited, from: runId, atSeq: lastSeq, history: [], changes };
  return { runId: FORK_ID, seq: 1, type: 'run.forked', at: new Date(lastAt).toISOString(), data };
}

/** The steps of the definition that stand, by id. */
function standing(state: RunState, again: ReadonlySet<string>): unknown {
  const { root } = essenceOf(state) as { readonly root: { readonly units: readonly unknown[] } };
  return state.root.units.flatMap(({ step }, index) => (again.has(step.id) ? [] : [root.units[index]]));
}

it('has what had ended, and the context with what was changed', () => {
  fc.assert(
    fc.property(arbitraryFork, (arbitrary) => {
      const { parent, fork } = sceneOf(arbitrary);
      const again = new Set(stepsAgain(parent, []));
      expect(standing(fork.state, again)).toEqual(standing(parent, again));
      expect(fork.state.context).toEqual({ ...parent.context, ...(arbitrary.isEdited && { edited: true }) });
      expect(fork.state).toMatchObject({ runId: FORK_ID, status: 'queued', lastSeq: 1, costMicros: 0 });
    }),
    RUNS,
  );
});

it('ends, and does nothing again that had ended', () => {
  fc.assert(
    fc.property(arbitraryFork, (arbitrary) => {
      const { parent, history, fork } = sceneOf(arbitrary);
      const again = new Set(stepsAgain(parent, []));
      fork.takeUp();
      fork.finish(succeed, arbitrary.choose);
      for (const { path } of fork.invoked.filter((one) => !one.path.includes('~')))
        expect(again).toContain(/^[^[/]+/.exec(path)?.[0]);
      expect(fork.events.map(({ seq }) => seq)).toEqual(fork.events.map((_, index) => index + 1));
      expect(essenceOf(replay(fork.events, fork.graph, history))).toEqual(essenceOf(fork.state));
    }),
    RUNS,
  );
});

it('is forked again, from any of its own events', () => {
  fc.assert(
    fc.property(arbitraryFork, fc.nat({ max: 1_000 }), (arbitrary, place) => {
      const { history, fork } = sceneOf(arbitrary);
      fork.takeUp();
      fork.finish(succeed, arbitrary.choose);
      const own = fork.events.slice(0, 1 + (place % fork.events.length));
      const whole = [...history, ...own];
      const second = SimulatedRun.forkOf(
        fork.graph,
        whole,
        forkedOf(replay(own, fork.graph, history), false),
      );
      second.takeUp();
      second.finish(succeed, arbitrary.choose);
      expect(essenceOf(replay(second.events, fork.graph, whole))).toEqual(essenceOf(second.state));
    }),
    RUNS,
  );
});

it('takes up what was open where nothing was changed: input and recorded turns', () => {
  const run = SimulatedRun.of({ steps: [{ id: 'ask', agent: 'scripted', input: { n: 1 } }] });
  run.takeUp();
  run.turn([{ type: 'record-turn', at: 1, path: 'ask', attempt: 1, body: 'said', costMicros: 5 }]);
  const parent = replay(run.events, run.graph);
  const [same, edited] = [false, true].map((isEdited) => {
    const fork = SimulatedRun.forkOf(run.graph, run.events, forkedOf(parent, isEdited));
    fork.takeUp();
    return fork.state.root.units[0];
  });

  expect(same).toMatchObject({ status: 'running', attempt: 2, turns: [{ body: 'said' }] });
  expect(edited).toMatchObject({ status: 'running', attempt: 2, turns: [] });
});

it('is the same from a checkpoint of any prefix of its own log', () => {
  fc.assert(
    fc.property(arbitraryFork, fc.nat({ max: 300 }), (arbitrary, length) => {
      const { history, fork } = sceneOf(arbitrary);
      fork.takeUp();
      fork.finish(succeed, arbitrary.choose);
      const { events, graph, state } = fork;
      const at = 1 + (length % events.length);
      const text = textOfState(replay(events.slice(0, at), graph, history));
      const loaded = stateOfText(text, events[0] as FirstEvent, graph);
      expect(essenceOf(loaded)).toEqual(essenceOf(replay(events.slice(0, at), graph, history)));
      expect(essenceOf(events.slice(at).reduce(evolve, loaded))).toEqual(essenceOf(state));
    }),
    RUNS,
  );
});
