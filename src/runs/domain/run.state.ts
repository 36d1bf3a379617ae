/**
 * The state of a run: the fold of its log.
 *
 * Decided here: what the fold remembers of the run as a whole, and what can change next. Decided elsewhere: units
 * (unit.ts), how an event changes them (evolve.ts). The state is owned and changed in place by `evolve` alone;
 * everything else reads it. Beside the units it keeps the frontier, so that no question about what to do next looks at
 * more of them than have changed.
 */
import type { JsonChange } from '../../context/domain/json-changes.js';
import type { Failure } from '../../kernel/failure.js';
import { Heap } from '../../kernel/heap.js';
import { jsonSize } from '../../kernel/json-size.js';
import type { JsonObject } from '../../kernel/json.js';
import type { Graph } from '../../workflows/domain/graph.js';
import type { Kept } from './kept.js';
import type { ArtifactRef, RunEnd, RunEventMap, RunEventOf, Usage } from './run.events.js';
import type { RunStatus, StepStatus } from './run.status.js';
import { needsPlace } from './steps/step-kinds.js';
import {
  COMPENSATE,
  compareUnits,
  findUnit,
  isBefore,
  newScope,
  type Scope,
  type ScopeCounts,
  type Unit,
  type UnitRecord,
} from './unit.js';

/** A unit that something happens to at a time. */
interface Due {
  readonly unit: Unit;
  readonly at: number;
}

