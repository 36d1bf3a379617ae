/** Anthropic's Messages API (`POST /v1/messages`). */
import type { JsonObject } from '../../src/kernel/json.js';
import {
  whole,
  type LlmWire,
  type StubFrame,
  type StubMessage,
  type StubRequest,
  type StubToolUse,
} from './llm-wire.js';

/** A server-sent event of a message. */
type StubEvent = JsonObject & { readonly type: string };

export const anthropicWire: LlmWire = {
  path: '/v1/messages',

  refusal({ headers }) {
    if (typeof headers['x-api-key'] !== 'string')
      return { code: 401, type: 'authentication_error', message: 'x-api-key header is required' };
    if (headers['anthropic-version'] === undefined)
      return { code: 400, type: 'invalid_request_error', message: 'anthropic-version: header is required' };
    return undefined;
  },

  frames: (request, said) => eventsOf(request, said).map(frameOf),

  body: messageBody,

  errorBody: (error) => ({ type: 'error', error: { ...error } }),

  errorFrame: (error) => frameOf({ type: 'error', error: { ...error } }).text,

  garbage: 'event: content_block_delta\ndata: {"type":"content_block_del\n\n',
};

function eventsOf(request: StubRequest, said: StubMessage): readonly StubEvent[] {
  const { deltas, stopReason, usage, toolUse } = whole(request, said);
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

function frameOf(event: StubEvent): StubFrame {
  return {
    text: `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
    isDelta: event.type === 'content_block_delta',
  };
}

function messageBody(request: StubRequest, said: StubMessage): JsonObject {
  const { deltas, model, stopReason, usage, toolUse } = whole(request, said);
  return {
    id: 'msg_stub',
    type: 'message',
    role: 'assistant',
    model,
    content: [
      { type: 'text', text: deltas.join('') },
      ...toolUse.map((tool) => ({ type: 'tool_use', ...tool })),
    ],
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { ...usage },
  };
}
