/**
 * AgentProvider: code that can carry out an agent's work.
 *
 * Decided here: the contract between the engine and a provider. Decided elsewhere: retries, time-outs, what is
 * recorded (runs/). A provider never retries by itself and never throws to steer the engine: it answers an outcome.
 */
import type { Failure, Issue } from '../kernel/failure.js';
import type { Json, JsonObject } from '../kernel/json.js';
import type { ToolCall } from './domain/tool-call.js';
import type { AgentUsage } from './domain/usage.js';
import type { BuiltInAgent } from './provider.decorator.js';

/** One call of an agent: the step's resolved input and nothing else of the run. */
export interface AgentRequest {
  readonly agentKey: string;
  readonly settings: JsonObject;
  readonly input: Json;
  readonly namespace: string;
  /** The stable key of the work, the same in every attempt; sent on as `Idempotency-Key`. */
  readonly idempotencyKey: string;
  /** 1, 2, 3, …; grows by one with each attempt, interrupted ones included. */
  readonly attempt: number;
  /** Attempts that ended in a failure before this one; interrupted ones do not count. */
  readonly failures: number;
  /** Absent when the agent is called outside a run. */
  readonly runId?: string;
  readonly stepId?: string;
  /** Where the step stands among items and iterations: `parts[2]`; equal to `stepId` where there are none. */
  readonly path?: string;
  /** What a completed output must satisfy; a provider that can do something about it before it answers does. */
  readonly outputSchema?: Json;
  /** How many agents call this one, one inside the other. @default 0 */
  readonly depth?: number;
}

/** A recorded model turn or tool outcome. */
export interface Turn {
  /** 1, 2, 3, … within the step. */
  readonly turn: number;
  readonly body: Json;
  /** The tool that was called, when this is its outcome; recorded as `tool.called`. */
  readonly tool?: ToolCall;
  readonly usage?: AgentUsage;
  readonly costMicros?: number;
}

/** The durable memory of a step's attempts: what was recorded is never paid for again. */
export interface Journal {
  /** Turns recorded by this and earlier attempts of the step, in order. */
  readonly turns: readonly Turn[];
  /** Records a turn; resolves when it is durable. Rejects when the claim is lost: the provider lets that through. */
  record(turn: Omit<Turn, 'turn'>): Promise<void>;
}

/** What streams out of an attempt under way; not part of the log. */
export type AgentPart =
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'progress'; readonly percent?: number; readonly message?: string };

/** A file that an attempt made, readable as an artifact of the run. */
export interface AgentArtifact {
  /** Unique within the step: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  /** `image/svg+xml`, `audio/midi`, … */
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** How the work ended. `usage` and `costMicros` are what it spent beside its recorded turns. */
export type SettledOutcome =
  | {
      readonly status: 'completed';
      readonly output: Json;
      readonly usage?: AgentUsage;
      readonly costMicros?: number;
      readonly artifacts?: readonly AgentArtifact[];
    }
  | {
      readonly status: 'failed';
      readonly failure: Failure;
      readonly usage?: AgentUsage;
      readonly costMicros?: number;
    };

/** How an attempt ended. */
export type AgentOutcome =
  | SettledOutcome
  /** Somebody outside answers later: the attempt is closed and the step waits, at most for its own time limits. */
  | { readonly status: 'waiting'; readonly taskId: string };

/** Why a signal aborts where the work is not over: a lost claim, a shutdown. A later attempt goes on with it. */
export class HandedOver extends Error {
  override readonly name = 'HandedOver';
}

/** True when an aborted attempt is followed by another that goes on; false when nobody wants the work any more. */
export function isHandedOver({ reason }: AbortSignal): boolean {
  return reason instanceof HandedOver;
}

export interface InvocationContext {
  /** Aborted when the attempt must end: cancel, time-out, lost claim, shutdown. `isHandedOver` tells which. */
  readonly signal: AbortSignal;
  readonly journal: Journal;
}

/** Whether an agent can be called now; `reason` says what to do when it can not. */
export interface AgentHealth {
  readonly status: 'available' | 'degraded' | 'offline';
  readonly reason?: string;
}

export abstract class AgentProvider {
  /** Whether failures of some calls say that the next ones will fail too, whatever they ask for. */
  readonly failsAsWhole: boolean = true;

  /** Every problem in an agent's settings, with pointers from the root of the settings; none when they are good. */
  abstract check(settings: JsonObject): readonly Issue[];

  /** JSON Schema (draft 2020-12) of the settings, as people write them; `check` decides. */
  abstract settingsSchema(): JsonObject;

  /**
   * Does the work once: yields parts while it goes, returns one outcome.
   *
   * An abort ends it soon, with whatever outcome; the engine no longer listens. What it throws counts as a failed
   * outcome `agent.crashed`, which is retried.
   */
  abstract invoke(
    request: AgentRequest,
    context: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void>;

  /** Agents that come with it beside those that its decorator names. Asked once, at start. */
  builtIns(): readonly BuiltInAgent[] {
    return [];
  }

  /** Whether an agent with these settings can work now; cheap, no call that costs money. */
  health(_settings: JsonObject): Promise<AgentHealth> {
    return Promise.resolve({ status: 'available' });
  }
}
