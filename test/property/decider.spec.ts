/** No order of events breaks an invariant of the decider. */
import fc from 'fast-check';

import { replay } from '../../src/runs/domain/evolve.js';
import type { RunEvent, RunEventOf } from '../../src/runs/domain/run.events.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import { allSteps } from '../../src/workflows/domain/graph.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { essenceOf, SimulatedRun } from '../support/simulated-run.js';
import { unitsOf } from '../support/status-changes.js';

const RUNS = { numRuns: 1_000 };
const slots = fc.integer({ min: 1, max: 4 });
const SETTLED: ReadonlySet<string> = new Set([
  ...['step', 'item', 'iteration'].flatMap((role) => [
    `${role}.completed`,
    `${role}.failed`,
    `${role}.cancelled`,
  ]),
  'step.skipped',
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
function endOf({ status, output, context, root }: RunState): unknown {
  return {
    status,
    output,
    context,
    steps: root.units.map((step) => [step.status, step.output, step.skipReason, step.failures]),
  };
}

/** A log without writes at its end whose completion is missing: both stand in one append. */
function untorn(events: readonly RunEvent[]): readonly RunEvent[] {
  return events.slice(0, 1 + events.findLastIndex(({ type }) => type !== 'context.updated'));
}

/** Paths of the steps that the step at a path waits for: its siblings, at the same place. */
function dependenciesOf({ graph }: SimulatedRun, path: string): readonly string[] {
  const [prefix = '', id = ''] = /^(.*\/)?([^/]+)$/.exec(path)?.slice(1) ?? [];
  const key = path.replaceAll(/\[\d+\]/g, '');
  const step = [...allSteps(graph)].find((one) => one.key === key);
  const siblings = [...allSteps(graph)].filter((one) => one.key === `${key.slice(0, -id.length)}${one.id}`);
  return (step?.dependencies ?? []).map(
    (index) => `${prefix}${siblings.find((one) => one.index === index)?.id ?? ''}`,
  );
}

describe('the decider', () => {
  it('starts a step only after all its dependencies have settled', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        const settled = new Set<string>();
        for (const { type, stepId = '', path = stepId } of run.events) {
          if (type === 'step.started') {
            for (const dependency of dependenciesOf(run, path)) expect(settled).toContain(dependency);
          }
          if (SETTLED.has(type)) settled.add(path);
        }
      }),
      RUNS,
    );
  });

  it('ends every run, and every step of a completed run exactly once', () => {
    fc.assert(
      fc.property(arbitraryRun, (arbitrary) => {
        const run = finished(arbitrary);
        const ends = run.events
          .filter(({ type }) => SETTLED.has(type))
          .map(({ stepId, path = stepId }) => path);
        expect(new Set(ends).size).toBe(ends.length);
        expect(run.hasEnded).toBe(true);
        if (run.state.status === 'completed') {
          expect(ends).toEqual(expect.arrayContaining(run.state.root.units.map(({ path }) => path)));
        }
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
        const prefix = untorn(events.slice(0, 1 + (cut % events.length)));
        const resumed = new SimulatedRun(whole.graph, prefix, { now: whole.now });
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
          for (const attempt of before.filter(({ path }) => !run.open.has(path))) {
            const stale = run.reportOf(attempt, { output: 'stale' });
            const early = run.reportOf({ ...attempt, attempt: attempt.attempt + 7 }, { output: 'early' });
            expect(run.turn([stale, early])).toEqual([]);
          }
        }
      }),
      RUNS,
    );
  });

  it('ends wherever it is cancelled, and starts nothing more but what comes last', () => {
    fc.assert(
      fc.property(arbitraryRun, fc.nat({ max: 30 }), fc.boolean(), (arbitrary, steps, compensate) => {
        const run = SimulatedRun.of(arbitrary.definition, { maxParallelSteps: arbitrary.maxParallelSteps });
        run.takeUp();
        for (let i = 0; i < steps && !run.hasEnded; i += 1) run.step(arbitrary.script, arbitrary.choose);
        if (run.hasEnded) return;
        const { length } = run.events;
        const isEnding = run.state.ending !== undefined;
        run.turn([{ type: 'cancel', at: run.now, compensate }]);
        for (const { path, attempt } of [...run.open.values()])
          run.turn([{ type: 'aborted', at: run.now, path, attempt }]);
        run.finish(arbitrary.script, arbitrary.choose);

        if (!isEnding) expect(run.state.status).toBe('cancelled');
        const isLast = (path: string): boolean =>
          path.endsWith('~compensate') ? compensate : (step(path)?.finally ?? false);
        const step = (path: string): { finally?: boolean } | undefined =>
          arbitrary.definition.steps.find(({ id }) => id === /^\w+/.exec(path)?.[0]);
        for (const { type, stepId = '', path = stepId } of run.events.slice(length))
          if (type === 'step.started') expect([path, isLast(path)]).toEqual([path, true]);
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
        for (const unit of unitsOf(run.state.root)) expect(unit.attempt).toBeLessThanOrEqual(maxAttempts);
        const due = new Map<string, number>();
        for (const event of run.events) {
          const { type, stepId = '', path = stepId } = event;
          if (type.endsWith('.retrying')) {
            due.set(path, Date.parse((event as RunEventOf<'step.retrying'>).data.retryAt));
          }
          if (type.endsWith('.started')) {
            expect(Date.parse(event.at)).toBeGreaterThanOrEqual(due.get(path) ?? 0);
          }
        }
      }),
      RUNS,
    );
  });
});
