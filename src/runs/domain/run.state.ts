/**
 * The state of a run: the fold of its log.
 *
 * Decided here: what the fold remembers. Decided elsewhere: how an event changes it (evolve.ts). The state is owned
 * and changed in place by `evolve` alone; everything else reads it. Beside the steps it keeps the frontier, so that
 * no question about what to do next looks at more steps than have changed.
 */
import type { ToolCall } from '../../agents/domain/tool-call.js';
import type { Failure } from '../../kernel/failure.js';
import { Heap } from '../../kernel/heap.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import type { Graph } from '../../workflows/domain/graph.js';
import type { JoinCounts } from '../../workflows/domain/join.js';
import type { ArtifactRef, RunEventMap, RunEventOf, SkipReason, Usage } from './run.events.js';
import type { RunStatus, StepStatus } from './run.status.js';

/** A recorded model turn or tool outcome. */
export interface RecordedTurn {
  readonly turn: number;
  readonly body: Json;
  readonly tool?: ToolCall;
  readonly usage?: Usage;
  readonly costMicros?: number;
}

export interface StepState {
  readonly index: number;
  status: StepStatus;
  /** Part of the stable key; a manual retry raises it. */
  generation: number;
  /** Number of the last attempt started; 0 before the first. */
  attempt: number;
  /** Attempts that ended in a failure; interrupted ones do not count. */
  failures: number;
  /** Dependencies that have not settled yet. */
  unsettled: number;
  /** How the settled dependencies ended. */
  readonly settled: { -readonly [K in keyof JoinCounts]: JoinCounts[K] };
  /** Why the step will be skipped, decided by its join. */
  skipReason?: SkipReason;
  firstStartedAt?: number;
  startedAt?: number;
  endedAt?: number;
  /** When the next attempt may start; only while `retrying`. */
  retryAt?: number;
  /** The resolved input, from the first start on. */
  input?: Json;
  output?: Json;
  artifacts?: readonly ArtifactRef[];
  failure?: Failure;
  /** Whether a failure of the step lets the run go on. */
  isHandled: boolean;
  readonly turns: RecordedTurn[];
  /** Whether a turn was recorded since the last interruption. */
  hasProgressed: boolean;
  usage: Usage;
  costMicros: number;
}

/** A step whose next attempt waits for its time. */
interface Retry {
  readonly index: number;
  readonly at: number;
}

/** What can change next: the only part of the state that `plan` reads. */
export interface Frontier {
  /** Ready steps that their join skips. */
  readonly skips: Set<number>;
  /** Ready steps that wait for a free place, in definition order; entries of steps no longer ready are stale. */
  readonly ready: Heap<number>;
  /** Steps with an open attempt. */
  readonly open: Set<number>;
  /** Open attempts that nobody has been asked to invoke. */
  readonly uninvoked: Set<number>;
  /** Back-offs, earliest first; entries of steps that are not retrying at that time are stale. */
  readonly retries: Heap<Retry>;
}

export interface RunCounts {
  completed: number;
  failed: number;
  skipped: number;
  cancelled: number;
  /** Steps that wait for their next attempt. */
  retrying: number;
  /** Ready steps, skips included. */
  ready: number;
}

export interface RunState {
  readonly runId: string;
  readonly graph: Graph;
  readonly queued: RunEventMap['run.queued'];
  readonly steps: readonly StepState[];
  readonly frontier: Frontier;
  readonly counts: RunCounts;
  status: RunStatus;
  lastSeq: number;
  readonly createdAt: number;
  startedAt?: number;
  endedAt?: number;
  /** Since when the status is `running`; absent in any other status. */
  runningSince?: number;
  /** Time with status `running` before `runningSince`, in milliseconds. */
  runningMs: number;
  /** When a cancelled run ends whatever its attempts do. */
  graceUntil?: number;
  cancelReason?: string;
  context: JsonObject;
  output?: Json;
  failure?: Failure;
  /** What the run is about to fail with: a failure that nothing handles, or poison. */
  fatal?: Failure;
  usage: Usage;
  costMicros: number;
  /** Deaths of owners in a row that this run may have caused. */
  deaths: number;
  /** Epoch of the last death counted. */
  deathEpoch: number;
}

