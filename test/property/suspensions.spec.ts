/** Waits of every kind, wherever they stand: each is its own, in any order, and nothing before them runs again. */
import fc from 'fast-check';

import { inOrder } from '../../src/runs/domain/run.state.js';
import type { Unit } from '../../src/runs/domain/unit.js';
import { arbitraryChoice } from '../support/arbitrary-definition.js';
import { SimulatedRun, type OpenAttempt } from '../support/simulated-run.js';

const RUNS = { numRuns: 300 };

/** A step that waits; the agent of `task` answers later. */
const suspension = fc.constantFrom<object>(
  { kind: 'approval' },
  { kind: 'approval', timeoutMs: 1e9 },
  { kind: 'signal', signal: 'go' },
  { kind: 'wait', durationMs: 40 },
  { kind: 'workflow', workflow: { name: 'other' } },
  { workflow: { name: 'other', version: 3 }, input: { n: 1 } },
  { agent: 'scripted', name: 'task' },
);

const forEach = fc.record(
  { items: fc.array(fc.constant(0), { maxLength: 4 }), maxConcurrency: fc.integer({ min: 1, max: 4 }) },
  { requiredKeys: ['items'] },
);
const repeat = fc.record({ maxIterations: fc.integer({ min: 1, max: 3 }) });

/** What a branch waits for: a step, one for each item, again and again, or in the body of a loop. */
const arbitraryWait = fc.oneof(
  suspension,
  fc.record({ one: suspension, forEach }).map(({ one, ...more }) => ({ ...one, ...more })),
  fc.record({ one: suspension, repeat }).map(({ one, ...more }) => ({ ...one, ...more })),
  fc.record({ one: suspension, repeat, forEach }).map(({ one, ...around }) => ({
    kind: 'loop',
    ...around,
    repeat: { ...around.repeat, body: { steps: chain('x', one) } },
  })),
);

/** Parallel branches of one step before, what waits, and one step after. */
const arbitraryBranches = fc
  .array(arbitraryWait, { minLength: 1, maxLength: 4 })
  .map((waits) => ({ steps: waits.flatMap((wait, index) => chain(`b${String(index)}`, wait)) }));

function chain(prefix: string, wait: object): readonly object[] {
  return [
    { id: `${prefix}_before`, agent: 'scripted' },
    { ...wait, id: `${prefix}_wait`, dependsOn: [`${prefix}_before`] },
    { id: `${prefix}_after`, agent: 'scripted', dependsOn: [`${prefix}_wait`] },
  ];
}

const isTask = ({ path }: OpenAttempt): boolean => /_wait[^/]*$/.test(path);

/** Ends every open attempt; those of tasks by a wait. */
function settle(run: SimulatedRun): void {
  for (let open = [...run.open.values()]; open.length > 0; open = [...run.open.values()]) {
    for (const attempt of open)
      run.report(attempt, isTask(attempt) ? { taskId: attempt.path } : { output: attempt.path });
  }
}

/** Gives a unit what it waits for: something that says which unit was meant. */
function resume(run: SimulatedRun, unit: Unit, number: number): void {
  const { path, wait, approval } = unit;
  const at = run.now;
  switch (wait?.for) {
    case 'approval':
      run.turn([{ type: 'answer', at, path, approval: approval?.id ?? '', decision: 'approve', data: path }]);
      break;
    case 'signal':
      run.turn([{ type: 'signal', at, name: 'go', data: number }]);
      break;
    case 'timer':
      run.now = Math.max(at, unit.dueAt ?? at);
      run.turn([]);
      break;
    default:
      run.deliver(unit, { output: path });
  }
}

/** Plays a run to its end in the order that `choose` picks; `dies` says before which waits its process dies. */
function played(
  definition: object,
  choose: (count: number) => number,
  dies: (count: number) => number,
): SimulatedRun {
  let run = SimulatedRun.of(definition);
  run.takeUp();
  for (let number = 0; ; number += 1) {
    settle(run);
    if (run.hasEnded) return run;
    if (dies(3) === 0) {
      run = new SimulatedRun(run.graph, run.events, { now: run.now });
      run.takeUp();
    }
    const waiting = inOrder(run.state.frontier.waiting);
    const unit = waiting[choose(waiting.length)];
    if (unit === undefined) throw new Error(`nothing can move the run: ${run.state.status}`);
    resume(run, unit, number);
  }
}

const arbitraryPlay = fc.tuple(arbitraryBranches, arbitraryChoice(), arbitraryChoice());

it('are each resumed once, by what was meant for them, in any order and over deaths of the process', () => {
  fc.assert(
    fc.property(arbitraryPlay, ([definition, choose, dies]) => {
      const { events, state } = played(definition, choose, dies);
      const signalled: unknown[] = [];
      const waits = new Map<string, string>();
      for (const { type, stepId = '', path = stepId, data } of events) {
        if (type.endsWith('.waiting') && stepId !== '') {
          expect(waits.has(path)).toBe(false);
          waits.set(path, (data as { readonly for: string }).for);
        }
        if (!type.endsWith('.completed') || !waits.has(path)) continue;
        const { output } = data as { readonly output: unknown };
        const kind = waits.get(path);
        if (kind === 'approval') expect(output).toMatchObject({ data: path });
        if (kind === 'task' || kind === 'run') expect(output).toBe(path);
        if (kind === 'signal') signalled.push(output);
      }

      expect(state.status).toBe('completed');
      expect(new Set(signalled).size).toBe(signalled.length);
    }),
    RUNS,
  );
});

it('are for a run of their own where that does the work, each the same over deaths of the process', () => {
  fc.assert(
    fc.property(arbitraryPlay, ([definition, choose, dies]) => {
      const { events } = played(definition, choose, dies);
      const runs = events.flatMap(({ type, data }) => {
        const { for: reason, ref = '' } = data as { readonly for?: string; readonly ref?: string };
        return type.endsWith('.waiting') && reason === 'run' ? [ref] : [];
      });
      const begun = events.flatMap(({ data }) => {
        const { subRunId } = data as { readonly subRunId?: string };
        return subRunId === undefined ? [] : [subRunId];
      });

      expect(runs).toEqual(begun);
      expect(new Set(runs).size).toBe(runs.length);
    }),
    RUNS,
  );
});

it('let nothing before them run again, and everything after them run once', () => {
  fc.assert(
    fc.property(arbitraryPlay, ([definition, choose, dies]) => {
      const started = played(definition, choose, dies)
        .events.filter(({ type }) => type.endsWith('.started') && type !== 'run.started')
        .map(({ stepId, path = stepId }) => path);

      expect(new Set(started).size).toBe(started.length);
      expect(started).toEqual(expect.arrayContaining(['b0_before', 'b0_after']));
    }),
    RUNS,
  );
});
