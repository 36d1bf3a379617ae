/**
 * How each event changes the state: `replay` is `events.reduce(evolve, initial)`.
 *
 * Decided here: the meaning of events that have happened. Nothing is checked or refused here: the log is the truth.
 * Each event costs in the number of its step's dependents, never in the number of steps.
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { decideJoin } from '../../workflows/domain/join.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { addUsage } from '../../agents/domain/usage.js';
import { runErrors } from './run.errors.js';
import type { RunEvent, RunEventOf, RunEventType } from './run.events.js';
import type { RunStatus } from './run.status.js';
import {
  DEATHS_UNTIL_POISONED,
  initialState,
  markReady,
  stepOf,
  type RunState,
  type StepState,
} from './run.state.js';

/** Folds a log. @throws RangeError when it does not begin with `run.queued` */
export function replay(events: readonly RunEvent[], graph: Graph): RunState {
  const [first, ...rest] = events;
  if (first?.type !== 'run.queued') throw new RangeError('a log begins with run.queued');
  return rest.reduce(evolve, initialState(first, graph));
}

/** Applies one event to a state that the caller owns, and returns it. */
export function evolve(state: RunState, event: RunEvent): RunState {
  state.lastSeq = event.seq;
  if (event.stepId === undefined) evolveRun(state, event, Date.parse(event.at));
  else evolveStep(state, event as RunEventOf<StepEventType>, Date.parse(event.at));
  return state;
}

function evolveRun(state: RunState, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'run.started':
      state.startedAt = at;
      setStatus(state, 'running', at);
      break;
    case 'run.waiting':
      setStatus(state, 'waiting', at);
      break;
    case 'run.paused':
      setStatus(state, 'paused', at);
      break;
    case 'run.resumed':
      setStatus(state, state.startedAt === undefined ? 'queued' : 'running', at);
      break;
    case 'run.cancelling':
      setStatus(state, 'cancelling', at);
      state.graceUntil = at + event.data.graceMs;
      if (event.data.reason !== undefined) state.cancelReason = event.data.reason;
      break;
    case 'run.completed':
      state.output = event.data.output;
      end(state, 'completed', at);
      break;
    case 'run.failed':
      state.failure = event.data.failure;
      end(state, event.data.status, at);
      break;
    case 'run.cancelled':
      end(state, 'cancelled', at);
      break;
    default:
      break;
  }
}

type StepEventType = Extract<RunEventType, `step.${string}` | 'turn.completed' | 'tool.called'>;

/** A step about to change, and when. */
interface StepChange {
  readonly state: RunState;
  readonly step: StepState;
  readonly at: number;
}

/** What each event means for its step. */
const STEP: { readonly [T in StepEventType]: (change: StepChange, event: RunEventOf<T>) => void } = {
  'step.started': startAttempt,
  'turn.completed': recordTurn,
  'tool.called': recordTurn,
  'step.completed': ({ state, step, at }, { data }) => {
    step.output = data.output;
    if (data.artifacts !== undefined) step.artifacts = data.artifacts;
    spend(state, step, data);
    closeAttempt(state, step);
    settle(state, step, 'completed', at);
  },
  'step.failed': ({ state, step, at }, { data, stepId = '' }) => {
    step.failure = data.failure;
    step.isHandled = data.handled;
    if (!data.handled) state.fatal ??= stepFailure(data.failure, stepId);
    spend(state, step, data);
    closeAttempt(state, step);
    settle(state, step, 'failed', at);
  },
  'step.retrying': ({ state, step }, event) => {
    spend(state, step, event.data);
    closeAttempt(state, step);
    backOff(state, step, event);
  },
  'step.interrupted': ({ state, step }, event) => {
    interrupt(state, step, event);
  },
  'step.skipped': ({ state, step, at }, { data }) => {
    step.skipReason = data.reason;
    settle(state, step, 'skipped', at);
  },
  'step.cancelled': ({ state, step, at }) => {
    closeAttempt(state, step);
    settle(state, step, 'cancelled', at);
  },
};

function evolveStep<T extends StepEventType>(state: RunState, event: RunEventOf<T>, at: number): void {
  const evolveOne = STEP[event.type] as (change: StepChange, event: RunEventOf<T>) => void;
  evolveOne({ state, step: stepOf(state, event.stepId ?? ''), at }, event);
}

function startAttempt({ state, step, at }: StepChange, event: RunEventOf<'step.started'>): void {
  leave(state, step);
  step.status = 'running';
  step.attempt = event.attempt ?? step.attempt + 1;
  step.firstStartedAt ??= at;
  step.startedAt = at;
  step.input = event.data.input;
  state.frontier.open.add(step.index);
  state.frontier.uninvoked.add(step.index);
}

