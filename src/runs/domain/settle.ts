/**
 * What the end of a unit means for what is around it, and how units are made.
 *
 * Decided here: joins, which items and iterations exist, when the unit around is to be closed. Each end costs in the
 * number of the step's dependents and of what was left inside the unit, never in the number of units of the run.
 */
import type { Failure } from '../../kernel/failure.js';
import { decideJoin, type JoinCounts } from '../../workflows/domain/join.js';
import { isBeyondTolerance } from './holdings.js';
import { settleLast } from './last-steps.js';
import type { LoopNext } from './run.events.js';
import { markReady, openScope, settledCount, type RunState } from './run.state.js';
import { isSettled } from './run.status.js';
import {
  newHeldUnit,
  newScope,
  recordOf,
  type Held,
  type HeldItems,
  type HeldIterations,
  type Scope,
  type Unit,
} from './unit.js';

/** Opens a unit that holds others: what it holds first is made. */
export function openHeld(state: RunState, unit: Unit, kind: Held['kind'], items = 0): void {
  switch (kind) {
    case 'items': {
      const held: HeldItems = {
        kind,
        total: items,
        live: new Map(),
        ended: new Map(),
        made: 0,
        again: new Map(),
        failed: [],
      };
      unit.held = held;
      if (items === 0) state.frontier.closing.add(unit);
      else makeItem(state, unit, held);
      return;
    }
    case 'iterations': {
      const held: HeldIterations = { kind, ended: [] };
      unit.held = held;
      makeIteration(state, unit, held);
      return;
    }
    case 'body': {
      const { body } = unit.step.repeat ?? {};
      if (body === undefined) throw new TypeError(`step ${unit.step.key} has no body`);
      const scope = newScope(body, unit);
      for (const step of scope.units) remember(state, step);
      unit.held = { kind, scope };
      openScope(state, scope);
      return;
    }
  }
}

/** Makes the next item once the one before it is under way, while another may be. */
export function makeNextItem(state: RunState, { holder }: Unit): void {
  if (holder?.held?.kind === 'items') makeItem(state, holder, holder.held);
}

/** Ends a unit and tells what is around it. */
export function settle(
  state: RunState,
  unit: Unit,
  end: {
    readonly status: 'completed' | 'failed' | 'skipped' | 'cancelled';
    readonly at: number;
    readonly next?: LoopNext;
  },
): void {
  leave(state, unit);
  unit.status = end.status;
  unit.endedAt = end.at;
  if (unit.held !== undefined) discard(state, unit.held);
  switch (unit.role) {
    case 'step':
      settleStep(state, unit, end.status);
      break;
    case 'item':
      settleItem(state, unit);
      break;
    case 'iteration':
      settleIteration(state, unit, end.next);
      break;
  }
}

/** The run ends: what has not ended before will never run. */
export function abandon(state: RunState): void {
  for (const unit of state.root.units) {
    if (unit.step.isLast || isSettled(unit.status)) continue;
    leave(state, unit);
    unit.status = 'cancelled';
    if (unit.held !== undefined) discard(state, unit.held);
  }
  delete state.fatal;
  delete state.root.fatal;
}

/** Takes a unit out of everything that says what can happen to it next. */
export function leave({ frontier }: RunState, unit: Unit): void {
  switch (unit.status) {
    case 'ready':
      frontier.readyCount -= 1;
      frontier.skips.delete(unit);
      if (unit.dueAt !== undefined) delete unit.dueAt;
      break;
    case 'running':
      frontier.open.delete(unit);
      frontier.uninvoked.delete(unit);
      frontier.closing.delete(unit);
      if (unit.dueAt !== undefined) delete unit.dueAt;
      break;
    case 'retrying':
      delete unit.dueAt;
      break;
    case 'waiting':
      frontier.waiting.delete(unit);
      frontier.subRuns.delete(unit);
      if (unit.wait?.name !== undefined) frontier.awaiting.get(unit.wait.name)?.delete(unit);
      delete unit.dueAt;
      delete unit.wait;
      delete unit.approval;
      break;
    default:
      break;
  }
}

/** Makes the next item, unless the one before it waits for its turn or no other may be under way. */
export function makeItem(state: RunState, holder: Unit, held: HeldItems): void {
  const { newest } = held;
  const isWaiting = newest?.status === 'ready' && newest.startedAt === undefined;
  if (isWaiting || held.live.size >= maxLive(state, holder)) return;
  const item = takeAgain(held) ?? newItem(state, holder, held);
  if (item === undefined) return;
  held.live.set(item.number, item);
  held.newest = item;
  markReady(state, item);
}

/** Sub-runs take none of the run's places: where nothing else bounds them, the number of places does. */
function maxLive({ queued }: RunState, { step }: Unit): number {
  const { maxConcurrency = Infinity } = step.forEach ?? {};
  if (step.work.kind !== 'workflow' || maxConcurrency !== Infinity) return maxConcurrency;
  return queued.options.maxParallelSteps;
}

function takeAgain({ again }: HeldItems): Unit | undefined {
  for (const [number, item] of again) {
    again.delete(number);
    return item;
  }
  return undefined;
}

