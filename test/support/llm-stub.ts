/**
 * A local HTTP server that speaks Anthropic's Messages API (`POST /v1/messages`), streaming and not.
 *
 * A test queues answers; each call takes the next one. The stub counts calls, keeps every request, and tells when a
 * client went away before its answer was complete. Whatever has to wait, waits for a promise of the test.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

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

/** Answers one call. */
export type StubAnswer = (request: StubRequest, response: ServerResponse) => Promise<void> | void;

/** Token counts as Anthropic sends them: `input_tokens` leaves out what was read from or written to the cache. */
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

/** What a model says. */
export interface StubMessage {
  /** The text, one part per delta. @default ['Hello', ' world'] */
  readonly deltas?: readonly string[];
  /** @default the model of the request */
  readonly model?: string;
  /** @default end_turn */
  readonly stopReason?: string;
  /** @default 10 in, 5 out */
  readonly usage?: StubUsage;
  readonly toolUse?: readonly StubToolUse[];
}

/** A server-sent event of a message. */
type StubEvent = JsonObject & { readonly type: string };

const USAGE: StubUsage = { input_tokens: 10, output_tokens: 5 };

export class LlmStub {
  readonly requests: StubRequest[] = [];
  private readonly answers: StubAnswer[] = [];
  private readonly waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  private constructor(private readonly server: Server) {}

  /** Starts a stub on a free port of the loopback interface. */
  static async start(): Promise<LlmStub> {
    const server = createServer();
    const stub = new LlmStub(server);
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      stub.take(incoming, response).catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  /** For `ANTHROPIC_BASE_URL`. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  get calls(): number {
    return this.requests.length;
  }

  /** The request of a call, counted from 1. */
  request(call: number): StubRequest {
    const request = this.requests[call - 1];
    if (request === undefined) throw new Error(`There were ${this.calls} calls, not ${call}.`);
    return request;
  }

  /** Queues answers; a call that finds none is refused with 400. */
  queue(...answers: readonly StubAnswer[]): this {
    this.answers.push(...answers);
    return this;
  }

  /** Resolves when that many calls have come in. */
  async received(count: number): Promise<void> {
    if (this.calls >= count) return;
    await new Promise<void>((resolve) => this.waiting.push({ count, resolve }));
  }

  /** Stops listening and cuts every connection. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new Promise<boolean>((resolve) => {
      response.on('close', () => resolve(response.writableFinished));
    });
    const body = await readJson(incoming);
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body, closed };
    this.requests.push(request);
    for (const waiter of this.waiting) if (waiter.count <= this.calls) waiter.resolve();
    await this.answerOf(request)(request, response);
  }

  private answerOf(request: StubRequest): StubAnswer {
    if (request.method !== 'POST' || request.path !== '/v1/messages')
      return status(404, { type: 'not_found_error', message: 'Not found' });
    if (typeof request.headers['x-api-key'] !== 'string')
      return status(401, { type: 'authentication_error', message: 'x-api-key header is required' });
    if (request.headers['anthropic-version'] === undefined)
      return status(400, { type: 'invalid_request_error', message: 'anthropic-version: header is required' });
    const none = { type: 'invalid_request_error', message: 'The stub has no answer left' };
    return this.answers.shift() ?? status(400, none);
  }
}

/** A complete answer: events when the request asks for a stream, else one JSON body. */
export function message(said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    if (!isJsonObject(request.body) || request.body['stream'] !== true) {
      sendJson(response, 200, messageBody(request, said));
      return;
    }
    openStream(response);
    for (const event of eventsOf(request, said)) await send(response, event);
    response.end();
  };
}

/** An error status with Anthropic's error body, or with the text given instead of it. */
export function status(
  code: number,
  error: { readonly type: string; readonly message: string } | string,
  headers: Readonly<Record<string, string>> = {},
): StubAnswer {
  return (_request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (typeof error !== 'string') {
      sendJson(response, code, { type: 'error', error });
      return;
    }
    response.writeHead(code, { 'content-type': 'text/plain' }).end(error);
  };
}

/** A stream whose connection is cut after that many text deltas. */
export function dropped(afterDeltas: number, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    response.destroy();
  };
}

/** A stream that ends in good order after that many text deltas, without the events that close a message. */
export function endedEarly(afterDeltas: number, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    response.end();
  };
}

