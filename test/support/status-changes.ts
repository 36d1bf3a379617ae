/** The statuses of a run and its steps, and whether one may follow another. */
import type { RunState } from '../../src/runs/domain/run.state.js';
import {
  RUN_TRANSITIONS,
  STEP_TRANSITIONS,
  type RunStatus,
  type StepStatus,
} from '../../src/runs/domain/run.status.js';

export interface Statuses {
  readonly run: RunStatus;
  readonly steps: readonly StepStatus[];
}

/** The statuses as they are now. */
export function statusesOf({ status, steps }: RunState): Statuses {
  return { run: status, steps: steps.map((step) => step.status) };
}

/** The first change that the transition tables do not allow, in words; undefined when there is none. */
export function forbiddenChange(before: Statuses, after: Statuses): string | undefined {
  if (!isAllowed(RUN_TRANSITIONS, before.run, after.run)) return `run: ${before.run} -> ${after.run}`;
  for (const [index, from] of before.steps.entries()) {
    const to = after.steps[index] ?? from;
    if (!isAllowed(STEP_TRANSITIONS, from, to)) return `step ${String(index)}: ${from} -> ${to}`;
  }
  return undefined;
}

function isAllowed<S extends string>(table: { readonly [From in S]: readonly S[] }, from: S, to: S): boolean {
  return from === to || table[from].includes(to);
}
