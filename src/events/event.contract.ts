/**
 * What is said over a socket: every command with its payload and answer, every event with its data.
 *
 * Decided here: names and shapes. Decided elsewhere: the stored events themselves (runs/domain/run.events.ts), how a
 * payload is checked (dto/), how a command is carried out (command.service.ts).
 */
import type { Json, JsonObject } from '../kernel/json.js';
import type { ProblemDocument } from '../platform/http/problem.js';
import type { RunEventMap, RunEventOf, RunEventType } from '../runs/domain/run.events.js';
import type { RunProgress, RunView } from '../runs/domain/view.js';
import type { RunStatus } from '../runs/domain/run.status.js';
import type { Reset } from '../runs/retention.store.js';
import type { Delta } from '../runs/run.feed.js';
import type { RunItem } from '../runs/run-item.js';

/** Nothing to say. */
export type EmptyPayload = { readonly [field in never]: never };

/** A run by its id. */
export interface RunReference {
  readonly runId: string;
}

/** What a start says beside what it is about. */
interface StartOptions {
  readonly input?: Json;
  readonly context?: JsonObject;
  readonly priority?: number;
  readonly tags?: readonly string[];
}

/** As the body of `POST /runs`: exactly one of `definition` and `workflow`. */
export interface StartPayload extends StartOptions {
  readonly definition?: JsonObject;
  /** `{ id | name, version | label }` of a stored workflow. */
  readonly workflow?: JsonObject;
}

/** As the path and body of `POST /orchestrations/:pattern`. */
export interface OrchestrationPayload extends StartOptions {
  /** The name of the pattern: `map-reduce`. */
  readonly pattern: string;
  /** What the pattern takes. */
  readonly parameters: JsonObject;
}

export interface StopPayload extends RunReference {
  /** Recorded with the event. */
  readonly reason?: string;
}

/** As the path and body of `POST /runs/:id/cancel`. */
export interface CancelPayload extends StopPayload {
  /** Whether what completed steps have done is undone. @default false */
  readonly compensate?: boolean;
}

/** As the path and body of `POST /runs/:id/signals/:name`. */
export interface SignalPayload extends RunReference {
  readonly name: string;
  /** Any JSON. @default null */
  readonly data?: Json;
}

export interface SubscribePayload extends RunReference {
  /** The last sequence number that the client has; 0 for all. @default the snapshot's */
  readonly afterSeq?: number;
}

/** A run as it is at a sequence number. The events of later numbers follow. */
export interface Subscribed {
  readonly snapshot: RunView;
  readonly seq: number;
}

/** What is known of a run that was deleted. No event follows. */
export type ResetNotice = Reset;

/** Which runs to watch; all of the namespace when nothing is given. */
export interface WatchPayload {
  readonly status?: RunStatus;
  readonly workflowId?: string;
}

/** The newest runs that match, at most 50. What changes afterwards follows as `run.summary`. */
export interface Watched {
  readonly items: readonly RunItem[];
}

/** Every command: what it takes, and what a success answers. */
export interface CommandMap {
  /** Starts a run; the socket then follows it from event 1. */
  'run.start': { readonly payload: StartPayload; readonly result: RunView };
  /** Starts a run of a pattern; the socket then follows it from event 1. */
  'orchestration.start': { readonly payload: OrchestrationPayload; readonly result: RunView };
  'run.status': { readonly payload: RunReference; readonly result: RunView };
  'run.cancel': { readonly payload: CancelPayload; readonly result: RunView };
  'run.pause': { readonly payload: StopPayload; readonly result: RunView };
  'run.resume': { readonly payload: RunReference; readonly result: RunView };
  /** Sends a signal to a run. */
  'run.signal': { readonly payload: SignalPayload; readonly result: RunView };
  /** Follows a run until its terminal event. A second subscription to the same run replaces the first. */
  'run.subscribe': { readonly payload: SubscribePayload; readonly result: Subscribed | ResetNotice };
  'run.unsubscribe': { readonly payload: RunReference; readonly result: RunReference };
  /** Watches the runs of the namespace for a list. A second watch of the same socket replaces the first. */
  'runs.watch': { readonly payload: WatchPayload; readonly result: Watched };
  'runs.unwatch': { readonly payload: EmptyPayload; readonly result: EmptyPayload };
}

export type CommandName = keyof CommandMap;

/** What every command is acknowledged with. `problem` is the record that REST answers with. */
export type Acknowledgement<T> =
  { readonly ok: true; readonly data: T } | { readonly ok: false; readonly problem: ProblemDocument };

/** Steps done, outside the log: sent a few times a second at most, and before the terminal event. */
export interface ProgressNotice extends RunProgress, RunReference {}

/** What is sent beside the log, never numbered. */
export interface LiveEventMap {
  /** A piece of an answer while it is made. */
  readonly 'step.delta': Delta;
  /** How far an attempt says that it is. */
  readonly 'step.progress': Delta;
  readonly 'run.progress': ProgressNotice;
  /** A watched run changed: once for each run and some hundred milliseconds, and once when it matches no more. */
  readonly 'run.summary': RunItem;
  /** The run was deleted while its events were sent: forget those that are there, and take the snapshot. */
  readonly reset: ResetNotice;
  /** Something that no acknowledgement can tell: a subscription or the connection ends. */
  readonly error: ProblemDocument;
}

/** Every stored event comes as it is stored, under its type. */
export type ServerToClientEvents = {
  [T in RunEventType]: (event: RunEventOf<T>) => void;
} & {
  [T in keyof LiveEventMap]: (content: LiveEventMap[T]) => void;
};

/**
 * The contract as data: `/asyncapi.json` is made from it.
 *
 * @public read by scripts/write-asyncapi.mjs
 */
export interface SocketContract {
  readonly events: RunEventMap;
  readonly live: LiveEventMap;
  readonly commands: CommandMap;
  readonly problem: ProblemDocument;
}

/** The acknowledgement function may be left out. */
export type ClientToServerEvents = {
  [C in CommandName]: (
    payload: CommandMap[C]['payload'],
    acknowledge?: (answer: Acknowledgement<CommandMap[C]['result']>) => void,
  ) => void;
};
