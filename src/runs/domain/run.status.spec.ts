import fc from 'fast-check';

import {
  arbitraryChoice,
  arbitraryDefinition,
  arbitraryScript,
} from '../../../test/support/arbitrary-definition.js';
import { SimulatedRun } from '../../../test/support/simulated-run.js';
import { forbiddenChange, statusesOf } from '../../../test/support/status-changes.js';
import { evolve } from './evolve.js';
import { initialState } from './run.state.js';
import type { RunEvent, RunEventOf } from './run.events.js';
import {
  ATTEMPT_TRANSITIONS,
  isTerminal,
  RUN_STATUSES,
  RUN_TRANSITIONS,
  STEP_STATUSES,
  STEP_TRANSITIONS,
} from './run.status.js';

interface Table {
  readonly name: string;
  readonly transitions: Readonly<Record<string, readonly string[]>>;
  readonly first: string;
  /** Where it may rest for ever. */
  readonly ends: readonly string[];
}

const STEP_ENDS = ['completed', 'failed', 'skipped', 'cancelled'];
const TABLES: readonly Table[] = [
  { name: 'run', transitions: RUN_TRANSITIONS, first: 'queued', ends: RUN_STATUSES.filter(isTerminal) },
  { name: 'step', transitions: STEP_TRANSITIONS, first: 'pending', ends: STEP_ENDS },
  {
    name: 'attempt',
    transitions: ATTEMPT_TRANSITIONS,
    first: 'running',
    ends: Object.keys(ATTEMPT_TRANSITIONS).filter((status) => status !== 'running'),
  },
];

describe.each(TABLES)('the transitions of a $name', ({ transitions, first, ends }) => {
  const statuses = Object.keys(transitions);

  it('lead from known statuses to known statuses, never to themselves', () => {
    for (const [from, to] of Object.entries(transitions)) {
      expect(statuses).toEqual(expect.arrayContaining([...to]));
      expect(new Set(to).size).toBe(to.length);
      expect(to).not.toContain(from);
    }
  });

  it('reach every status from the first', () => {
    expect([...reachable(transitions, first)].toSorted()).toEqual(statuses.toSorted());
  });

  it.each(statuses)('lead from %s to an end', (status) => {
    expect([...reachable(transitions, status)].some((one) => ends.includes(one))).toBe(true);
  });
});

it('names every status of run and step in the tables', () => {
  expect(Object.keys(RUN_TRANSITIONS)).toEqual([...RUN_STATUSES]);
  expect(Object.keys(STEP_TRANSITIONS)).toEqual([...STEP_STATUSES]);
});

it('calls the four ends of a run terminal', () => {
  expect(RUN_STATUSES.filter(isTerminal)).toEqual(['completed', 'failed', 'cancelled', 'timed_out']);
});

describe('the status changes that events make', () => {
  /** What may come between outcomes. */
  const disturbance = fc.constantFrom('none', 'none', 'none', 'pause', 'resume', 'cancel', 'owner', 'late');
  const arbitraryRun = fc.record({
    definition: arbitraryDefinition(),
    script: arbitraryScript(),
    choose: arbitraryChoice(),
    disturbances: fc.array(disturbance, { maxLength: 30 }),
    maxParallelSteps: fc.integer({ min: 1, max: 4 }),
  });

  it('are all in the tables', () => {
    fc.assert(
      fc.property(arbitraryRun, ({ definition, script, choose, disturbances, maxParallelSteps }) => {
        const run = SimulatedRun.of(definition, { maxParallelSteps, timeoutMs: 500 });
        run.takeUp();
        for (const what of disturbances)
          if (!run.hasEnded) disturb(run, what, () => run.step(script, choose));
        expect(changesNotAllowed(run.events, run)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  function disturb(run: SimulatedRun, what: string, goOn: () => void): void {
    const at = run.now;
    switch (what) {
      case 'pause':
      case 'resume':
      case 'cancel':
        run.turn([{ type: what, at }]);
        break;
      case 'owner':
        run.takeUp();
        break;
      case 'late':
        run.now += 400;
        run.turn([]);
        break;
      default:
        if (run.open.size > 0) goOn();
    }
  }
});

function changesNotAllowed(events: readonly RunEvent[], { graph }: SimulatedRun): readonly string[] {
  const [first, ...rest] = events;
  const state = initialState(first as RunEventOf<'run.queued'>, graph);
  return rest.flatMap((event) => {
    const before = statusesOf(state);
    const found = forbiddenChange(before, statusesOf(evolve(state, event)));
    return found === undefined ? [] : [`${event.type}: ${found}`];
  });
}

/** The status itself and all that may follow it. */
function reachable(
  transitions: Table['transitions'],
  from: string,
  seen = new Set<string>(),
): ReadonlySet<string> {
  seen.add(from);
  for (const next of transitions[from] ?? []) if (!seen.has(next)) reachable(transitions, next, seen);
  return seen;
}