/** Any recorded turn says that the attempt gets on. */
function recordTurn(
  { state, step }: StepChange,
  { data }: RunEventOf<'turn.completed' | 'tool.called'>,
): void {
  step.turns.push(data);
  step.hasProgressed = true;
  state.deaths = 0;
  spend(state, step, data);
}

/** Any recorded outcome says that the owner lived through the attempt. */
function closeAttempt(state: RunState, step: StepState): void {
  state.frontier.open.delete(step.index);
  state.frontier.uninvoked.delete(step.index);
  state.deaths = 0;
}

function backOff(state: RunState, step: StepState, event: RunEventOf<'step.retrying'>): void {
  step.status = 'retrying';
  step.failures += 1;
  step.failure = event.data.failure;
  step.retryAt = Date.parse(event.data.retryAt);
  state.counts.retrying += 1;
  state.frontier.retries.push({ index: step.index, at: step.retryAt });
}

function interrupt(state: RunState, step: StepState, event: RunEventOf<'step.interrupted'>): void {
  const { cause, epoch } = event.data;
  state.frontier.open.delete(step.index);
  state.frontier.uninvoked.delete(step.index);
  if (cause === 'owner-lost' && !step.hasProgressed && state.deathEpoch !== epoch) {
    state.deaths += 1;
    state.deathEpoch = epoch;
    if (state.deaths >= DEATHS_UNTIL_POISONED) state.fatal = poisoned(state.deaths);
  }
  step.hasProgressed = false;
  markReady(state, step);
}

/** Ends a step and tells its dependents. */
function settle(
  state: RunState,
  step: StepState,
  status: 'completed' | 'failed' | 'skipped' | 'cancelled',
  at: number,
): void {
  leave(state, step);
  step.status = status;
  step.endedAt = at;
  state.counts[status] += 1;
  const outcome = status === 'failed' && step.isHandled ? 'handledFailures' : status;
  for (const index of state.graph.steps[step.index]?.dependents ?? []) {
    const dependent = state.steps[index];
    if (dependent !== undefined) settleDependency(state, dependent, outcome);
  }
}

function settleDependency(
  state: RunState,
  dependent: StepState,
  outcome: 'completed' | 'handledFailures' | 'failed' | 'skipped' | 'cancelled',
): void {
  dependent.settled[outcome] += 1;
  dependent.unsettled -= 1;
  if (dependent.unsettled > 0 || dependent.status !== 'pending' || state.fatal !== undefined) return;
  const join = state.graph.steps[dependent.index]?.join ?? 'none_failed';
  if (decideJoin(join, dependent.settled) === 'skip') dependent.skipReason = skipReasonOf(dependent);
  markReady(state, dependent);
}

function skipReasonOf({ settled }: StepState): 'dependencies-failed' | 'dependencies-skipped' {
  return settled.failed + settled.handledFailures + settled.cancelled > 0
    ? 'dependencies-failed'
    : 'dependencies-skipped';
}

/** Takes a step out of the counters of the status that it leaves. */
function leave(state: RunState, step: StepState): void {
  if (step.status === 'ready') {
    state.counts.ready -= 1;
    state.frontier.skips.delete(step.index);
  }
  if (step.status === 'retrying') {
    state.counts.retrying -= 1;
    delete step.retryAt;
  }
}

function spend(
  state: RunState,
  step: StepState,
  spent: { readonly usage?: RunState['usage']; readonly costMicros?: number },
): void {
  if (spent.usage === undefined && spent.costMicros === undefined) return;
  step.usage = addUsage(step.usage, spent.usage);
  step.costMicros += spent.costMicros ?? 0;
  state.usage = addUsage(state.usage, spent.usage);
  state.costMicros += spent.costMicros ?? 0;
}

function end(state: RunState, status: RunStatus, at: number): void {
  setStatus(state, status, at);
  state.endedAt = at;
}

function setStatus(state: RunState, status: RunStatus, at: number): void {
  if (state.runningSince !== undefined) {
    state.runningMs += Math.max(0, at - state.runningSince);
    delete state.runningSince;
  }
  state.status = status;
  if (status === 'running') state.runningSince = at;
}

function stepFailure(failure: Failure, stepId: string): Failure {
  return {
    ...failure,
    message: `step "${stepId}" failed: ${failure.message}`,
    details: { ...failure.details, stepId },
  };
}

function poisoned(deaths: number): Failure {
  const message = `${String(deaths)} owners in a row died while an attempt of this run was open`;
  return failureOf(runErrors['run.poisoned'], message, { details: { deaths } });
}
