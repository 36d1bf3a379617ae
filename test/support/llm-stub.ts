/**
 * A local HTTP server that speaks Anthropic's Messages API and OpenAI's chat completions, streaming and not.
 *
 * A test queues answers; each call takes the next one and says it in the protocol of its path. The stub counts calls,
 * keeps every request, and tells when a client went away before its answer was complete. Whatever has to wait, waits
 * for a promise of the test.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { isJsonObject, type Json, type JsonObject } from '../../src/kernel/json.js';
import { anthropicWire } from './anthropic-wire.js';
import type { LlmWire, StubError, StubMessage, StubRequest } from './llm-wire.js';
import { openaiWire } from './openai-wire.js';

const WIRES = [anthropicWire, openaiWire];

/** Answers one call. */
export type StubAnswer = (request: StubRequest, response: ServerResponse) => Promise<void> | void;

export class LlmStub {
  readonly requests: StubRequest[] = [];
  /** What a call is answered that finds nothing queued. @default a refusal with 400 */
  otherwise: StubAnswer | undefined;
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

  /** For `ANTHROPIC_BASE_URL` and `OPENAI_COMPATIBLE_BASE_URL`. */
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

  /** Queues answers. */
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
    const wire = WIRES.find(({ path }) => path === request.path);
    if (request.method !== 'POST' || wire === undefined)
      return status(404, { type: 'not_found_error', message: 'Not found' });
    const refusal = wire.refusal(request);
    if (refusal !== undefined) return status(refusal.code, { type: refusal.type, message: refusal.message });
    const none = { type: 'invalid_request_error', message: 'The stub has no answer left' };
    return this.answers.shift() ?? this.otherwise ?? status(400, none);
  }
}

/** A complete answer: events when the request asks for a stream, else one JSON body. */
export function message(said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    const wire = wireOf(request);
    if (!isJsonObject(request.body) || request.body['stream'] !== true) {
      sendJson(response, 200, wire.body(request, said));
      return;
    }
    openStream(response);
    for (const { text } of wire.frames(request, said)) await write(response, text);
    response.end();
  };
}

/** An error status with the provider's error body, or with the text given instead of it. */
export function status(
  code: number,
  error: StubError | string,
  headers: Readonly<Record<string, string>> = {},
): StubAnswer {
  return (request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (typeof error !== 'string') {
      sendJson(response, code, wireOf(request).errorBody(error));
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
export function failing(afterDeltas: number, error: StubError, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    await write(response, wireOf(request).errorFrame(error));
    response.end();
  };
}

/** A stream with an event that is not JSON after that many text deltas. */
export function garbled(afterDeltas: number, said: StubMessage = {}): StubAnswer {
  return async (request, response) => {
    await sendFirst(afterDeltas, request, response, said);
    await write(response, wireOf(request).garbage);
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
    for (const { text } of wireOf(request).frames(request, said).slice(sent)) await write(response, text);
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
  const frames = wireOf(request).frames(request, said);
  const places = frames.flatMap(({ isDelta }, index) => (isDelta ? [index] : []));
  const last = deltas === 0 ? (places[0] ?? 0) : (places[deltas - 1] ?? frames.length - 1) + 1;
  for (const { text } of frames.slice(0, last)) await write(response, text);
  return last;
}

/** The protocol of a request; one of an unknown path is refused in Anthropic's words. */
function wireOf({ path }: StubRequest): LlmWire {
  return WIRES.find((wire) => wire.path === path) ?? anthropicWire;
}

function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
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