/** Deaths of owners in a row after which a run is executed alone in its process. */
export const DEATHS_UNTIL_ALONE = 2;

/** Deaths of owners in a row that end a run as poisoned. */
export const DEATHS_UNTIL_POISONED = 3;

/** The state after event 1, with nothing done yet. */
export function initialState(event: RunEventOf<'run.queued'>, graph: Graph): RunState {
  const steps = graph.steps.map((step) => initialStep(step.index, step.dependencies.length));
  const state: RunState = {
    runId: event.runId,
    graph,
    queued: event.data,
    steps,
    frontier: emptyFrontier(),
    counts: { completed: 0, failed: 0, skipped: 0, cancelled: 0, retrying: 0, ready: 0 },
    status: 'queued',
    lastSeq: event.seq,
    createdAt: Date.parse(event.at),
    runningMs: 0,
    context: event.data.context,
    usage: {},
    costMicros: 0,
    deaths: 0,
    deathEpoch: 0,
  };
  for (const step of steps) {
    if (step.unsettled === 0) markReady(state, step);
  }
  return state;
}

/** Makes a step wait for a free place. */
export function markReady(state: RunState, step: StepState): void {
  step.status = 'ready';
  state.counts.ready += 1;
  if (step.skipReason === undefined) state.frontier.ready.push(step.index);
  else state.frontier.skips.add(step.index);
}

/** The step of an id. @throws RangeError when the graph has no such step */
export function stepOf(state: RunState, stepId: string): StepState {
  const step = findStep(state, stepId);
  if (step === undefined) throw new RangeError(`run ${state.runId} has no step "${stepId}"`);
  return step;
}

/** The step of an id, or undefined. */
export function findStep(state: RunState, stepId: string): StepState | undefined {
  const index = state.graph.indexOf.get(stepId);
  return index === undefined ? undefined : state.steps[index];
}

/** Steps that have ended, however. */
export function settledCount({ counts }: RunState): number {
  return counts.completed + counts.failed + counts.skipped + counts.cancelled;
}

/** When the run uses up its execution time; undefined while its clock stands still. */
export function runDeadline(state: RunState): number | undefined {
  if (state.runningSince === undefined) return undefined;
  return state.runningSince + Math.max(0, state.queued.options.timeoutMs - state.runningMs);
}

/** The earliest back-off that is over at `retryAt`; drops stale entries on the way. */
export function nextRetry(state: RunState): Retry | undefined {
  const { retries } = state.frontier;
  for (let retry = retries.peek(); retry !== undefined; retry = retries.peek()) {
    const step = state.steps[retry.index];
    if (step?.status === 'retrying' && step.retryAt === retry.at) return retry;
    retries.pop();
  }
  return undefined;
}

/** The first ready step in definition order; drops stale entries on the way. */
export function nextReady(state: RunState): StepState | undefined {
  const { ready } = state.frontier;
  for (let index = ready.peek(); index !== undefined; index = ready.peek()) {
    const step = state.steps[index];
    if (step?.status === 'ready') return step;
    ready.pop();
  }
  return undefined;
}

function initialStep(index: number, dependencies: number): StepState {
  return {
    index,
    status: 'pending',
    generation: 1,
    attempt: 0,
    failures: 0,
    unsettled: dependencies,
    settled: { total: dependencies, completed: 0, handledFailures: 0, failed: 0, skipped: 0, cancelled: 0 },
    isHandled: false,
    turns: [],
    hasProgressed: false,
    usage: {},
    costMicros: 0,
  };
}

function emptyFrontier(): Frontier {
  return {
    skips: new Set(),
    ready: new Heap((a, b) => a < b),
    open: new Set(),
    uninvoked: new Set(),
    retries: new Heap((a, b) => a.at < b.at || (a.at === b.at && a.index < b.index)),
  };
}
