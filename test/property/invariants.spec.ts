/** What the offline checker of logs asks for holds of every run, and of the results of maps. */
import fc from 'fast-check';

import type { Json } from '../../src/kernel/json.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { checkLog } from '../support/invariants/log-invariants.js';
import { SimulatedRun } from '../support/simulated-run.js';

const RUNS = { numRuns: 1_000 };

const arbitraryRun = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  choose: arbitraryChoice(),
  maxParallelSteps: fc.integer({ min: 1, max: 4 }),
});

type ArbitraryRun = typeof arbitraryRun extends fc.Arbitrary<infer T> ? T : never;

function finished({ definition, script, choose, maxParallelSteps }: ArbitraryRun): SimulatedRun {
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  run.finish(script, choose);
  return run;
}

it('every log keeps what the checker asks, that skips spread as joins say among it', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const { events, graph, state } = finished(arbitrary);
      expect(checkLog({ runId: state.runId, events }, graph)).toEqual([]);
    }),
    RUNS,
  );
});

it('the results of a map stand in the order of its list: none, one and many, in whatever order they came', () => {
  const arbitraryMap = fc.record({
    items: fc.array(fc.nat({ max: 99 }), { maxLength: 12 }),
    maxConcurrency: fc.integer({ min: 1, max: 5 }),
    batchSize: fc.integer({ min: 1, max: 3 }),
    choose: arbitraryChoice(),
  });
  fc.assert(
    fc.property(arbitraryMap, ({ items, maxConcurrency, batchSize, choose }) => {
      const run = SimulatedRun.of(
        {
          steps: [
            {
              id: 'map',
              agent: 'scripted',
              input: '{{ item }}',
              forEach: { items, maxConcurrency, batchSize },
            },
          ],
          output: '{{ steps.map.output }}',
        },
        { maxParallelSteps: 4 },
      );
      run.takeUp();
      const inputOf = (path: string): Json =>
        run.events.flatMap((event) =>
          event.type === 'item.started' && event.path === path ? [event.data.input ?? null] : [],
        )[0] ?? null;
      run.finish((path) => ({ output: inputOf(path) }), choose);
      const batches = Array.from({ length: Math.ceil(items.length / batchSize) }, (_, index) =>
        items.slice(index * batchSize, (index + 1) * batchSize),
      );
      expect(run.state.output).toEqual(batchSize === 1 ? items : batches);
    }),
    RUNS,
  );
});
