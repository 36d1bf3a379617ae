/**
 * How the events of a unit change the state. Steps, items and iterations have the same events.
 *
 * Decided here: the meaning of each event for its unit. Decided elsewhere: what the end of a unit means for what is
 * around it (settle.ts).
 */
import { addUsage } from '../../agents/domain/usage.js';
import { failureOf, type Failure } from '../../kernel/failure.js';
import type { UnitEventName } from './draft.js';
import { sizeOfKept, type Kept } from './kept.js';
import { keptIn } from './kept-in-events.js';
import { reopenHeld } from './reopen.js';
import { runErrors } from './run.errors.js';
import type { RunEvent, RunEventMap, RunEventOf, Spent } from './run.events.js';
import { DEATHS_UNTIL_POISONED, markReady, unitAt, type RunState } from './run.state.js';
import { leave, makeNextItem, openHeld, settle } from './settle.js';
import { holdingOf, type Unit, type UnitRecord, type UnitRole } from './unit.js';

/** A unit about to change, and when. */
interface Change {
  readonly state: RunState;
  readonly unit: Unit;
  readonly at: number;
  readonly attempt: number | undefined;
  readonly seq: number;
}

type Name = UnitEventName | 'skipped';

/** What each event means for its unit. */
const CHANGES: { readonly [N in Name]: (change: Change, data: RunEventMap[`step.${N}`]) => void } = {
  started: start,
  completed: ({ state, unit, at }, data) => {
    unit.output = taken(state, keptIn(data, 'output'));
    if (data.artifacts !== undefined) {
      unit.artifacts = data.artifacts;
      for (const artifact of data.artifacts) state.artifacts.set(artifact.name, artifact);
    }
    spend(state, unit, data);
    closeAttempt(state, unit);
    takeSignal(state, unit);
    if (unit.step.compensation !== undefined && unit.depth === unit.step.layers.length) {
      state.undoable.delete(unit.path); // what was done again has its place anew
      state.undoable.set(unit.path, unit);
    }
    settle(state, unit, { status: 'completed', at, ...(data.next && { next: data.next }) });
  },
  failed: ({ state, unit, at }, data) => {
    unit.failure = data.failure;
    unit.isHandled = data.handled;
    if (isTimeOut(data.failure)) giveUp(state, unit);
    spend(state, unit, data);
    closeAttempt(state, unit);
    settle(state, unit, { status: 'failed', at });
  },
  retrying: ({ state, unit }, data) => {
    if (isTimeOut(data.failure)) giveUp(state, unit);
    spend(state, unit, data);
    closeAttempt(state, unit);
    leave(state, unit);
    unit.status = 'retrying';
    unit.failures += 1;
    unit.failure = data.failure;
    unit.dueAt = Date.parse(data.retryAt);
    state.frontier.retries.push({ unit, at: unit.dueAt });
  },
  waiting: ({ state, unit, at, seq }, data) => {
    closeAttempt(state, unit);
    leave(state, unit);
    unit.status = 'waiting';
    unit.firstStartedAt ??= at;
    unit.wait = { ...data, seq };
    state.frontier.waiting.add(unit);
    if (data.name !== undefined) awaitSignal(state, unit, data.name);
    if (data.for === 'run') state.frontier.subRuns.add(unit);
    if (data.until !== undefined) {
      unit.dueAt = Date.parse(data.until);
      state.frontier.timers.push({ unit, at: unit.dueAt });
    }
    makeNextItem(state, unit);
  },
  interrupted: ({ state, unit }, { cause, epoch }) => {
    leave(state, unit);
    if (cause === 'owner-lost' && !unit.hasProgressed && state.deathEpoch !== epoch) {
      state.deaths += 1;
      state.deathEpoch = epoch;
      if (state.deaths >= DEATHS_UNTIL_POISONED) state.fatal = poisoned(state.deaths);
    }
    unit.hasProgressed = false;
    markReady(state, unit);
  },
  skipped: ({ state, unit, at }, { reason }) => {
    unit.skipReason = reason;
    settle(state, unit, { status: 'skipped', at });
  },
  cancelled: ({ state, unit, at }, data) => {
    giveUp(state, unit);
    spend(state, unit, data);
    closeAttempt(state, unit);
    settle(state, unit, { status: 'cancelled', at });
  },
};

/** The same by the type of the event, found without taking it apart: items and iterations change as steps do. */
const CHANGE_OF: ReadonlyMap<string, (change: Change, data: never) => void> = new Map(
  Object.entries(CHANGES).flatMap(([name, change]) =>
    (['step', 'item', 'iteration'] satisfies UnitRole[]).map((role) => [`${role}.${name}`, change] as const),
  ),
);

