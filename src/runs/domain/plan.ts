/**
 * What should happen next, derived from the state: `plan(state) → effects`.
 *
 * Decided here: the order of moves and how many attempts may be open. It reads the frontier only, so a question costs
 * the same at step 10 and at step 10,000. Asking twice gives the same answer: recovery is "load and plan again".
 */
import type { Invocation, Move } from './run.effects.js';
import {
  inOrder,
  nextFree,
  nextQueueTimeout,
  nextReady,
  nextRetry,
  nextTimer,
  runDeadline,
  hasSettled,
  mayProceed,
  type RunState,
} from './run.state.js';
import { needsPlace } from './steps/step-kinds.js';
import { canRestart, type Unit } from './unit.js';

/** What a process may start of a run: anything, only what needs no place of the run, nothing. */
export type Starts = 'all' | 'free' | 'none';

/**
 * The one next move, or undefined when nothing can change without an outcome, a timer or a command.
 *
 * What has come to its end comes first, then skips, waits that are over, units that need no place, back-offs that are
 * over, and ready units in order while a place is free. One move at a time, because each changes what the next may be.
 *
 * @param now milliseconds since the epoch
 * @param starts what this process may start of the run now
 */
export function nextMove(state: RunState, now: number, starts: Starts = 'all'): Move | undefined {
  switch (state.status) {
    case 'queued':
      return starts === 'all' ? { kind: 'decide', command: { type: 'begin', at: now } } : undefined;
    case 'paused':
      return concludeMove(state, now);
    case 'running':
      return goingOnMove(state, now, starts) ?? restMove(state, now);
    case 'waiting':
      return concludeMove(state, now) ?? rouseMove(state, now);
    case 'cancelling':
      return state.ending === undefined ? finishCancelledMove(state, now) : goingOnMove(state, now, starts);
    default:
      return undefined;
  }
}

/** What has come to its end, then what may begin. */
function goingOnMove(state: RunState, now: number, starts: Starts): Move | undefined {
  return (
    concludeMove(state, now) ??
    endingMove(state, now) ??
    startingMove(state, now, starts) ??
    queueTimeoutMove(state, now)
  );
}

/** A failure that nothing handles ends the run, paused or not. */
function concludeMove(state: RunState, at: number): Move | undefined {
  return state.fatal === undefined ? undefined : { kind: 'decide', command: { type: 'conclude', at } };
}

/** What is under way is waited for, sub-runs too; nothing new starts. */
function finishCancelledMove({ frontier }: RunState, at: number): Move | undefined {
  const isBusy = frontier.open.size > 0 || frontier.subRuns.size > 0;
  return isBusy ? undefined : { kind: 'decide', command: { type: 'finish-cancelled', at } };
}

/** What can end without anything being started. */
function endingMove(state: RunState, now: number): Move | undefined {
  const { closing, skips } = state.frontier;
  for (const unit of closing) return { kind: 'close', unit };
  for (const unit of skips) return skipMove(unit, now);
  const timer = nextTimer(state);
  if (timer !== undefined && timer.at <= now) return { kind: 'expire', unit: timer.unit };
  if (state.ending === undefined) return hasSettled(state) ? { kind: 'finish' } : undefined;
  return state.ending.left === 0
    ? { kind: 'decide', command: { type: 'finish-ending', at: now } }
    : undefined;
}

/** A unit has been ready for too long, and there is still no place for it. */
function queueTimeoutMove(state: RunState, now: number): Move | undefined {
  const due = nextQueueTimeout(state);
  return due === undefined || due.at > now ? undefined : { kind: 'expire', unit: due.unit };
}

/** Only waits are left: the run waits, and its clock stands still. */
function restMove(state: RunState, at: number): Move | undefined {
  const { open, waiting, readyCount } = state.frontier;
  const isBusy = open.size > 0 || readyCount > 0 || nextRetry(state) !== undefined;
  return isBusy || waiting.size === 0 ? undefined : { kind: 'decide', command: { type: 'rest', at } };
}

/** Something came of a wait, or one is over. */
function rouseMove(state: RunState, now: number): Move | undefined {
  const hasCome =
    endingMove(state, now) !== undefined ||
    state.frontier.readyCount > 0 ||
    state.frontier.open.size > 0 ||
    nextRetry(state) !== undefined;
  return hasCome ? { kind: 'decide', command: { type: 'rouse', at: now } } : undefined;
}

function skipMove({ path, skipReason: reason = 'dependencies-skipped' }: Unit, at: number): Move {
  return { kind: 'decide', command: { type: 'resolve', at, path, resolution: { kind: 'skip', reason } } };
}

function startingMove(state: RunState, now: number, starts: Starts): Move | undefined {
  if (starts === 'none') return undefined;
  const free = nextFree(state);
  if (free !== undefined) return startMove(free);
  const retry = dueRetry(state, now);
  if (retry !== undefined && !needsPlace(retry)) return startMove(retry);
  if (starts === 'free' || state.frontier.open.size >= state.queued.options.maxParallelSteps)
    return undefined;
  const unit = retry ?? nextReady(state);
  return unit === undefined ? undefined : startMove(unit);
}

function dueRetry(state: RunState, now: number): Unit | undefined {
  const retry = nextRetry(state);
  return retry === undefined || retry.at > now ? undefined : retry.unit;
}

/** A unit whose input is known starts again as it is; its condition held once and is not asked again. */
function startMove(unit: Unit): Move {
  return { kind: canRestart(unit) ? 'restart' : 'resolve', unit };
}

/** Open attempts that nobody was asked to invoke, in order. Call `markInvoked` once they are under way. */
export function plannedInvocations({ frontier }: RunState): readonly Invocation[] {
  if (frontier.uninvoked.size === 0) return [];
  return inOrder(frontier.uninvoked).map((unit) => ({ path: unit.path, attempt: unit.attempt, unit }));
}

/** Notes that the planned invocations are under way in this process. Not part of the fold. */
export function markInvoked(state: RunState): void {
  state.frontier.uninvoked.clear();
}

/**
 * When the run must be looked at again though nothing comes in: the earliest of its back-offs, its waits, its
 * execution deadline and the end of its grace. A back-off that is over and waits for a place is not among them: what
 * frees the place takes it up. Undefined when only an outcome or a command can move the run.
 *
 * @param now milliseconds since the epoch
 */
export function nextWakeAt(state: RunState, now: number): number | undefined {
  const { ending } = state;
  if (state.status === 'cancelling' && ending === undefined) return state.graceUntil;
  if (state.status !== 'waiting' && !mayProceed(state)) return undefined;
  const instants = [
    futureRetryAt(state, now),
    nextTimer(state)?.at,
    nextQueueTimeout(state)?.at,
    ending?.until ?? runDeadline(state),
  ].filter((at) => at !== undefined);
  return instants.length === 0 ? undefined : Math.min(...instants);
}

/** The earliest back-off, unless it is over: then what frees a place takes it up. */
function futureRetryAt(state: RunState, now: number): number | undefined {
  const at = nextRetry(state)?.at;
  return at === undefined || at <= now ? undefined : at;
}

/** True when a unit would start if it had a place, or needs none. */
export function hasStartable(state: RunState, now: number): boolean {
  return state.frontier.readyCount > 0 || dueRetry(state, now) !== undefined;
}

/** True when nothing is open: the run can be parked until `nextWakeAt`. Ask after `nextMove` has answered undefined. */
export function isIdle(state: RunState): boolean {
  return state.frontier.open.size === 0;
}
