/** What the protocols of model providers have in common, as far as the stub speaks them. */
import type { IncomingHttpHeaders } from 'node:http';

import { isJsonObject, type Json, type JsonObject } from '../../src/kernel/json.js';

/** A call as it came in. */
export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  /** Resolves when the connection is over: true if the answer was complete by then. */
  readonly closed: Promise<boolean>;
}

/** Token counts: `input_tokens` leaves out what was read from or written to the cache. */
export interface StubUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly output_tokens_details?: { readonly thinking_tokens: number };
}

export interface StubToolUse {
  readonly id: string;
  readonly name: string;
  readonly input: JsonObject;
}

/** What a model says, in Anthropic's words; each wire says it in its own. */
export interface StubMessage {
  /** The text, one part per delta. @default ['Hello', ' world'] */
  readonly deltas?: readonly string[];
  /** @default the model of the request */
  readonly model?: string;
  /** @default end_turn, or tool_use where tools are used */
  readonly stopReason?: string;
  /** @default 10 in, 5 out */
  readonly usage?: StubUsage;
  /** Chat completions only: an endpoint that does not tell its usage. @default false */
  readonly hidesUsage?: boolean;
  readonly toolUse?: readonly StubToolUse[];
}

export interface StubError {
  readonly type: string;
  readonly message: string;
}

/** A server-sent event as text; `isDelta` when it carries a piece of the answer. */
export interface StubFrame {
  readonly text: string;
  readonly isDelta: boolean;
}

/** One protocol. */
export interface LlmWire {
  readonly path: string;
  /** Why a request is refused before anything is looked at. */
  refusal(request: StubRequest): (StubError & { readonly code: number }) | undefined;
  /** The events of a message in the order in which the provider sends them. */
  frames(request: StubRequest, said: StubMessage): readonly StubFrame[];
  /** The same message without a stream. */
  body(request: StubRequest, said: StubMessage): JsonObject;
  errorBody(error: StubError): JsonObject;
  errorFrame(error: StubError): string;
  /** An event that is not JSON. */
  readonly garbage: string;
}

const USAGE: StubUsage = { input_tokens: 10, output_tokens: 5 };

/** A message with everything that it leaves to the stub. */
export function whole(request: StubRequest, said: StubMessage): Required<StubMessage> {
  const asked = isJsonObject(request.body) ? request.body['model'] : undefined;
  const toolUse = said.toolUse ?? [];
  return {
    deltas: said.deltas ?? ['Hello', ' world'],
    model: said.model ?? (typeof asked === 'string' ? asked : 'unknown'),
    stopReason: said.stopReason ?? (toolUse.length > 0 ? 'tool_use' : 'end_turn'),
    usage: said.usage ?? USAGE,
    hidesUsage: said.hidesUsage ?? false,
    toolUse,
  };
}
