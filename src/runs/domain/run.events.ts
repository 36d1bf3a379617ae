/**
 * The events of a run: one typed map, the same for the log, REST, SSE and sockets.
 *
 * Decided here: names and data. Decided elsewhere: when one is written (decide.ts) and what it means (evolve.ts).
 * `schemaVersion` in event 1 says how to read the rest; a field once published is never given another meaning.
 */
import type { PinnedAgent } from '../../agents/domain/agent.js';
import type { ToolCall } from '../../agents/domain/tool-call.js';
import type { JsonChange } from '../../context/domain/json-changes.js';
import type { Failure } from '../../kernel/failure.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../kernel/json.js';
import type { Reducer } from '../../workflows/domain/context-writes.js';
import type { WorkflowDefinition } from '../../workflows/domain/definition.schema.js';
import type { PinnedWorkflow, WorkflowPins } from '../../workflows/domain/pinned-workflow.js';
import type { StepTemplates } from '../../workflows/domain/step-templates.js';
import type { WorkflowPin } from '../../workflows/domain/workflow.js';
import type { ApprovalEnd, AskedApproval } from './approval.js';
import type { BlobReference } from './kept.js';

export const EVENT_SCHEMA_VERSION = 1;

/** What one attempt consumed. Counts are tokens. */
export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
}

/** A file that a step made; its content lies in the blob store. */
export interface ArtifactRef {
  /** Unique within the run: the unit's path with dots, a dot, its own name: `parts.2.mix.svg`. */
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly hash: string;
}

/** What an outcome adds to the run's usage and cost. Cost is in micro-dollars. */
export interface Spent {
  readonly usage?: Usage;
  readonly costMicros?: number;
}

/** What was spent, and nothing else of what it is taken from. */
export function spentOf({ usage, costMicros }: Spent): Spent {
  return {
    ...(usage === undefined ? {} : { usage }),
    ...(costMicros === undefined ? {} : { costMicros }),
  };
}

/** A version of a workflow that a sub-run executes, with the limits that it has there. */
export interface PinnedDefinition
  extends PinnedWorkflow, Pick<RunOptions, 'timeoutMs' | 'maxParallelSteps'> {}

/** The exact version of everything that a run resolved when it started. */
export interface RunManifest {
  readonly workflow?: WorkflowPin;
  /** By reference as steps write it: `key`, `key@3` or `key@label`. */
  readonly agents: { readonly [reference: string]: PinnedAgent };
  /** By the key of the step, with text and includes: the run needs no other record of them. Absent when no step has one. */
  readonly templates?: StepTemplates;
  /** The versions of workflows that steps run, by reference as they write it: `name`, `name@3`. Absent when none does. */
  readonly workflows?: WorkflowPins;
  /** Those versions, and what they run in turn, by `id@version`: a sub-run needs no other record of them. */
  readonly definitions?: { readonly [key: string]: PinnedDefinition };
}

/** The run whose step a run is the work of. */
export interface RunParent {
  readonly runId: string;
  /** The unit that waits for it. */
  readonly path: string;
  /** The number of the event with which it began to wait: the end is delivered to it. Absent: nobody is told. */
  readonly wait?: number;
  /** How many runs are above: 1 where the parent has none. */
  readonly depth: number;
}

/** What the caller asked for beside definition and input. */
export interface RunOptions {
  /** 0 to 100, higher first. @default 50 */
  readonly priority: number;
  readonly tags: readonly string[];
  /** Execution timeout in milliseconds; time spent queued, waiting or paused does not count. */
  readonly timeoutMs: number;
  /** Attempts open at once. */
  readonly maxParallelSteps: number;
}

/** An attempt begins, or a unit that holds others opens. */
export interface UnitStarted {
  /** The resolved input; of a step that maps, its list. Absent where iterations or the steps of a body have inputs of their own. */
  readonly input?: Json;
  /** In its place, where it is large. */
  readonly inputRef?: BlobReference;
  /** The run that does the work. */
  readonly subRunId?: string;
  /** How many items the step maps over. */
  readonly items?: number;
}

export interface UnitCompleted {
  readonly output?: Json;
  /** In its place, where it is large. */
  readonly outputRef?: BlobReference;
  readonly artifacts?: readonly ArtifactRef[];
  /** How the step goes on after this iteration. */
  readonly next?: LoopNext;
}

/** The unit has failed for good. */
export interface UnitFailed {
  readonly failure: Failure;
  /** True when what is around it goes on. */
  readonly handled: boolean;
}

/** An attempt failed and another will follow at `retryAt`. */
export interface UnitRetrying {
  readonly failure: Failure;
  readonly retryAt: string;
  readonly delayMs: number;
}

