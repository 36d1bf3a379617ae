/**
 * What may be asked of a run. Time, randomness and everything computed outside arrive on the command.
 *
 * Decided here: the shapes. Decided elsewhere: what each leads to (decide.ts).
 */
import type { ToolCall } from '../../agents/domain/tool-call.js';
import type { Failure } from '../../kernel/failure.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import type { Result } from '../../kernel/result.js';
import type { AskedApproval, Decision } from './approval.js';
import type { ContextWrite } from './context.js';
import type { Kept } from './kept.js';
import type { ArtifactRef, LoopNext, SkipReason, Spent, WaitReason } from './run.events.js';

interface At {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface UnitRef extends At {
  /** The path of a unit. */
  readonly path: string;
}

interface AttemptRef extends UnitRef {
  readonly attempt: number;
}

/** What a unit waits for. */
export interface Awaited {
  readonly for: WaitReason;
  /** The name of the signal. */
  readonly name?: string;
  /** The id of the task, the run, the approval. */
  readonly ref?: string;
}

/** What comes of a wait. */
export type Delivery =
  | ({ readonly status: 'completed'; readonly output: Json } & Spent)
  | ({ readonly status: 'failed'; readonly failure: Failure } & Spent);

/** How a ready unit goes on, found by evaluating its condition and what it does. */
export type Resolution =
  /** An attempt begins. */
  | { readonly kind: 'start'; readonly input: Json }
  /** An attempt begins whose work is a run of its own. */
  | { readonly kind: 'delegate'; readonly input: Json }
  /** It opens for the units that it holds. */
  | { readonly kind: 'hold'; readonly input?: Json; readonly items?: number }
  /** It waits, at most until an instant, in milliseconds since the epoch. */
  | ({ readonly kind: 'wait'; readonly until?: number } & Awaited)
  /** It asks for an approval, and waits for it at most until an instant, in milliseconds since the epoch. */
  | { readonly kind: 'ask'; readonly asked: AskedApproval; readonly until?: number }
  /** It is done without an attempt. */
  | { readonly kind: 'complete'; readonly output: Json }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'fail'; readonly failure: Failure };

/** What follows from the output of a unit beyond the unit itself, found by evaluating it. */
export interface Consequence {
  /** Of an iteration: how its step goes on. */
  readonly next?: LoopNext;
  /** What it writes to the context, in order. */
  readonly writes?: readonly ContextWrite[];
  /** What could not be evaluated: the unit fails with it. */
  readonly failure?: Failure;
}

/** What is asked of a run that is to be retried. */
export interface RetryRequest {
  /** The step, item or iteration from which on everything runs again; by default what has not ended well, and what follows. */
  readonly fromStep?: string;
  /** The context that the run goes on with; by default the one that it has. */
  readonly context?: JsonObject;
  /** Refused when the log has gone on since. */
  readonly expectedSeq?: number;
  readonly by?: string;
  readonly reason?: string;
}

/** What may be asked about the context of a run. */
export type ContextCommand =
  /** A merge patch (RFC 7396). `versions`: refused unless the context is at one of them. */
  | {
      readonly type: 'patch-context';
      readonly patch: JsonObject;
      readonly versions?: readonly number[];
      readonly by?: string;
    }
  | { readonly type: 'create-snapshot'; readonly name: string; readonly by?: string }
  /** The context of a snapshot, read from the log, in place of the one that the run has. */
  | {
      readonly type: 'restore-context';
      readonly name: string;
      readonly context: JsonObject;
      readonly by?: string;
    };

export type RunCommand =
  /** A worker takes the run up for execution. */
  | ({ readonly type: 'begin' } & At)
  /** A new owner finds attempts that the former one left open. */
  | ({ readonly type: 'recover'; readonly epoch: number } & At)
  /** The owner gives its open attempts up because it was told to stop. */
  | ({ readonly type: 'hand-back'; readonly epoch: number } & At)
  | ({
      readonly type: 'resolve';
      readonly resolution: Resolution;
      /** Of a resolution `complete`. */
      readonly consequence?: Consequence;
      /** Of a resolution `delegate`: the id of the run that does the work. */
      readonly subRunId?: string;
    } & UnitRef)
  /** Another attempt of a unit whose input is known; by a run of its own where `subRunId` names one. */
  | ({ readonly type: 'restart'; readonly subRunId?: string } & UnitRef)
  | ({
      readonly type: 'complete';
      readonly output: Json;
      readonly artifacts?: readonly ArtifactRef[];
      /** Filled in by the turn that decides the command. */
      readonly consequence?: Consequence;
    } & AttemptRef &
      Spent)
  | ({ readonly type: 'fail'; readonly failure: Failure; readonly random: number } & AttemptRef & Spent)
  /** The attempt ended because it was aborted. */
  | ({ readonly type: 'aborted' } & AttemptRef)
  | ({ readonly type: 'record-turn'; readonly body: Json; readonly tool?: ToolCall } & AttemptRef & Spent)
  /** The attempt ended without an outcome: what it asked for answers later, by `deliver`. */
  | ({ readonly type: 'suspend'; readonly until?: number } & Awaited & AttemptRef)
  /** A wait has run out. */
  | ({ readonly type: 'expire'; readonly consequence?: Consequence } & UnitRef)
  /** What a unit waits for has come. `wait` is the sequence number of the event with which the wait began. */
  | ({
      readonly type: 'deliver';
      readonly wait: number;
      readonly outcome: Delivery;
      readonly random: number;
      readonly consequence?: Consequence;
    } & UnitRef)
  | ({
      readonly type: 'signal';
      readonly name: string;
      readonly data: Json;
      readonly by?: string;
      /** Of the unit that takes it. */
      readonly consequence?: Consequence;
    } & At)
  /** Somebody answers an approval. The first answer is taken, and whatever comes later leads to nothing. */
  | ({
      readonly type: 'answer';
      /** The id of the approval. */
      readonly approval: string;
      readonly decision: Decision;
      readonly data: Json;
      readonly by?: string;
      readonly consequence?: Consequence;
    } & UnitRef)
  /** Nothing is open or ready: the run waits. */
  | ({ readonly type: 'rest' } & At)
  /** Something has come: the run goes on. */
  | ({ readonly type: 'rouse' } & At)
  /** Everything that a unit holds has ended, or it can not go on; its outcome was evaluated. */
  | ({ readonly type: 'close'; readonly outcome: Result<Kept>; readonly consequence?: Consequence } & UnitRef)
  /** Something happened that the definition does not handle: the run fails with it. */
  | ({ readonly type: 'conclude' } & At)
  /** Everything has settled; the run's output was evaluated. */
  | ({ readonly type: 'finish'; readonly output: Json } & At)
  | ({ readonly type: 'finish-failed'; readonly failure: Failure } & At)
  /** What comes last has been done: the run ends as it was decided. */
  | ({ readonly type: 'finish-ending' } & At)
  /** A cancelled run has no open attempt left. */
  | ({ readonly type: 'finish-cancelled' } & At)
  /** A run that has ended badly is opened again. */
  | ({ readonly type: 'retry' } & RetryRequest & At)
  | (ContextCommand & At)
  /** Time has passed. */
  | ({ readonly type: 'tick' } & At)
  | ({ readonly type: 'pause'; readonly by?: string; readonly reason?: string } & At)
  | ({ readonly type: 'resume'; readonly by?: string } & At)
  | ({
      readonly type: 'cancel';
      readonly by?: string;
      readonly reason?: string;
      /** Whether what completed steps have done is undone. */
      readonly compensate?: boolean;
    } & At);
