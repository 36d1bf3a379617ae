/**
 * What should happen next, derived from the state: `plan(state) → effects`.
 *
 * Decided here: the order of moves and how many attempts may be open. It reads the frontier only, so a question costs
 * the same at step 10 and at step 10,000. Asking twice gives the same answer: recovery is "load and plan again".
 */
import type { Invocation, Move } from './run.effects.js';
import {
  nextReady,
  nextRetry,
  runDeadline,
  settledCount,
  type RunState,
  type StepState,
} from './run.state.js';

/**
 * The one next move, or undefined when nothing can change without an outcome, a timer or a command.
 *
 * Skips come first, then back-offs that are over, then ready steps in definition order while a place is free. One
 * move at a time, because each changes what the next may be.
 *
 * @param now milliseconds since the epoch
 * @param mayStart false while this process must not open attempts of the run
 */
export function nextMove(state: RunState, now: number, mayStart = true): Move | undefined {
  switch (state.status) {
    case 'paused':
      return concludeMove(state, now);
    case 'running':
      return concludeMove(state, now) ?? runningMove(state, now, mayStart);
    case 'cancelling':
      return state.frontier.open.size === 0
        ? { kind: 'decide', command: { type: 'finish-cancelled', at: now } }
        : undefined;
    default:
      return undefined;
  }
}

/** A failure that nothing handles ends the run, paused or not. */
function concludeMove(state: RunState, at: number): Move | undefined {
  return state.fatal === undefined ? undefined : { kind: 'decide', command: { type: 'conclude', at } };
}

function runningMove(state: RunState, now: number, mayStart: boolean): Move | undefined {
  const skip = nextSkip(state);
  if (skip !== undefined) return skipMove(state, skip, now);
  if (mayStart && state.frontier.open.size < state.queued.options.maxParallelSteps) {
    const step = dueRetry(state, now) ?? nextReady(state);
    if (step !== undefined) return startMove(state, step, now);
  }
  return settledCount(state) === state.steps.length ? { kind: 'finish' } : undefined;
}

function nextSkip(state: RunState): StepState | undefined {
  for (const index of state.frontier.skips) return state.steps[index];
  return undefined;
}

function skipMove(state: RunState, step: StepState, at: number): Move {
  const reason = step.skipReason ?? 'dependencies-skipped';
  const stepId = idOf(state, step);
  return { kind: 'decide', command: { type: 'resolve', at, stepId, resolution: { kind: 'skip', reason } } };
}

function dueRetry(state: RunState, now: number): StepState | undefined {
  const retry = nextRetry(state);
  return retry === undefined || retry.at > now ? undefined : state.steps[retry.index];
}

/** A step whose input is known starts again as it is; its condition held once and is not asked again. */
function startMove(state: RunState, step: StepState, at: number): Move {
  if (step.input === undefined) return { kind: 'resolve', step };
  return { kind: 'decide', command: { type: 'restart', at, stepId: idOf(state, step) } };
}

/** Open attempts that nobody was asked to invoke, in definition order. Call `markInvoked` once they are under way. */
export function plannedInvocations(state: RunState): readonly Invocation[] {
  if (state.frontier.uninvoked.size === 0) return [];
  return [...state.frontier.uninvoked]
    .toSorted((a, b) => a - b)
    .flatMap((index) => {
      const step = state.steps[index];
      return step === undefined ? [] : [{ stepId: idOf(state, step), attempt: step.attempt, step }];
    });
}

/** Notes that the planned invocations are under way in this process. Not part of the fold. */
export function markInvoked(state: RunState): void {
  state.frontier.uninvoked.clear();
}

/**
 * When the run must be looked at again though nothing comes in: the earliest of its back-offs, its execution
 * deadline and the end of its grace. A back-off that is over and waits for a place is not among them: what frees the
 * place takes it up. Undefined when only an outcome or a command can move the run.
 *
 * @param now milliseconds since the epoch
 */
export function nextWakeAt(state: RunState, now: number): number | undefined {
  if (state.status === 'cancelling') return state.graceUntil;
  if (state.status !== 'running') return undefined;
  const retry = nextRetry(state);
  const deadline = runDeadline(state);
  if (retry === undefined || retry.at <= now) return deadline;
  return deadline === undefined ? retry.at : Math.min(retry.at, deadline);
}

/** True when a step would start if it had a place. */
export function hasStartable(state: RunState, now: number): boolean {
  return state.counts.ready > 0 || dueRetry(state, now) !== undefined;
}

/** True when nothing is open: the run can be parked until `nextWakeAt`. Ask after `nextMove` has answered undefined. */
export function isIdle(state: RunState): boolean {
  return state.frontier.open.size === 0;
}

function idOf(state: RunState, step: StepState): string {
  return state.graph.steps[step.index]?.id ?? '';
}