/** Applies one event of a unit. @throws RangeError when the run has no such unit */
export function evolveUnit(state: RunState, event: RunEvent, at: number): void {
  const unit = unitAt(state, event.path ?? event.stepId ?? '');
  if (event.type === 'turn.completed' || event.type === 'tool.called') {
    recordTurn(state, unit, event.data);
    return;
  }
  if (event.type === 'approval.requested') unit.approval = event.data;
  if (event.type.startsWith('approval.')) return;
  const change = CHANGE_OF.get(event.type);
  change?.({ state, unit, at, attempt: event.attempt, seq: event.seq }, event.data as never);
}

function start({ state, unit, at, attempt }: Change, data: RunEventMap['step.started']): void {
  leave(state, unit);
  unit.status = 'running';
  unit.attempt = attempt ?? unit.attempt + 1;
  unit.firstStartedAt ??= at;
  unit.startedAt = at;
  const input = keptIn(data, 'input');
  if (input !== undefined) unit.input = taken(state, input);
  if (data.subRunId !== undefined) unit.subRunId = data.subRunId;
  const holding = holdingOf(unit);
  if (holding === undefined) {
    state.frontier.open.add(unit);
    state.frontier.uninvoked.add(unit);
  } else {
    if (unit.reopening === undefined) openHeld(state, unit, holding, data.items);
    else reopenHeld(state, unit, unit.reopening);
    delete unit.reopening;
    if (holding === 'iterations') limitRepetition(state, unit, at);
  }
  makeNextItem(state, unit);
}

/** A value that the state keeps from now on. */
function taken(state: RunState, kept: Kept | undefined): Kept | undefined {
  if (kept !== undefined) state.size += sizeOfKept(kept);
  return kept;
}

/** A repetition ends when its time is up, whatever its iteration is doing. */
function limitRepetition({ frontier }: RunState, unit: Unit, at: number): void {
  const { maxDurationMs } = unit.step.repeat ?? {};
  if (maxDurationMs === undefined) return;
  unit.dueAt = at + maxDurationMs;
  frontier.timers.push({ unit, at: unit.dueAt });
}

function awaitSignal({ frontier: { awaiting } }: RunState, unit: Unit, name: string): void {
  const units = awaiting.get(name);
  if (units === undefined) awaiting.set(name, new Set([unit]));
  else units.add(unit);
}

/** A step that waits for a signal completes with the first that is kept. */
function takeSignal({ signals }: RunState, unit: Unit): void {
  const { work } = unit.step;
  if (work.kind !== 'signal' || holdingOf(unit) !== undefined) return;
  const kept = signals.get(work.signal);
  kept?.shift();
  if (kept?.length === 0) signals.delete(work.signal);
}

/** Any recorded turn says that the attempt gets on. */
function recordTurn(
  state: RunState,
  unit: Unit,
  data: RunEventOf<'turn.completed' | 'tool.called'>['data'],
): void {
  const { turn, body: _, bodyRef: __, ...more } = data;
  unit.turns.push({ turn, body: taken(state, keptIn(data, 'body')) ?? null, ...more });
  unit.hasProgressed = true;
  state.deaths = 0;
  spend(state, unit, data);
}

/** Any recorded outcome says that the owner lived through the attempt. */
function closeAttempt(state: RunState, unit: Unit): void {
  if (unit.status === 'running') state.deaths = 0;
}

/** A unit that waits for a sub-run ends without it: what that has spent is still to come. */
function giveUp({ givenUp }: RunState, { wait, subRunId }: Unit): void {
  if (wait?.for === 'run' && subRunId !== undefined) givenUp.set(wait.seq, subRunId);
}

function isTimeOut({ code }: Failure): boolean {
  return code === runErrors['step.timed-out'].code;
}

/** Adds what was spent to a unit and to its run. */
export function spend(
  state: RunState,
  unit: Pick<UnitRecord, 'usage' | 'costMicros'>,
  { usage, costMicros = 0 }: Spent,
): void {
  if (usage === undefined && costMicros === 0) return;
  unit.usage = addUsage(unit.usage, usage);
  unit.costMicros += costMicros;
  state.usage = addUsage(state.usage, usage);
  state.costMicros += costMicros;
}

function poisoned(deaths: number): Failure {
  const message = `${String(deaths)} owners in a row died while an attempt of this run was open`;
  return failureOf(runErrors['run.poisoned'], message, { details: { deaths } });
}