/** The unit waits for something outside; no attempt is open. */
export interface UnitWaiting {
  readonly for: WaitReason;
  /** The name of the signal. */
  readonly name?: string;
  /** The id of what it waits for: a task, a run, an approval. */
  readonly ref?: string;
  /** When it stops to wait by itself. */
  readonly until?: string;
}

/** The attempt ended without an outcome because its owner went away; it does not use up `maxAttempts`. */
export interface UnitInterrupted {
  readonly cause: InterruptCause;
  readonly epoch: number;
}

/** What was under way ended together with what is around it. */
export interface UnitCancelled {
  readonly reason: CancelReason;
}

/** After an iteration: another one follows, its condition holds, or no further one is allowed. */
export type LoopNext = 'iteration' | 'done' | 'exhausted';

/** What a unit waits for. */
export type WaitReason = 'timer' | 'signal' | 'approval' | 'run' | 'task';

/** Why something under way was ended: with its run, or with the step or iteration around it. */
export type CancelReason = 'run-cancelled' | 'run-failed' | 'step-failed';

/** How a run ends. */
export interface RunEnd {
  readonly status: 'completed' | 'failed' | 'timed_out' | 'cancelled';
  /** Of a completed run. */
  readonly output?: Json;
  /** In its place, where it is large. */
  readonly outputRef?: BlobReference;
  /** Of one that failed or timed out. */
  readonly failure?: Failure;
  /** Milliseconds after which the run ends whatever is still to be done. */
  readonly graceMs?: number;
}

/** What a run that has completed gives. */
export interface RunOutput {
  readonly output?: Json;
  /** In its place, where it is large. */
  readonly outputRef?: BlobReference;
}

/** What an attempt recorded on its way. */
export interface TurnBody {
  readonly turn: number;
  readonly body?: Json;
  /** In its place, where it is large. */
  readonly bodyRef?: BlobReference;
  /** The model that answered, where the body is not here. */
  readonly model?: string;
}

/** The model that a turn came from; undefined where it says none. */
export function modelOfTurn({ body, model }: TurnBody): string | undefined {
  const named = model ?? (isJsonObject(body) ? getOwn(body, 'model') : undefined);
  return typeof named === 'string' ? named : undefined;
}

/** A piece of the history that a fork begins with: a blob with one event in each line. */
export interface HistoryPart {
  /** SHA-256 of the piece, hexadecimal. */
  readonly hash: string;
  /** How many events it holds. */
  readonly events: number;
}

/** What a run begins with: everything that it needs later, read from nowhere else. */
export interface RunBeginning {
  readonly schemaVersion: number;
  /** Numbered flags of behaviour that this run was started under; a worker leaves a run alone whose flags it does not know. */
  readonly flags: readonly number[];
  readonly definition: WorkflowDefinition;
  readonly manifest: RunManifest;
  readonly input: Json;
  readonly context: JsonObject;
  readonly options: RunOptions;
}