/** A stream that carries an error event after that many text deltas. */
export function failing(
  afterDeltas: number,
  error: { readonly type: string; readonly message: string },
  said: StubMessage = {},
): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    await send(response, { type: 'error', error });
    response.end();
  };
}

/** A stream with an event that is not JSON after that many text deltas. */
export function garbled(afterDeltas: number, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    await write(response, 'event: content_block_delta\ndata: {"type":"content_block_del\n\n');
    response.end();
  };
}

/** A success with a body of its own, whatever that is. */
export function body(text: string, contentType: string): StubAnswer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': contentType }).end(text);
  };
}

/** Sends that many text deltas, waits for `gate`, then sends the rest. */
export function gated(afterDeltas: number, gate: Promise<unknown>, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    const sent = await sendFirst(afterDeltas, request, response, said);
    await gate;
    for (const event of eventsOf(request, said).slice(sent)) await send(response, event);
    response.end();
  };
}

/** Waits for `gate` before it answers at all. */
export function delayed(gate: Promise<unknown>, answer: StubAnswer): StubAnswer {
  return async (request, response) => {
    await gate;
    await answer(request, response);
  };
}

/** Sends the events up to and with the n-th text delta; answers how many events that were. */
async function sendFirst(
  deltas: number,
  request: StubRequest,
  response: ServerResponse,
  said: StubMessage,
): Promise<number> {
  openStream(response);
  let events = eventsOf(request, said);
  const isDelta = (event: StubEvent): boolean => event.type === 'content_block_delta';
  const last = deltas === 0 ? events.findIndex(isDelta) : indexOfNth(events, deltas, isDelta) + 1;
  events = events.slice(0, last);
  for (const event of events) await send(response, event);
  return events.length;
}

function indexOfNth(events: readonly StubEvent[], n: number, matches: (event: StubEvent) => boolean): number {
  let left = n;
  return events.findIndex((event) => matches(event) && (left -= 1) === 0);
}

/** The events of a message in the order in which Anthropic sends them. */
function eventsOf(request: StubRequest, said: StubMessage): readonly StubEvent[] {
  const { deltas = ['Hello', ' world'], stopReason = 'end_turn', usage = USAGE, toolUse = [] } = said;
  const text: StubEvent[] = [
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'ping' },
    ...deltas.map((delta) => blockDelta(0, { type: 'text_delta', text: delta })),
    { type: 'content_block_stop', index: 0 },
  ];
  const started = { ...usage, output_tokens: 1 };
  const opening = { ...messageBody(request, said), content: [], stop_reason: null, usage: { ...started } };
  return [
    { type: 'message_start', message: opening },
    ...(deltas.length > 0 ? text : []),
    ...toolUse.flatMap((tool, index) => toolEvents(tool, index + 1)),
    { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage: { ...usage } },
    { type: 'message_stop' },
  ];
}

function toolEvents({ id, name, input }: StubToolUse, index: number): readonly StubEvent[] {
  return [
    { type: 'content_block_start', index, content_block: { type: 'tool_use', id, name, input: {} } },
    blockDelta(index, { type: 'input_json_delta', partial_json: JSON.stringify(input) }),
    { type: 'content_block_stop', index },
  ];
}

function blockDelta(index: number, delta: JsonObject): StubEvent {
  return { type: 'content_block_delta', index, delta };
}

function messageBody(request: StubRequest, said: StubMessage): JsonObject {
  const { deltas = ['Hello', ' world'], stopReason = 'end_turn', usage = USAGE, toolUse = [] } = said;
  const asked = isJsonObject(request.body) ? request.body['model'] : undefined;
  return {
    id: 'msg_stub',
    type: 'message',
    role: 'assistant',
    model: said.model ?? asked ?? 'unknown',
    content: [
      { type: 'text', text: deltas.join('') },
      ...toolUse.map((tool) => ({ type: 'tool_use', ...tool })),
    ],
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { ...usage },
  };
}

function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
}

function send(response: ServerResponse, event: StubEvent): Promise<void> {
  return write(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** Resolves when the bytes have left, so that a cut that follows does not swallow them; a gone client is no error. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve();
    else response.write(text, () => resolve());
  });
}

function sendJson(response: ServerResponse, code: number, json: JsonObject): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

async function readJson(incoming: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : (JSON.parse(text) as Json);
}
