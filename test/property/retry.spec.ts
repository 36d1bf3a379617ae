/** A run that has ended badly is retried: what has ended well stands, and nothing is done twice under one key. */
import fc from 'fast-check';

import { evolve, replay } from '../../src/runs/domain/evolve.js';
import { stateOfText, textOfState } from '../../src/runs/domain/fold-text.js';
import type { FirstEvent, RunEvent, RunEventOf } from '../../src/runs/domain/run.events.js';
import { rewoundContext } from '../../src/runs/domain/rewind.js';
import { initialState } from '../../src/runs/domain/run.state.js';
import { arbitraryChoice, arbitraryDefinition, arbitraryScript } from '../support/arbitrary-definition.js';
import { essenceOf, SimulatedRun, type Script } from '../support/simulated-run.js';
import { forbiddenChange, statusesOf, unitsOf } from '../support/status-changes.js';

const RUNS = { numRuns: 300 };
const MAX_RETRIES = 3;

const arbitraryRun = fc.record({
  definition: arbitraryDefinition(),
  script: arbitraryScript(),
  choose: arbitraryChoice(),
  maxParallelSteps: fc.integer({ min: 1, max: 4 }),
  /** After how many turns the run is cancelled, if that is before its end; and whether what was done is undone. */
  cancelAfter: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  compensate: fc.boolean(),
  /** Which of the units that have begun each retry begins with, if any. */
  from: fc.array(fc.option(fc.nat({ max: 50 }), { nil: undefined }), {
    minLength: MAX_RETRIES,
    maxLength: MAX_RETRIES,
  }),
});

type ArbitraryRun = typeof arbitraryRun extends fc.Arbitrary<infer T> ? T : never;

const succeed: Script = (path) => ({ output: { of: path } });

/** A run that was retried each time that it ended badly, a few times at most. */
function retried(arbitrary: ArbitraryRun): SimulatedRun {
  const { definition, script, choose, maxParallelSteps, cancelAfter, compensate, from } = arbitrary;
  const run = SimulatedRun.of(definition, { maxParallelSteps });
  run.takeUp();
  for (let turns = 0; !run.hasEnded && turns !== cancelAfter; turns += 1) run.step(script, choose);
  if (!run.hasEnded) run.turn([{ type: 'cancel', at: run.now, compensate }]);
  for (const nth of from) {
    run.finish(script, choose);
    if (run.state.status === 'completed') return run;
    const begun = unitsOf(run.state.root).filter(({ status }) => status !== 'pending');
    const fromStep = nth === undefined ? undefined : begun[nth % Math.max(1, begun.length)]?.path;
    const isFirm = nth !== undefined && nth % 2 === 0;
    const before = run.events.length;
    const context = rewoundContext(run.events, replay(run.events, run.graph), fromStep);
    run.turn([
      {
        ...{ type: 'retry', at: run.now },
        ...(fromStep !== undefined && { fromStep }),
        ...(context && { context }),
      },
    ]);
    expect(run.events[before]?.type).toBe('run.retried');
    if (isFirm) run.finish(succeed, choose);
  }
  run.finish(succeed, choose);
  return run;
}

/** Where a unit is over, for the time being. */
const ENDED = /\.(completed|failed|cancelled|skipped)$/;

it('ends again, and the log gives the live state', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const run = retried(arbitrary);
      expect(essenceOf(replay(run.events, run.graph))).toEqual(essenceOf(run.state));
    }),
    RUNS,
  );
});

it('makes no change of a status that the tables do not have', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const run = retried(arbitrary);
      const [first, ...rest] = run.events;
      const state = initialState(first as RunEventOf<'run.queued'>, run.graph);
      for (const event of rest) {
        const before = statusesOf(state);
        expect(forbiddenChange(before, statusesOf(evolve(state, event)))).toBeUndefined();
      }
    }),
    RUNS,
  );
});

