/** The statuses of a run and its units, and whether one may follow another. */
import type { RunState } from '../../src/runs/domain/run.state.js';
import {
  RUN_TRANSITIONS,
  STEP_TRANSITIONS,
  type RunStatus,
  type StepStatus,
} from '../../src/runs/domain/run.status.js';
import type { ScopeRecord, UnitRecord } from '../../src/runs/domain/unit.js';

export interface Statuses {
  readonly run: RunStatus;
  /** By the path of the unit. */
  readonly units: ReadonlyMap<string, StepStatus>;
}

/** The statuses as they are now. */
export function statusesOf({ status, root, compensations }: RunState): Statuses {
  const units = [...unitsOf(root), ...compensations.values()];
  return { run: status, units: new Map(units.map((unit) => [unit.path, unit.status])) };
}

/** Every unit that there is, those that have ended too. */
export function unitsOf({ units }: ScopeRecord): readonly UnitRecord[] {
  return units.flatMap((unit) => [unit, ...heldUnitsOf(unit)]);
}

function heldUnitsOf({ held }: UnitRecord): readonly UnitRecord[] {
  switch (held?.kind) {
    case 'items':
      return withHeld([...held.live.values(), ...held.ended.values(), ...held.again.values()]);
    case 'iterations':
      return withHeld(held.live === undefined ? held.ended : [...held.ended, held.live]);
    case 'body':
      return unitsOf(held.scope);
    case undefined:
      return [];
  }
}

function withHeld(units: readonly UnitRecord[]): readonly UnitRecord[] {
  return units.flatMap((unit) => [unit, ...heldUnitsOf(unit)]);
}

/** The first change that the transition tables do not allow, in words; undefined when there is none. */
export function forbiddenChange(before: Statuses, after: Statuses): string | undefined {
  if (!isAllowed(RUN_TRANSITIONS, before.run, after.run)) return `run: ${before.run} -> ${after.run}`;
  for (const [path, to] of after.units) {
    const from = before.units.get(path) ?? 'pending';
    if (!isAllowed(STEP_TRANSITIONS, from, to)) return `${path}: ${from} -> ${to}`;
  }
  return undefined;
}

function isAllowed<S extends string>(table: { readonly [From in S]: readonly S[] }, from: S, to: S): boolean {
  return from === to || table[from].includes(to);
}
