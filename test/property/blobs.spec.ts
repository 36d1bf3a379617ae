/** Where a value is kept changes nothing but the place where it stands. */
import fc from 'fast-check';

import { replay } from '../../src/runs/domain/evolve.js';
import { arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { SimulatedBlobs } from '../support/simulated-blobs.js';
import { essenceOf, graphOf, queuedEvent, SimulatedRun } from '../support/simulated-run.js';

const RUNS = { numRuns: 1_000 };

const arbitraryRun = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  seed: fc.integer({ min: 1, max: 2_147_483_646 }),
  maxParallelSteps: fc.integer({ min: 1, max: 4 }),
});

type ArbitraryRun = typeof arbitraryRun extends fc.Arbitrary<infer T> ? T : never;

/** The same choices each time. */
function choices(seed: number): (count: number) => number {
  let random = seed;
  return (count) => (random = (random * 16_807) % 2_147_483_647) % Math.max(1, count);
}

function finished(
  { definition, script, seed, maxParallelSteps }: ArbitraryRun,
  blobs?: SimulatedBlobs,
): SimulatedRun {
  const log = [queuedEvent(definition, { maxParallelSteps })];
  const run = new SimulatedRun(graphOf(definition), log, { ...(blobs && { blobs }) });
  run.takeUp();
  run.finish(script, choices(seed));
  return run;
}

it('a run comes to the same events with all of its values in blobs as with none', () => {
  let loads = 0;
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const blobs = new SimulatedBlobs();
      const run = finished(arbitrary, blobs);
      expect(run.events.map((event) => blobs.whole(event))).toEqual(finished(arbitrary).events);
      loads += blobs.loads;
    }),
    RUNS,
  );
  expect(loads).toBeGreaterThan(0);
});

it('a log with blobs gives the live state again when it is replayed', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const run = finished(arbitrary, new SimulatedBlobs());
      expect(essenceOf(replay(run.events, run.graph))).toEqual(essenceOf(run.state));
    }),
    RUNS,
  );
});
