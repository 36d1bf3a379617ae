/** A checkpoint changes nothing: whatever prefix of a log it stands for, and whatever follows. */
import fc from 'fast-check';

import { evolve, replay } from '../../src/runs/domain/evolve.js';
import { stateOfText, textOfState } from '../../src/runs/domain/fold-text.js';
import { nextMove, nextWakeAt } from '../../src/runs/domain/plan.js';
import type { RunEventOf } from '../../src/runs/domain/run.events.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { SimulatedBlobs } from '../support/simulated-blobs.js';
import { essenceOf, graphOf, queuedEvent, SimulatedRun } from '../support/simulated-run.js';

const RUNS = { numRuns: 1_000 };

const arbitraryRun = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  choose: arbitraryChoice(),
  maxParallelSteps: fc.integer({ min: 1, max: 4 }),
  hasBlobs: fc.boolean(),
});

/** What a process that has loaded the state would do next. */
function nextOf(state: RunState): unknown {
  const now = state.lastAt + 30;
  const move = nextMove(state, now);
  const unit = move !== undefined && 'unit' in move ? move.unit.path : undefined;
  const command = move?.kind === 'decide' ? move.command : undefined;
  return { kind: move?.kind, unit, command, wakeAt: nextWakeAt(state, now) };
}

it('the state from a checkpoint and the events after it is that of the whole log', () => {
  fc.assert(
    fc.property(arbitraryRun, fc.nat(), ({ definition, script, choose, maxParallelSteps, hasBlobs }, cut) => {
      const graph = graphOf(definition);
      const first: RunEventOf<'run.queued'> = queuedEvent(definition, { maxParallelSteps });
      const run = new SimulatedRun(graph, [first], hasBlobs ? { blobs: new SimulatedBlobs() } : {});
      run.takeUp();
      run.finish(script, choose);
      const { events } = run;
      const at = 1 + (cut % events.length);
      const text = textOfState(replay(events.slice(0, at), graph));

      const loaded = stateOfText(text, first, graphOf(definition));
      const folded = replay(events.slice(0, at), graph);
      expect(essenceOf(loaded)).toEqual(essenceOf(folded));
      expect(nextOf(loaded)).toEqual(nextOf(folded));
      expect(essenceOf(events.slice(at).reduce(evolve, loaded))).toEqual(essenceOf(run.state));
    }),
    RUNS,
  );
});

it('a text of another run, and one that was cut anywhere, is refused', () => {
  const definition = { steps: [{ id: 'a', agent: 'scripted', forEach: { items: [1, 2] } }] };
  const run = SimulatedRun.of(definition);
  run.takeUp();
  const text = textOfState(run.state);
  const first = queuedEvent(definition);

  expect(essenceOf(stateOfText(text, first, run.graph))).toEqual(essenceOf(run.state));
  expect(() => stateOfText(text, { ...first, runId: 'run_other' }, run.graph)).toThrow(
    'this is the state of',
  );
  for (let length = 0; length < text.length; length += 7)
    expect(() => stateOfText(text.slice(0, length), first, run.graph)).toThrow();
});

it('values that look like what a text is written with are values', () => {
  const hostile = JSON.parse(
    '{"\\u0000":["ref",0],"\\u0000x":{"\\u0000":["part","graph "]},"__proto__":{"a":[null,"\\u0000"]},"constructor":1}',
  ) as never;
  const run = SimulatedRun.of({
    steps: [
      { id: 'a', agent: 'scripted' },
      { id: 'b', agent: 'scripted' },
    ],
  });
  run.takeUp();
  run.report({ path: 'a', attempt: 1, failures: 0 }, { output: hostile });
  const loaded = stateOfText(textOfState(run.state), queuedEvent({}), run.graph);

  expect(JSON.stringify(loaded.root.units[0]?.output)).toBe(JSON.stringify(hostile));
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});