/** A name for the context as it was after an event. */
export interface Snapshot {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Where a fork comes from. */
export interface ForkOrigin {
  readonly runId: string;
  /** The number of the last event of that run that counts. */
  readonly atSeq: number;
  /** What is different from that run. */
  readonly changes: readonly JsonChange[];
}

/** What can change next: the only part of the state that `plan` reads. */
export interface Frontier {
  /** Ready steps that their join skips. */
  readonly skips: Set<Unit>;
  /** Ready units that wait for a free place, in order; entries of units no longer ready are stale. */
  readonly ready: Heap<Unit>;
  /** Ready units that need no place, in order; entries of units no longer ready are stale. */
  readonly free: Heap<Unit>;
  /** Units with an open attempt. */
  readonly open: Set<Unit>;
  /** Open attempts that nobody has been asked to invoke. */
  readonly uninvoked: Set<Unit>;
  /** Units that wait for something outside. */
  readonly waiting: Set<Unit>;
  /** Those that wait for a sub-run. */
  readonly subRuns: Set<Unit>;
  /** Those that wait for a signal, by its name, in the order in which they began to wait. */
  readonly awaiting: Map<string, Set<Unit>>;
  /** Units of which everything that they hold has ended, or that can not go on. */
  readonly closing: Set<Unit>;
  /** Ends of the time for which ready units wait for a place, on the clock of the run; entries of units no longer so are stale. */
  readonly queued: Heap<Due>;
  /** Back-offs, earliest first; entries of units that are not retrying at that time are stale. */
  readonly retries: Heap<Due>;
  /** Ends of waits and of repetitions, earliest first; entries of units that do not last until that time are stale. */
  readonly timers: Heap<Due>;
  /** Ready units, skips included. */
  readyCount: number;
}

/** The end that a run has been given, while there is something to be done before it. */
export interface Ending extends RunEnd {
  /** Completed units that are still to be undone, the last one first. */
  readonly toUndo: Unit[];
  /** Compensations and steps that run last and have not ended. */
  left: number;
  /** When the run ends whatever is left. */
  readonly until?: number;
  /** What a step that runs last has failed with: a run that would have completed fails with it. */
  failedLast?: Failure;
}

export interface RunState {
  runId: string;
  /** What the run began with. */
  queued: RunEventMap['run.queued'];
  /** The steps of the definition. */
  readonly root: Scope;
  frontier: Frontier;
  status: RunStatus;
  lastSeq: number;
  /** When the last event was decided, in milliseconds since the epoch. */
  lastAt: number;
  createdAt: number;
  /** Since the run was opened the last time. */
  startedAt?: number;
  endedAt?: number;
  /** Since when the status is `running`; absent in any other status. */
  runningSince?: number;
  /** Time with status `running` before `runningSince`, in milliseconds. */
  runningMs: number;
  /** The wish that nothing new starts, only while `paused`. */
  pause?: { readonly at: number; readonly by?: string; readonly reason?: string };
  /** When a cancelled run ends whatever its attempts do. */
  graceUntil?: number;
  cancelReason?: string;
  /** Whether a cancelled run undoes what its steps have done. */
  undoesOnCancel: boolean;
  /** Completed units that can be undone by path, in the order in which they completed. */
  readonly undoable: Map<string, Unit>;
  /** Units that undo others, by their path. */
  readonly compensations: Map<string, Unit>;
  ending?: Ending;
  context: JsonObject;
  /** The number of the event that changed the context last: its version. */
  contextSeq: number;
  /** By name, in the order in which they were made. */
  readonly snapshots: Map<string, Snapshot>;
  /** Signals that no step has taken yet, by name, first in first out. */
  readonly signals: Map<string, Kept[]>;
  /** Sub-runs that were given up and have not told of their end, by the number of the event with which they were waited for. */
  readonly givenUp: Map<number, string>;
  /** Files that units made, by name. */
  readonly artifacts: Map<string, ArtifactRef>;
  output?: Kept;
  failure?: Failure;
  /** What the run is about to fail with: a failure that nothing handles, or poison. */
  fatal?: Failure;
  usage: Usage;
  costMicros: number;
  /** About how long the values are that the state has had itself, not by reference, in characters of JSON text. */
  size: number;
  /** How often the run was retried. */
  retries: number;
  /** That of the units which run again next is one more. */
  generation: number;
  forkedFrom?: ForkOrigin;
  /** Attempts of units that a retry or fork has given up, by path: those of the units in their place are counted on. */
  readonly attemptsBefore: Map<string, number>;
  /** Deaths of owners in a row that this run may have caused. */
  deaths: number;
  /** Epoch of the last death counted. */
  deathEpoch: number;
}

/** Deaths of owners in a row after which a run is executed alone in its process. */
export const DEATHS_UNTIL_ALONE = 2;

/**
 * Deaths of owners in a row that end a run as poisoned, two of them alone: one may be a process that something else has
 * killed at that moment. See docs/adr/0025-poisoned-by-two-deaths-alone.md.
 */
export const DEATHS_UNTIL_POISONED = 4;

/** The state after event 1, with nothing done yet. */
export function initialState(event: RunEventOf<'run.queued'>, graph: Graph): RunState {
  const state: RunState = {
    runId: event.runId,
    queued: event.data,
    root: newScope(graph),
    frontier: emptyFrontier(),
    status: 'queued',
    lastSeq: event.seq,
    lastAt: Date.parse(event.at),
    createdAt: Date.parse(event.at),
    runningMs: 0,
    undoesOnCancel: false,
    undoable: new Map(),
    compensations: new Map(),
    context: event.data.context,
    contextSeq: event.seq,
    snapshots: new Map(),
    signals: new Map(),
    givenUp: new Map(),
    artifacts: new Map(),
    usage: {},
    costMicros: 0,
    size: jsonSize(event.data.input),
    retries: 0,
    generation: 1,
    attemptsBefore: new Map(),
    deaths: 0,
    deathEpoch: 0,
  };
  openScope(state, state.root);
  return state;
}

/** Makes the steps of a scope ready that wait for nothing; those that run last come when the run ends. */
export function openScope(state: RunState, { units }: Scope): void {
  for (const unit of units) if (unit.unsettled === 0 && !unit.step.isLast) markReady(state, unit);
}

/** Whether units may begin and end in this status: a run that is cancelled does only what comes last. */
export function mayProceed({ status, ending }: RunState): boolean {
  return status === 'running' || (status === 'cancelling' && ending !== undefined);
}

/** Whether everything has ended that runs before the end of the run is decided. */
export function hasSettled({ root }: RunState): boolean {
  return settledCount(root) === root.units.length - root.graph.lastSteps.length;
}

/** Makes a unit wait for its turn. */
export function markReady(state: RunState, unit: Unit): void {
  const { frontier } = state;
  unit.status = 'ready';
  frontier.readyCount += 1;
  if (unit.skipReason !== undefined) frontier.skips.add(unit);
  else if (needsPlace(unit)) {
    frontier.ready.push(unit);
    limitQueue(state, unit);
  } else frontier.free.push(unit);
}

/** The time of a unit without a place runs on the clock of the run, which stands still while the run does. */
function limitQueue(state: RunState, unit: Unit): void {
  const { queueTimeoutMs } = unit.step;
  if (queueTimeoutMs === undefined) return;
  unit.dueAt = executedMs(state, state.lastAt) + queueTimeoutMs;
  state.frontier.queued.push({ unit, at: unit.dueAt });
}

/** How long the run has executed at an instant, in milliseconds. */
function executedMs({ runningMs, runningSince }: RunState, now: number): number {
  return runningMs + (runningSince === undefined ? 0 : Math.max(0, now - runningSince));
}

/** The unit at a path. @throws RangeError when there is none */
export function unitAt(state: RunState, path: string): Unit {
  const unit = liveUnit(state, path);
  if (unit === undefined) throw new RangeError(`run ${state.runId} has no step "${path}"`);
  return unit;
}

/** The unit at a path, or undefined. One that has ended may be a record only. */
export function findRecord(state: RunState, path: string): UnitRecord | undefined {
  return find(state, path);
}

function find({ root, compensations }: RunState, path: string): UnitRecord | undefined {
  return path.endsWith(COMPENSATE) ? compensations.get(path) : findUnit(root, path);
}

/** The unit at a path as long as it may change; undefined when there is none, or only its record is kept. */
export function liveUnit(state: RunState, path: string): Unit | undefined {
  const found = find(state, path);
  return found !== undefined && 'scope' in found ? (found as Unit) : undefined;
}

/** Steps of a scope that have ended, however. */
export function settledCount({ counts }: { readonly counts: ScopeCounts }): number {
  return counts.completed + counts.failed + counts.skipped + counts.cancelled;
}

/** When the run uses up its execution time; undefined while its clock stands still. */
export function runDeadline(state: RunState): number | undefined {
  if (state.runningSince === undefined) return undefined;
  return state.runningSince + Math.max(0, state.queued.options.timeoutMs - state.runningMs);
}

/** When the first ready unit has waited too long for a place; undefined while the clock of the run stands still. */
export function nextQueueTimeout(state: RunState): Due | undefined {
  const { frontier, runningMs, runningSince } = state;
  if (runningSince === undefined) return undefined;
  const due = nextDue(frontier.queued, ['ready']);
  return due && { unit: due.unit, at: runningSince + due.at - runningMs };
}

/** The earliest back-off; drops stale entries on the way. */
export function nextRetry({ frontier }: RunState): Due | undefined {
  return nextDue(frontier.retries, ['retrying']);
}

/** The earliest end of a wait or of a repetition; drops stale entries on the way. */
export function nextTimer({ frontier }: RunState): Due | undefined {
  return nextDue(frontier.timers, ['waiting', 'running']);
}

/** The first ready unit that needs a place, or none; drops stale entries on the way. */
export function nextReady({ frontier }: RunState): Unit | undefined {
  return firstReady(frontier.ready);
}

/** The first ready unit that needs no place; drops stale entries on the way. */
export function nextFree({ frontier }: RunState): Unit | undefined {
  return firstReady(frontier.free);
}

/** The unit that takes a signal when it comes: the one that waits longest. */
export function takerOf({ frontier }: RunState, name: string): Unit | undefined {
  for (const unit of frontier.awaiting.get(name) ?? []) return unit;
  return undefined;
}

/** Units in order, from a set. */
export function inOrder(units: Iterable<Unit>): readonly Unit[] {
  return [...units].toSorted(compareUnits);
}

function nextDue(heap: Heap<Due>, statuses: readonly StepStatus[]): Due | undefined {
  for (let due = heap.peek(); due !== undefined; due = heap.peek()) {
    if (statuses.includes(due.unit.status) && due.unit.dueAt === due.at) return due;
    heap.pop();
  }
  return undefined;
}

function firstReady(heap: Heap<Unit>): Unit | undefined {
  for (let unit = heap.peek(); unit !== undefined; unit = heap.peek()) {
    if (unit.status === 'ready') return unit;
    heap.pop();
  }
  return undefined;
}

/** A frontier at which nothing stands. */
export function emptyFrontier(): Frontier {
  const isSooner = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && isBefore(a.unit, b.unit));
  return {
    skips: new Set(),
    ready: new Heap(isBefore),
    free: new Heap(isBefore),
    open: new Set(),
    uninvoked: new Set(),
    waiting: new Set(),
    subRuns: new Set(),
    awaiting: new Map(),
    closing: new Set(),
    queued: new Heap(isSooner),
    retries: new Heap(isSooner),
    timers: new Heap(isSooner),
    readyCount: 0,
  };
}
