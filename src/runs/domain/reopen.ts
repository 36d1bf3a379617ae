/**
 * Opening what has ended, or was under way elsewhere, so that it goes on.
 *
 * Decided here: which units run again, and what they begin with. What has ended well stands; what has not starts anew,
 * with everything that comes after it. A unit that holds others starts again and goes on with them: only then is
 * looked at what it holds. Decided elsewhere: that a run is opened, and how (retry-run.ts, fork.ts).
 */
import { isBeyondTolerance } from './holdings.js';
import { emptyFrontier, markReady, settledCount, type RunState } from './run.state.js';
import { isSettled } from './run.status.js';
import { consider, joinOutcomeOf, makeItem } from './settle.js';
import { Targets } from './targets.js';
import {
  newHeldUnit,
  newScope,
  type Held,
  type HeldItems,
  type HeldIterations,
  type HeldRecord,
  type Reopening,
  type Scope,
  type ScopeRecord,
  type Unit,
  type UnitRecord,
} from './unit.js';

/** How a run is opened. */
export type Opening = Pick<Reopening, 'generation' | 'from' | 'takesUp'>;

/** The same while it is carried out. */
interface Again extends Omit<Opening, 'from'> {
  readonly targets: Targets;
}

/** Opens a run: it is queued, as if what runs again had never begun. */
export function reopen(state: RunState, opening: Opening): void {
  const targets = new Targets([...opening.from, ...undone(state)]);
  for (const path of targets.paths) state.undoable.delete(path);
  for (const { path, attempt } of state.compensations.values()) state.attemptsBefore.set(path, attempt);
  state.compensations.clear();
  forgetEnd(state);
  state.frontier = emptyFrontier();
  reopenScope(state, state.root, { ...opening, targets });
}

/** Ids of the steps that run again, or go on, when a run is opened. */
export function stepsAgain(state: RunState, from: readonly string[]): readonly string[] {
  const { again } = divided(state.root, new Targets([...from, ...undone(state)]));
  return state.root.units.flatMap(({ step }, index) => (again.has(index) ? [step.id] : []));
}

/** Opens what a unit held, when it starts again. */
export function reopenHeld(state: RunState, unit: Unit, reopening: Reopening): void {
  const again = { ...reopening, targets: new Targets(reopening.from) };
  const held: HeldRecord | undefined = unit.held;
  switch (held?.kind) {
    case 'items':
      reopenItems(state, unit, held, again);
      return;
    case 'iterations':
      reopenIterations(state, unit, held, again);
      return;
    case 'body': {
      const scope = revivedScope(held.scope, unit);
      unit.held = { kind: 'body', scope };
      reopenScope(state, scope, again);
      return;
    }
    case undefined:
      throw new TypeError(`${unit.path} held nothing that could be opened again`);
  }
}

/** Opens at once what else would be opened when it starts again: to see what of it stands. */
export function openThroughout(state: RunState): void {
  const left: Unit[] = [...state.root.units];
  for (let unit = left.pop(); unit !== undefined; unit = left.pop()) {
    if (unit.reopening !== undefined) reopenHeld(state, unit, unit.reopening);
    delete unit.reopening;
    if (unit.held !== undefined) left.push(...changeableIn(unit.held));
  }
}

/** What a unit holds and may still change. */
function changeableIn(held: Held): readonly Unit[] {
  switch (held.kind) {
    case 'items':
      return [...held.live.values(), ...held.again.values()];
    case 'iterations':
      return held.live === undefined ? [] : [held.live];
    case 'body':
      return held.scope.units;
  }
}

function forgetEnd(state: RunState): void {
  delete state.ending;
  delete state.fatal;
  delete state.failure;
  delete state.output;
  delete state.startedAt;
  delete state.endedAt;
  delete state.runningSince;
  delete state.graceUntil;
  delete state.cancelReason;
  state.status = 'queued';
  state.runningMs = 0;
  state.undoesOnCancel = false;
  state.deaths = 0;
  state.deathEpoch = 0;
}

/** Units whose effects were undone, or may have been: they have to be carried out again. */
function undone({ compensations }: RunState): readonly string[] {
  return [...compensations.values()].flatMap(({ undoes, firstStartedAt }) =>
    undoes === undefined || firstStartedAt === undefined ? [] : [undoes.path],
  );
}