function newItem(state: RunState, holder: Unit, held: HeldItems): Unit | undefined {
  if (held.made >= held.total) return undefined;
  held.made += 1;
  return remember(state, newHeldUnit(holder, 'item', held.made - 1));
}

function makeIteration(state: RunState, holder: Unit, held: HeldIterations): void {
  const iteration = remember(state, newHeldUnit(holder, 'iteration', held.ended.length));
  held.live = iteration;
  markReady(state, iteration);
}

/** Attempts of a unit that is made anew are counted on from those of the one that was given up. */
function remember({ attemptsBefore }: RunState, unit: Unit): Unit {
  if (attemptsBefore.size > 0) unit.attempt = attemptsBefore.get(unit.path) ?? 0;
  return unit;
}

function settleStep(
  state: RunState,
  unit: Unit,
  status: 'completed' | 'failed' | 'skipped' | 'cancelled',
): void {
  const { scope, step } = unit;
  if (unit.undoes !== undefined) {
    settleLast(state, unit);
    return;
  }
  scope.counts[status] += 1;
  if (step.isLast) settleLast(state, unit);
  else if (status === 'failed' && !unit.isHandled && unit.failure !== undefined)
    failScope(state, scope, stepFailure(unit, unit.failure));
  const outcome = joinOutcomeOf(unit);
  for (const index of step.dependents) {
    const dependent = scope.units[index];
    if (dependent !== undefined && outcome !== undefined) settleDependency(state, dependent, outcome);
  }
  if (scope.holder !== undefined && settledCount(scope) === scope.units.length)
    state.frontier.closing.add(scope.holder);
}

function failScope(state: RunState, scope: Scope, failure: Failure): void {
  scope.fatal ??= failure;
  if (scope.holder === undefined) state.fatal ??= failure;
  else state.frontier.closing.add(scope.holder);
}

function settleDependency(
  state: RunState,
  dependent: Unit,
  outcome: Exclude<keyof JoinCounts, 'total'>,
): void {
  dependent.settled[outcome] += 1;
  dependent.unsettled -= 1;
  if (dependent.unsettled > 0 || dependent.status !== 'pending') return;
  if (state.fatal !== undefined || dependent.scope.fatal !== undefined) return;
  consider(state, dependent);
}

/** Everything that a step waits for has settled: it is its turn, to run or to be skipped. */
export function consider(state: RunState, step: Unit): void {
  if (hasNothingToCatch(step)) step.skipReason = 'nothing-to-catch';
  else if (decideJoin(step.step.join, step.settled) === 'skip') step.skipReason = skipReasonOf(step);
  markReady(state, step);
}

/** What the end of a step counts as for those that wait for it. */
export function joinOutcomeOf({
  status,
  isHandled,
}: Pick<Unit, 'status' | 'isHandled'>): Exclude<keyof JoinCounts, 'total'> | undefined {
  switch (status) {
    case 'failed':
      return isHandled ? 'handledFailures' : 'failed';
    case 'completed':
    case 'skipped':
    case 'cancelled':
      return status;
    default:
      return undefined;
  }
}

/** A step that catches failures runs only when there is one. */
function hasNothingToCatch({ step: { catches }, scope }: Unit): boolean {
  return catches.length > 0 && catches.every((index) => scope.units[index]?.status !== 'failed');
}

function skipReasonOf({ settled }: Unit): 'dependencies-failed' | 'dependencies-skipped' {
  return settled.failed + settled.handledFailures + settled.cancelled > 0
    ? 'dependencies-failed'
    : 'dependencies-skipped';
}

function settleItem(state: RunState, unit: Unit): void {
  const { holder, number } = unit;
  if (holder?.held?.kind !== 'items') return;
  const { held } = holder;
  held.live.delete(number);
  held.ended.set(number, recordOf(unit));
  if (unit.status === 'failed') held.failed.push(number);
  if (held.ended.size === held.total || isBeyondTolerance(holder, held)) state.frontier.closing.add(holder);
  else makeItem(state, holder, held);
}

function settleIteration(state: RunState, unit: Unit, next: LoopNext | undefined): void {
  const { holder } = unit;
  if (holder?.held?.kind !== 'iterations') return;
  const { held } = holder;
  delete held.live;
  held.ended.push(recordOf(unit));
  if (next === 'iteration') {
    makeIteration(state, holder, held);
    return;
  }
  if (next !== undefined) held.next = next;
  state.frontier.closing.add(holder);
}

/** What was left inside a unit that has ended will never run. */
function discard(state: RunState, held: Held): void {
  for (const unit of liveUnitsOf(held)) {
    if (isSettled(unit.status)) continue;
    leave(state, unit);
    unit.status = 'cancelled';
    if (unit.held !== undefined) discard(state, unit.held);
  }
}

function liveUnitsOf(held: Held): readonly Unit[] {
  switch (held.kind) {
    case 'items':
      return [...held.live.values()];
    case 'iterations':
      return held.live === undefined ? [] : [held.live];
    case 'body':
      return held.scope.units;
  }
}

function stepFailure({ step, path }: Unit, failure: Failure): Failure {
  const at = path === step.id ? {} : { path };
  return {
    ...failure,
    message: `step "${path}" failed: ${failure.message}`,
    details: { ...at, ...failure.details, stepId: step.id },
  };
}
