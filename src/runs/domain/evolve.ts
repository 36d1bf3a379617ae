/**
 * How each event changes the state: `replay` is `events.reduce(evolve, initial)`.
 *
 * Decided here: the meaning of events of the run. Decided elsewhere: events of units (evolve-unit.ts). Nothing is
 * checked or refused here: the log is the truth.
 */
import { instantOf } from '../../kernel/time.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { contextAfter } from './context-control.js';
import { evolveUnit, spend } from './evolve-unit.js';
import { evolveForked } from './fork.js';
import { keptIn } from './kept-in-events.js';
import { beginEnding } from './last-steps.js';
import { evolveRetried } from './retry-run.js';
import type { RunEvent, RunEventMap, RunEventOf } from './run.events.js';
import { findRecord, initialState, type RunState } from './run.state.js';
import type { RunStatus } from './run.status.js';
import { abandon } from './settle.js';

/**
 * Folds a log.
 *
 * @param history the events that come before those of a fork
 * @throws RangeError when the events do not begin with `run.queued`
 */
export function replay(
  events: readonly RunEvent[],
  graph: Graph,
  history: readonly RunEvent[] = [],
): RunState {
  const [first, ...rest] = [...history, ...events];
  if (first?.type !== 'run.queued') throw new RangeError('a log begins with run.queued');
  return rest.reduce(evolve, initialState(first, graph));
}

/** Applies one event to a state that the caller owns, and returns it. */
export function evolve(state: RunState, event: RunEvent): RunState {
  state.lastSeq = event.seq;
  const at = instantOf(event.at);
  state.lastAt = at;
  if (event.stepId === undefined) evolveRun(state, event, at);
  else evolveUnit(state, event, at);
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
      state.pause = { ...event.data, at };
      break;
    case 'run.resumed':
      setStatus(state, state.startedAt === undefined ? 'queued' : 'running', at);
      break;
    case 'run.cancelling':
      beginToCancel(state, event.data, at);
      break;
    case 'signal.received':
      keepSignal(state, event.data);
      break;
    case 'context.updated':
      writeContext(state, event);
      break;
    case 'snapshot.created':
      state.snapshots.set(event.data.name, { seq: event.seq, at });
      break;
    case 'run.spent':
      spendLate(state, event.data);
      break;
    case 'run.ending':
      abandon(state);
      beginEnding(state, event.data, at);
      break;
    default:
      evolveBounds(state, event, at);
  }
}

/** Where a run begins, begins again and ends. */
function evolveBounds(state: RunState, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'run.forked':
      evolveForked(state, event);
      break;
    case 'run.retried':
      evolveRetried(state, event);
      break;
    case 'run.completed':
      state.output = keptIn(event.data, 'output') ?? null;
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

function keepSignal({ signals }: RunState, received: RunEventMap['signal.received']): void {
  const data = keptIn(received, 'data') ?? null;
  const kept = signals.get(received.name);
  if (kept === undefined) signals.set(received.name, [data]);
  else kept.push(data);
}

function writeContext(state: RunState, { seq, data }: RunEventOf<'context.updated'>): void {
  state.context = contextAfter(state.context, data);
  state.contextSeq = seq;
}

function spendLate(state: RunState, { subRunId, path, ...spent }: RunEventMap['run.spent']): void {
  for (const [wait, id] of state.givenUp) if (id === subRunId) state.givenUp.delete(wait);
  const unit = findRecord(state, path);
  if (unit !== undefined) spend(state, unit, spent);
}

function beginToCancel(state: RunState, data: RunEventMap['run.cancelling'], at: number): void {
  setStatus(state, 'cancelling', at);
  state.graceUntil = at + data.graceMs;
  state.undoesOnCancel = data.compensate === true;
  if (data.reason !== undefined) state.cancelReason = data.reason;
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
  if (state.pause !== undefined) delete state.pause;
  if (status === 'running') state.runningSince = at;
}
