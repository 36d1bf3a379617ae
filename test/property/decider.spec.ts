/** No order of events breaks an invariant of the decider. */
import fc from 'fast-check';

import { replay } from '../../src/runs/domain/evolve.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { essenceOf, SimulatedRun } from '../support/simulated-run.js';

const RUNS = { numRuns: 1_000 };
const slots = fc.integer({ min: 1, max: 4 });
const SETTLED: ReadonlySet<string> = new Set([
  'step.completed',
  'step.failed',
  'step.skipped',
  'step.cancelled',
]);

const arbitraryRun = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  choose: arbitraryChoice(),
  maxParallelSteps: slots,
});

type ArbitraryRun = typeof arbitraryRun extends fc.Arbitrary<infer T> ? T : never;

function finished({ definition, script, choose, maxParallelSteps }: ArbitraryRun): SimulatedRun {
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  run.finish(script, choose);
  return run;
}

/** What the end of a run consists of, whatever the order in which its steps ended. */
function endOf({ status, output, steps }: RunState): unknown {
  return {
    status,
    output,
    steps: steps.map((step) => [step.status, step.output, step.skipReason, step.failures]),
  };
}

describe('the decider', () => {
  it('starts a step only after all its dependencies have settled', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        const settled = new Set<string>();
        for (const { type, stepId = '' } of run.events) {
          if (type === 'step.started') {
            const dependencies = run.graph.steps[run.graph.indexOf.get(stepId) ?? -1]?.dependencies ?? [];
            for (const index of dependencies) expect(settled).toContain(run.graph.steps[index]?.id);
          }
          if (SETTLED.has(type)) settled.add(stepId);
        }
      }),
      RUNS,
    );
  });

  it('ends every run, and every step of a completed run exactly once', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        const ends = run.events.filter(({ type }) => SETTLED.has(type)).map(({ stepId }) => stepId);
        expect(new Set(ends).size).toBe(ends.length);
        expect(run.hasEnded).toBe(true);
        if (run.state.status === 'completed') expect(ends).toHaveLength(run.graph.steps.length);
      }),
      RUNS,
    );
  });

  it('numbers events from 1 without a gap', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const numbers = finished(arbitrary).events.map(({ seq }) => seq);
        expect(numbers).toEqual(numbers.map((_, index) => index + 1));
      }),
      RUNS,
    );
  });

  it('gives the live state again when the log is replayed', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        expect(essenceOf(replay(run.events, run.graph))).toEqual(essenceOf(run.state));
      }),
      RUNS,
    );
  });

  it('resumes any prefix of the log to the same end', () => {
    fc.assert(
      fc.property(arbitraryRun, fc.nat(), (arbitrary, cut) => {
        // Which unhandled failure comes first depends on the order of outcomes, so all failures are handled here.
        const steps = arbitrary.definition.steps.map((step) => ({ ...step, onError: 'continue' as const }));
        const calm = { ...arbitrary, definition: { ...arbitrary.definition, steps } };
        const whole = finished(calm);
        const { events } = whole;
        const prefix = events.slice(0, 1 + (cut % events.length));
        const resumed = new SimulatedRun(whole.graph, prefix, whole.now);
        if (!resumed.hasEnded) {
          resumed.takeUp();
          resumed.finish(arbitrary.script, arbitrary.choose);
        }
        expect(endOf(resumed.state)).toEqual(endOf(whole.state));
      }),
      RUNS,
    );
  });

  it('comes to the same end whatever the order of outcomes, when every failure is handled', () => {
    fc.assert(
      fc.property(arbitraryRun, arbitraryChoice(), slots, (arbitrary, choose, maxParallelSteps) => {
        const steps = arbitrary.definition.steps.map((step) => ({ ...step, onError: 'continue' as const }));
        const calm = { ...arbitrary, definition: { ...arbitrary.definition, steps } };
        expect(endOf(finished({ ...calm, choose, maxParallelSteps }).state)).toEqual(
          endOf(finished(calm).state),
        );
      }),
      RUNS,
    );
  });

  it('is changed by no report that comes twice, late, or about another attempt', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = SimulatedRun.of(arbitrary.definition, { maxParallelSteps: arbitrary.maxParallelSteps });
        run.takeUp();
        while (!run.hasEnded) {
          const before = [...run.open.values()];
          run.step(arbitrary.script, arbitrary.choose);
          for (const attempt of before.filter(({ stepId }) => !run.open.has(stepId))) {
            const stale = run.reportOf(attempt, { output: 'stale' });
            const early = run.reportOf({ ...attempt, attempt: attempt.attempt + 7 }, { output: 'early' });
            expect(run.turn([stale, early])).toEqual([]);
          }
        }
      }),
      RUNS,
    );
  });

  it('ends as cancelled wherever it is cancelled, and starts nothing more', () => {
    fc.assert(
      fc.property(arbitraryRun, fc.nat({ max: 30 }), (arbitrary, steps) => {
        const run = SimulatedRun.of(arbitrary.definition, { maxParallelSteps: arbitrary.maxParallelSteps });
        run.takeUp();
        for (let i = 0; i < steps && !run.hasEnded; i += 1) run.step(arbitrary.script, arbitrary.choose);
        if (run.hasEnded) return;
        const after: RunEvent[] = [...run.turn([{ type: 'cancel', at: run.now }])];
        for (const { stepId, attempt } of [...run.open.values()]) {
          after.push(...run.turn([{ type: 'aborted', at: run.now, stepId, attempt }]));
        }
        expect(run.state.status).toBe('cancelled');
        expect(after.map(({ type }) => type)).not.toContain('step.started');
        expect(run.turn([{ type: 'tick', at: run.now + 1e9 }])).toEqual([]);
      }),
      RUNS,
    );
  });

  it('never opens more attempts than it has places for, and one place is enough', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = SimulatedRun.of(arbitrary.definition, { maxParallelSteps: arbitrary.maxParallelSteps });
        run.takeUp();
        while (!run.hasEnded) {
          expect(run.open.size).toBeLessThanOrEqual(arbitrary.maxParallelSteps);
          run.step(arbitrary.script, arbitrary.choose);
        }
        expect(finished({ ...arbitrary, maxParallelSteps: 1 }).hasEnded).toBe(true);
      }),
      RUNS,
    );
  });

  it('tries a step at most as often as its policy allows, and no sooner than its back-off', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        const { maxAttempts } = arbitrary.definition.retry;
        for (const step of run.state.steps) expect(step.attempt).toBeLessThanOrEqual(maxAttempts);
        const due = new Map<string, number>();
        for (const event of run.events) {
          if (event.type === 'step.retrying') due.set(event.stepId ?? '', Date.parse(event.data.retryAt));
          if (event.type === 'step.started') {
            expect(Date.parse(event.at)).toBeGreaterThanOrEqual(due.get(event.stepId ?? '') ?? 0);
          }
        }
      }),
      RUNS,
    );
  });
});