/** Which steps of a scope run again, by index, and which of them from the beginning. */
interface Division {
  readonly again: ReadonlySet<number>;
  readonly anew: ReadonlySet<number>;
}

function divided({ graph, units }: ScopeRecord, targets: Targets): Division {
  const again = new Set<number>();
  const anew = new Set<number>();
  for (const [index, unit] of units.entries()) {
    const isAnew = unit.step.isLast || targets.has(unit.path);
    if (isAnew) anew.add(index);
    if (isAnew || !stands(unit) || targets.hasInside(unit.path)) again.add(index);
  }
  const left = [...again];
  for (let index = left.pop(); index !== undefined; index = left.pop()) {
    for (const dependent of graph.steps[index]?.dependents ?? []) {
      if (anew.has(dependent)) continue;
      anew.add(dependent);
      again.add(dependent);
      left.push(dependent);
    }
  }
  return { again, anew };
}

/** Whether a step has ended well, or so that the definition handles it. */
function stands({ status, step }: UnitRecord): boolean {
  if (status === 'failed') return step.onError === 'continue' || step.caughtBy !== undefined;
  return status === 'completed' || status === 'skipped';
}

function reopenScope(state: RunState, scope: Scope, how: Again): void {
  const { again, anew } = divided(scope, how.targets);
  for (const index of again) {
    const unit = scope.units[index];
    if (unit === undefined) continue;
    if (anew.has(index)) beginAnew(state, unit, how.generation);
    else goOn(state, unit, how);
  }
  delete scope.fatal;
  Object.assign(scope.counts, { completed: 0, failed: 0, skipped: 0, cancelled: 0 });
  for (const unit of scope.units) countDependencies(scope, unit);
  for (const unit of scope.units) {
    const { status, unsettled, step } = unit;
    if (status === 'pending' && unsettled === 0 && !step.isLast) consider(state, unit);
    else if (isSettled(status)) scope.counts[status as keyof Scope['counts']] += 1;
  }
  if (scope.holder !== undefined && settledCount(scope) === scope.units.length)
    state.frontier.closing.add(scope.holder);
}

function countDependencies({ units }: Scope, unit: Unit): void {
  const { dependencies } = unit.step;
  Object.assign(unit.settled, { completed: 0, handledFailures: 0, failed: 0, skipped: 0, cancelled: 0 });
  unit.unsettled = dependencies.length;
  for (const index of dependencies) {
    const dependency = units[index];
    const outcome = dependency && joinOutcomeOf(dependency);
    if (outcome === undefined) continue;
    unit.settled[outcome] += 1;
    unit.unsettled -= 1;
  }
}

/** A unit that has not ended well starts again: from the beginning, or with what it held. */
function goOn(state: RunState, unit: Unit, { generation, takesUp, targets }: Again): void {
  const { held, status } = unit;
  const isOver = isSettled(status);
  if (held === undefined && (isOver || !takesUp)) {
    beginAnew(state, unit, generation);
    return;
  }
  if (held !== undefined) {
    const hadFailed = status === 'failed';
    unit.reopening = { generation, from: targets.inside(unit.path), takesUp, hadFailed };
    unit.generation = generation;
  }
  forgetOutcome(unit);
}

function forgetOutcome(unit: Unit): void {
  unit.status = 'pending';
  unit.isHandled = false;
  unit.hasProgressed = false;
  unit.startedAt = undefined;
  unit.endedAt = undefined;
  unit.output = undefined;
  // the time of a repetition begins anew
  if (unit.step.repeat?.maxDurationMs !== undefined) unit.firstStartedAt = undefined;
  delete unit.failure;
  delete unit.skipReason;
  delete unit.dueAt;
  delete unit.wait;
  delete unit.approval;
}

/** As if the unit had never begun, but for the number of its attempts and what was spent. */
function beginAnew(state: RunState, unit: Unit, generation: number): void {
  if (unit.status !== 'pending') unit.generation = generation;
  if (unit.held !== undefined) giveUp(state.attemptsBefore, unit.held);
  forgetOutcome(unit);
  unit.firstStartedAt = undefined;
  unit.input = undefined;
  unit.failures = 0;
  unit.turns.length = 0;
  delete unit.held;
  delete unit.reopening;
  delete unit.artifacts;
  delete unit.subRunId;
}

