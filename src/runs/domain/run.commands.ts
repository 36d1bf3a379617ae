/**
 * What may be asked of a run. Time, randomness and everything computed outside arrive on the command.
 *
 * Decided here: the shapes. Decided elsewhere: what each leads to (decide.ts).
 */
import type { ToolCall } from '../../agents/domain/tool-call.js';
import type { Failure } from '../../kernel/failure.js';
import type { Json } from '../../kernel/json.js';
import type { ArtifactRef, SkipReason, Spent } from './run.events.js';

interface At {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface AttemptRef extends At {
  readonly stepId: string;
  readonly attempt: number;
}

/** How a ready step goes on, found by evaluating its condition and input. */
export type Resolution =
  | { readonly kind: 'start'; readonly input: Json }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'fail'; readonly failure: Failure };

export type RunCommand =
  /** A worker takes the run up for execution. */
  | ({ readonly type: 'begin' } & At)
  /** A new owner finds attempts that the former one left open. */
  | ({ readonly type: 'recover'; readonly epoch: number } & At)
  /** The owner gives its open attempts up because it was told to stop. */
  | ({ readonly type: 'hand-back'; readonly epoch: number } & At)
  | ({ readonly type: 'resolve'; readonly stepId: string; readonly resolution: Resolution } & At)
  /** Another attempt of a step whose input is known. */
  | ({ readonly type: 'restart'; readonly stepId: string } & At)
  | ({
      readonly type: 'complete';
      readonly output: Json;
      readonly artifacts?: readonly ArtifactRef[];
    } & AttemptRef &
      Spent)
  | ({ readonly type: 'fail'; readonly failure: Failure; readonly random: number } & AttemptRef & Spent)
  /** The attempt ended because it was aborted. */
  | ({ readonly type: 'aborted' } & AttemptRef)
  | ({ readonly type: 'record-turn'; readonly body: Json; readonly tool?: ToolCall } & AttemptRef & Spent)
  /** Something happened that the definition does not handle: the run fails with it. */
  | ({ readonly type: 'conclude' } & At)
  /** Everything has settled; the run's output was evaluated. */
  | ({ readonly type: 'finish'; readonly output: Json } & At)
  | ({ readonly type: 'finish-failed'; readonly failure: Failure } & At)
  /** A cancelled run has no open attempt left. */
  | ({ readonly type: 'finish-cancelled' } & At)
  /** Time has passed. */
  | ({ readonly type: 'tick' } & At)
  | ({ readonly type: 'pause'; readonly by?: string; readonly reason?: string } & At)
  | ({ readonly type: 'resume'; readonly by?: string } & At)
  | ({ readonly type: 'cancel'; readonly by?: string; readonly reason?: string } & At);
