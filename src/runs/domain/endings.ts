/**
 * How units end.
 *
 * Decided here: which events an end is made of, and whether what is around it goes on. Decided elsewhere: what those
 * events mean (settle.ts).
 */
import type { Failure } from '../../kernel/failure.js';
import type { Draft } from './draft.js';
import { toleratedFailures } from './holdings.js';
import type { Kept } from './kept.js';
import { keptField } from './kept-in-events.js';
import type { Consequence } from './run.commands.js';
import { spentOf, type ArtifactRef, type CancelReason, type Spent } from './run.events.js';
import { inOrder, type RunState } from './run.state.js';
import { isWithin, type Unit } from './unit.js';

/** What a unit has come to. */
export interface Completion extends Spent {
  readonly output: Kept;
  readonly artifacts?: readonly ArtifactRef[];
  readonly consequence?: Consequence;
}

/** Ends a unit as completed; as failed when what follows from its output could not be evaluated. */
export function completeUnit(draft: Draft, unit: Unit, completion: Completion): void {
  const { output, artifacts, consequence } = completion;
  const spent = spentOf(completion);
  if (consequence?.failure !== undefined) {
    failUnit(draft, unit, consequence.failure, spent);
    return;
  }
  for (const write of consequence?.writes ?? []) draft.run('context.updated', { ...write, by: unit.path });
  const made = artifacts === undefined ? {} : { artifacts };
  const next = consequence?.next === undefined ? {} : { next: consequence.next };
  draft.unit('completed', unit, { ...keptField('output', output), ...made, ...next, ...spent });
}

/** Ends a unit as failed. Where nothing handles that, what is around it is concluded next (plan.ts). */
export function failUnit(draft: Draft, unit: Unit, failure: Failure, spent: Spent = {}): void {
  cancelWithin(draft, unit);
  draft.unit('failed', unit, { failure, handled: isHandled(unit), ...spent });
}

/** Ends everything that is under way in the run. */
export function cancelAll(draft: Draft, reason: CancelReason): void {
  for (const unit of underWay(draft.state)) draft.unit('cancelled', unit, { reason });
}

/** Ends what is under way inside a unit. */
export function cancelWithin(draft: Draft, outer: Unit): void {
  if (outer.held === undefined) return;
  for (const unit of underWay(draft.state)) {
    if (isWithin(unit, outer)) draft.unit('cancelled', unit, { reason: 'step-failed' });
  }
}

/** Units with an open attempt or a wait, in order. */
function underWay({ frontier: { open, waiting } }: RunState): readonly Unit[] {
  return inOrder([...open, ...waiting]);
}

function isHandled({ role, step, holder, undoes }: Unit): boolean {
  if (undoes !== undefined) return true;
  switch (role) {
    case 'step':
      return step.onError === 'continue' || step.caughtBy !== undefined;
    case 'item': {
      const { held } = holder ?? {};
      if (held?.kind !== 'items' || step.forEach === undefined) return false;
      return held.failed.length < toleratedFailures(step.forEach, held.total);
    }
    case 'iteration':
      return false;
  }
}