export interface RunEventMap {
  'run.queued': RunBeginning & {
    /** Absent when the run was not started by a step. */
    readonly parent?: RunParent;
  };
  /** The run begins with the state that another one had after an event. Nothing of that run is needed any more. */
  'run.forked': RunBeginning & {
    /** The run that it was forked from. */
    readonly from: string;
    /** The number of the last event of that run that counts. */
    readonly atSeq: number;
    /** The events whose fold the run begins with, in order. */
    readonly history: readonly HistoryPart[];
    /** What is different from that run: places in `input`, `context` and `manifest`, at most 100. */
    readonly changes: readonly JsonChange[];
    readonly by?: string;
  };
  /** A run that had ended is opened again: what has not ended well runs again, with a raised generation. */
  'run.retried': {
    /** How often the run was retried, this time included. */
    readonly retry: number;
    /** Ids of the steps that run again, or go on. */
    readonly steps: readonly string[];
    /** The step, item or iteration from which on everything runs again, though it has ended well. */
    readonly fromStep?: string;
    /** The context without what was written by units that run again, where that makes a difference. */
    readonly context?: JsonObject;
    readonly by?: string;
    readonly reason?: string;
  };
  'run.started': { readonly [key in never]: never };
  /** Nothing is open or ready; `until` is when the next timer is due. */
  'run.waiting': { readonly until?: string };
  'run.paused': { readonly by?: string; readonly reason?: string };
  /** A paused run goes on because somebody asked, a waiting one because something came. */
  'run.resumed': { readonly by?: string };
  /** Kept until a step takes it. */
  'signal.received': {
    readonly name: string;
    readonly data?: Json;
    /** In its place, where it is large. */
    readonly dataRef?: BlobReference;
    readonly by?: string;
  };
  /** A unit has written to the context, it completes by the next event of its own; or somebody has from outside. */
  'context.updated': {
    /** Empty for the context as a whole. */
    readonly path: string;
    /** What was written, not what came of it. */
    readonly value: Json;
    /** `merge-patch` (RFC 7396) from outside only. */
    readonly reducer: Reducer | 'merge-patch';
    /** The path of the unit; absent where the write came from outside. */
    readonly by?: string;
    /** Who wrote from outside, as far as that is known. */
    readonly actor?: string;
    /** The snapshot whose context was restored. */
    readonly snapshot?: string;
  };
  /** A sub-run has ended that its step had given up: what it has spent counts all the same. */
  'run.spent': {
    readonly subRunId: string;
    /** The path of the unit that had waited for it. */
    readonly path: string;
  } & Spent;
  /** The context as it is now has a name. */
  'snapshot.created': { readonly name: string; readonly by?: string };
  'run.cancelling': {
    /** True when what completed steps have done is undone before the run ends. */
    readonly compensate?: boolean;
    readonly by?: string;
    readonly reason?: string;
    readonly graceMs: number;
  };
  /** How the run will end is decided; compensations and steps that run last come before it. */
  'run.ending': RunEnd;
  'run.completed': RunOutput;
  /** Every bad end but a cancellation, a time-out included. */
  'run.failed': { readonly status: 'failed' | 'timed_out'; readonly failure: Failure };
  'run.cancelled': { readonly reason?: string };
  'step.started': UnitStarted;
  'step.completed': UnitCompleted & Spent;
  'step.failed': UnitFailed & Spent;
  'step.retrying': UnitRetrying & Spent;
  'step.waiting': UnitWaiting;
  'step.interrupted': UnitInterrupted;
  'step.cancelled': UnitCancelled & Spent;
  'step.skipped': { readonly reason: SkipReason };
  /** The same of one item of a step that maps over a list. */
  'item.started': UnitStarted;
  'item.completed': UnitCompleted & Spent;
  'item.failed': UnitFailed & Spent;
  'item.retrying': UnitRetrying & Spent;
  'item.waiting': UnitWaiting;
  'item.interrupted': UnitInterrupted;
  'item.cancelled': UnitCancelled & Spent;
  /** The same of one iteration of a step that is repeated. */
  'iteration.started': UnitStarted;
  'iteration.completed': UnitCompleted & Spent;
  'iteration.failed': UnitFailed & Spent;
  'iteration.retrying': UnitRetrying & Spent;
  'iteration.waiting': UnitWaiting;
  'iteration.interrupted': UnitInterrupted;
  'iteration.cancelled': UnitCancelled & Spent;
  /** Somebody is asked; the unit waits from the next event on. */
  'approval.requested': { readonly id: string; readonly until?: string } & AskedApproval;
  /** Somebody has answered, or the deadline has passed; the end of the unit follows at once. */
  'approval.resolved': { readonly id: string } & ApprovalEnd;
  /** A model turn of an attempt, recorded so that it is never paid for twice. */
  'turn.completed': TurnBody & Spent;
  /** The outcome of a tool that an attempt called; numbered among the turns. */
  'tool.called': TurnBody & { readonly tool: ToolCall } & Spent;
}

/** Why a step did not run: its condition was false, what it depends on did not go as its join asks, there was no failure to catch. */
export type SkipReason =
  'condition-false' | 'dependencies-skipped' | 'dependencies-failed' | 'nothing-to-catch';

/** The owner died or lost its lease, or handed the run back when it was told to stop. */
export type InterruptCause = 'owner-lost' | 'handed-back';

export type RunEventType = keyof RunEventMap;

/** One event as stored and as sent. */
export type RunEvent = { readonly [T in RunEventType]: RunEventOf<T> }[RunEventType];

export interface RunEventOf<T extends RunEventType> {
  readonly runId: string;
  /** 1, 2, 3, … within the run, without a gap. */
  readonly seq: number;
  readonly type: T;
  /** ISO 8601 UTC. */
  readonly at: string;
  /** The step of the definition. */
  readonly stepId?: string;
  /** Where the unit stands in its run, such as `polish[3]/check`; absent when it equals `stepId`. */
  readonly path?: string;
  /** 1, 2, 3, … within the unit. */
  readonly attempt?: number;
  readonly data: RunEventMap[T];
}

/** Event 1: what a run began with. */
export type FirstEvent = RunEventOf<'run.queued'> | RunEventOf<'run.forked'>;

/** An event together with its JSON text: it is encoded once, for the log and for every reader. */
export interface EncodedEvent {
  readonly event: RunEvent;
  readonly text: string;
}

/** Encodes an event for the log and the wire: fields in the order of `RunEventOf`, by which logged-event.ts reads them. */
export function encodeEvent(event: RunEvent): EncodedEvent {
  const { runId, seq, type, at, stepId, path, attempt, data } = event;
  return { event, text: JSON.stringify({ runId, seq, type, at, stepId, path, attempt, data }) };
}
