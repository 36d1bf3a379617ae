/** A simulated run comes to the same whether its process dies after every append or never. */
import fc from 'fast-check';

import { checkLog } from '../support/invariants/log-invariants.js';
import { arbitraryDefinition, type ArbitraryStep } from '../support/arbitrary-definition.js';
import { graphOf, queuedEvent } from '../support/simulated-run.js';
import { differencesBetween } from '../../src/runs/simulation/comparison.js';
import { Mocks } from '../../src/runs/simulation/mocks.js';
import type { Mock, MockTable } from '../../src/runs/simulation/mock.schema.js';
import { VirtualRun, type CrashAfter } from '../../src/runs/simulation/virtual-run.js';

/** More turns than any run of these sizes takes. */
const MAX_TURNS = 10_000;

const failure = (retryable: boolean): Mock => ({ failure: { code: 'agent.overloaded', retryable } });

const arbitraryMock: fc.Arbitrary<Mock> = fc.oneof(
  { weight: 3, arbitrary: fc.nat({ max: 200 }).map((delayMs) => ({ output: { delayMs }, delayMs })) },
  { weight: 1, arbitrary: fc.boolean().map(failure) },
);

/** By ids of steps as arbitrary definitions have them. */
const arbitraryMocks = fc.dictionary(
  fc.constantFrom('s0', 's1', 's2', 's3', 's0_0', 's1_0', 's2_0'),
  fc.oneof(arbitraryMock, fc.array(arbitraryMock, { minLength: 1, maxLength: 4 })),
);

/** A step that waits for a signal of its own: of several that wait for one, who gets it depends on when they began. */
function withOwnSignal(step: ArbitraryStep): ArbitraryStep {
  return step['kind'] === 'signal' ? { ...step, signal: step.id } : step;
}

/**
 * Mocks whose answers do not depend on when they are asked: items and what bodies hold share no list of answers, and no
 * signal comes to steps of bodies.
 */
function timeless(
  mocks: Readonly<Record<string, Mock | readonly Mock[]>>,
  steps: readonly ArbitraryStep[],
): MockTable {
  const isOne = (name: string): boolean =>
    steps.some(({ id, ...step }) => id === name && step['forEach'] === undefined);
  const signals = new Set(
    Array.from(JSON.stringify(steps).matchAll(/"kind":"signal"[^{}]*?"id":"(s\d_\d)"/g), ([, id]) => id),
  );
  return Object.fromEntries(
    Object.entries(mocks)
      .filter(([name]) => !signals.has(name))
      .map(([name, mock]) => [
        name,
        Array.isArray(mock) && !isOne(name) ? (mock as readonly Mock[])[0] : mock,
      ]),
  ) as MockTable;
}

it('comes to the same with a crash after every append, and keeps what any log keeps', () => {
  fc.assert(
    fc.property(arbitraryDefinition(6), arbitraryMocks, (arbitrary, mocks) => {
      // Which unhandled failure comes first depends on when outcomes come, so all failures are handled here.
      const steps = arbitrary.steps.map((step): ArbitraryStep => ({ ...step, onError: 'continue' }));
      const definition = { ...arbitrary, steps: steps.map(withOwnSignal) };
      const table = timeless(mocks, definition.steps);
      const graph = graphOf(definition);
      const simulate = (crashAfter: CrashAfter): VirtualRun => {
        const queued = queuedEvent(definition, { maxParallelSteps: 3 });
        const run = new VirtualRun({ queued, graph, mocks: new Mocks(table), crashAfter });
        for (let turns = 0; run.step(); turns += 1) expect(turns).toBeLessThan(MAX_TURNS);
        return run;
      };
      const calm = simulate('none');
      const crashed = simulate('every');

      expect(crashed.state.status).toBe('completed');
      expect(differencesBetween(calm.state, crashed.state)).toEqual([]);
      expect(checkLog({ runId: crashed.state.runId, events: crashed.log }, graph)).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});
