/**
 * ToolServerInvoker: the tools of servers outside, for agents that may use them.
 *
 * Decided here: what a session offers. Decided elsewhere: which of the tools an agent may call (its settings).
 */
import type { Json, JsonObject } from '../kernel/json.js';
import type { Result } from '../kernel/result.js';
import type { SecretCall } from './call-secrets.js';
import type { ToolServer } from './domain/remote.schema.js';

/** A tool as its server describes it. */
export interface ServedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
}

/** What a tool answered; with `isError` the tool itself says what went wrong. */
export interface ServedOutcome {
  readonly output: Json;
  readonly isError: boolean;
}

/** An open connection to one server. */
export interface ToolSession {
  /** Every tool of the server, all pages. */
  readonly tools: readonly ServedTool[];
  /** Calls a tool once. Fails when no answer came; what the tool itself refuses is an outcome. */
  call(tool: string, input: JsonObject): Promise<Result<ServedOutcome>>;
  /** Lets go of the connection; never throws. */
  close(): Promise<void>;
}

/** Who asks, and for how long. */
export interface ToolSessionOptions extends SecretCall {
  /** For each exchange with the server. @default 60,000 */
  readonly timeoutMs?: number;
}

export abstract class ToolServerInvoker {
  /** Connects to a server and lists its tools. Fails with a readable failure; never throws. */
  abstract open(server: ToolServer, options: ToolSessionOptions): Promise<Result<ToolSession>>;
}
