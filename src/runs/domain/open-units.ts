/** The units of a run that have not ended, in the order of the definition, each before those that it holds. */
import { isSettled } from './run.status.js';
import type { RunState } from './run.state.js';
import { compareUnits, type Held, type Scope, type Unit } from './unit.js';

export function* openUnits({ root, compensations }: RunState): Generator<Unit, void, undefined> {
  yield* openIn(root);
  for (const unit of [...compensations.values()].toSorted(compareUnits)) yield* withHeld(unit);
}

function* openIn({ units }: Scope): Generator<Unit, void, undefined> {
  for (const unit of units) yield* withHeld(unit);
}

function* withHeld(unit: Unit): Generator<Unit, void, undefined> {
  if (isSettled(unit.status)) return;
  yield unit;
  if (unit.held !== undefined) yield* openOf(unit.held);
}

function* openOf(held: Held): Generator<Unit, void, undefined> {
  switch (held.kind) {
    case 'items':
      for (const item of [...held.live.values()].toSorted(compareUnits)) yield* withHeld(item);
      break;
    case 'iterations':
      if (held.live !== undefined) yield* withHeld(held.live);
      break;
    case 'body':
      yield* openIn(held.scope);
      break;
  }
}