it('numbers the attempts of a unit on, and gives those after an end another key', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const run = retried(arbitrary);
      const attempts = run.invoked.map(({ path, attempt }) => `${path}#${String(attempt)}`);
      expect(new Set(attempts).size).toBe(attempts.length);
      const generations = new Map(
        run.invoked.map(({ path, attempt, generation }) => [`${path}#${String(attempt)}`, generation]),
      );
      const used = new Map<string, number>();
      for (const { type, stepId = '', path = stepId, attempt = 0 } of run.events) {
        const generation = generations.get(`${path}#${String(attempt)}`);
        if (generation === undefined) continue;
        if (type.endsWith('.started')) expect(generation).toBeGreaterThan(used.get(path) ?? 0);
        else if (ENDED.test(type)) used.set(path, generation);
      }
    }),
    RUNS,
  );
});

it('lets steps stand that the event does not name', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const { events } = retried(arbitrary);
      for (const [index, event] of events.entries()) {
        if (event.type !== 'run.retried') continue;
        const later = untilNextRetry(events.slice(index + 1));
        // what is undone and what comes last follows at every end
        const again = later.filter(({ type, path = '' }) => type !== 'step.skipped' && !path.includes('~'));
        const touched = new Set(again.map(({ stepId, path = stepId }) => /^[^[/]+/.exec(path ?? '')?.[0]));
        touched.delete(undefined);
        expect(event.data.steps).toEqual(expect.arrayContaining([...touched]));
      }
    }),
    RUNS,
  );
});

it('does not do completed items of a failed step again', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const run = retried({ ...arbitrary, compensate: false, from: [undefined, undefined, undefined] });
      const { events } = run;
      const isUndone = events.some(({ path }) => path?.includes('~') === true);
      fc.pre(!isUndone);
      const done = new Set<string>();
      const last = new Set(run.graph.lastSteps.map((index) => run.graph.steps[index]?.id));
      for (const { type, stepId, path = '' } of events) {
        // what comes last comes at every end
        if (!/^\w+\[\d+\]$/.test(path) || last.has(stepId)) continue;
        if (type === 'item.completed') done.add(path);
        if (type === 'item.started') expect(done).not.toContain(path);
      }
    }),
    RUNS,
  );
});

it('has in its context what each completed step has written, once', () => {
  fc.assert(
    fc.property(arbitraryRun, (arbitrary) => {
      const { state } = retried(arbitrary);
      const writers = state.root.units.filter(
        ({ step, status }) => status === 'completed' && step.writes.length > 0,
      );
      const { count = 0 } = (state.context['ended'] ?? {}) as { readonly count?: number };
      expect(count).toBe(writers.length);
    }),
    RUNS,
  );
});

it('is the same from a checkpoint of any prefix of its log', () => {
  fc.assert(
    fc.property(arbitraryRun, fc.nat({ max: 300 }), (arbitrary, length) => {
      const { events, graph, state } = retried(arbitrary);
      const at = 1 + (length % events.length);
      const text = textOfState(replay(events.slice(0, at), graph));
      const loaded = stateOfText(text, events[0] as FirstEvent, graph);
      expect(essenceOf(loaded)).toEqual(essenceOf(replay(events.slice(0, at), graph)));
      expect(essenceOf(events.slice(at).reduce(evolve, loaded))).toEqual(essenceOf(state));
    }),
    RUNS,
  );
});

it('is resumed from any prefix of its log', () => {
  fc.assert(
    fc.property(arbitraryRun, fc.nat({ max: 300 }), (arbitrary, length) => {
      const { events, graph } = retried(arbitrary);
      const prefix = events.slice(0, 1 + (length % events.length));
      const run = new SimulatedRun(graph, prefix, { now: Date.parse(prefix.at(-1)?.at ?? '') });
      if (run.hasEnded) return;
      run.takeUp();
      run.finish(succeed);
      expect(essenceOf(replay(run.events, run.graph))).toEqual(essenceOf(run.state));
    }),
    RUNS,
  );
});

function untilNextRetry(events: readonly RunEvent[]): readonly RunEvent[] {
  const next = events.findIndex(({ type }) => type === 'run.retried');
  return next === -1 ? events : events.slice(0, next);
}