/** Remembers the attempts of units that are given up. */
function giveUp(attempts: Map<string, number>, held: HeldRecord): void {
  for (const unit of allHeld(held)) {
    if (unit.attempt > 0) attempts.set(unit.path, unit.attempt);
    if (unit.held !== undefined) giveUp(attempts, unit.held);
  }
}

function allHeld(held: HeldRecord): readonly UnitRecord[] {
  switch (held.kind) {
    case 'items':
      return [...held.ended.values(), ...held.live.values(), ...held.again.values()];
    case 'iterations':
      return held.live === undefined ? held.ended : [...held.ended, held.live];
    case 'body':
      return held.scope.units;
  }
}

function reopenItems(state: RunState, holder: Unit, before: HeldItems, how: Again & Reopening): void {
  const { targets, hadFailed } = how;
  const { kind, total, made, failed } = before;
  const held: HeldItems = {
    kind,
    total,
    made,
    live: new Map(),
    ended: new Map(),
    again: new Map(),
    failed: [],
  };
  for (const record of allHeld(before).toSorted((a, b) => a.number - b.number)) {
    const { path, number, status } = record;
    const isAsked = targets.has(path) || targets.hasInside(path);
    const hasEnded = status === 'completed' || (status === 'failed' && !hadFailed);
    if (hasEnded && !isAsked) held.ended.set(number, record);
    else held.again.set(number, reopened(state, record, holder, how));
  }
  held.failed.push(...failed.filter((number) => held.ended.has(number)));
  holder.held = held;
  if (held.ended.size === total || isBeyondTolerance(holder, held)) state.frontier.closing.add(holder);
  else makeItem(state, holder, held);
}

/** Iterations come one after the other: those after the first that runs again are given up. */
function reopenIterations(
  state: RunState,
  holder: Unit,
  before: HeldIterations,
  how: Again & Reopening,
): void {
  const { targets, hadFailed } = how;
  const all = allHeld(before);
  const first = all.findIndex(
    ({ path, status }) => status !== 'completed' || targets.has(path) || targets.hasInside(path),
  );
  // one that was exhausted has one more try at its last iteration
  const exhausted = first === -1 && hadFailed ? all.at(-1) : undefined;
  const record = exhausted ?? all[first];
  if (record === undefined) {
    state.frontier.closing.add(holder);
    return;
  }
  giveUp(state.attemptsBefore, { kind: 'iterations', ended: all.slice(record.number + 1) });
  const asked = exhausted === undefined ? targets : new Targets([exhausted.path]);
  const live = reopened(state, record, holder, { ...how, targets: asked });
  holder.held = { kind: 'iterations', ended: all.slice(0, record.number), live };
  markReady(state, live);
}

/** An item or iteration that runs again: from the beginning where that is asked, else with what it held. */
function reopened(state: RunState, record: UnitRecord, holder: Unit, how: Again): Unit {
  const role = record.role === 'item' ? 'item' : 'iteration';
  const unit = revived(record, newHeldUnit(holder, role, record.number));
  if (how.targets.has(unit.path)) beginAnew(state, unit, how.generation);
  else goOn(state, unit, how);
  return unit;
}

function revivedScope(record: ScopeRecord, holder: Unit): Scope {
  const scope = newScope(record.graph, holder);
  for (const [index, unit] of scope.units.entries()) {
    const known = record.units[index];
    if (known !== undefined) revived(known, unit);
  }
  return scope;
}

/** A unit with what is known of it. What it holds stays as it was until it starts again. */
function revived(record: UnitRecord, unit: Unit): Unit {
  const { scope, holder, depth, settled, step } = unit;
  const known = record as UnitRecord & Partial<Unit>;
  const isHandled =
    known.isHandled ?? (record.role === 'step' && record.status === 'failed' && stands(record));
  const turns = [...(known.turns ?? [])];
  return Object.assign(unit, known, { step, scope, holder, depth, settled, isHandled, turns });
}
