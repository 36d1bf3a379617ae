/** OpenAI's chat completions (`POST /v1/chat/completions`), as compatible endpoints speak them. */
import type { JsonObject } from '../../src/kernel/json.js';
import {
  whole,
  type LlmWire,
  type StubFrame,
  type StubRequest,
  type StubToolUse,
  type StubUsage,
} from './llm-wire.js';

/** Anthropic's word for how an answer ended → OpenAI's; what is not here is said as it is. */
const FINISH_REASONS = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['refusal', 'content_filter'],
  ['tool_use', 'tool_calls'],
]);

export const openaiWire: LlmWire = {
  path: '/v1/chat/completions',

  refusal: ({ headers: { authorization } }) =>
    authorization?.startsWith('Bearer ') === true
      ? undefined
      : { code: 401, type: 'authentication_error', message: 'You did not provide an API key' },

  frames(request, said) {
    const { deltas, model, stopReason, usage, hidesUsage, toolUse } = whole(request, said);
    const chunk = (choice: JsonObject): JsonObject => ({ ...envelope(model), choices: [choice] });
    const delta = (piece: JsonObject): JsonObject => chunk({ index: 0, delta: piece, finish_reason: null });
    return [
      frameOf(delta({ role: 'assistant', content: '' })),
      ...deltas.map((text) => frameOf(delta({ content: text }), true)),
      ...toolUse.flatMap((tool, index) =>
        toolPieces(tool, index).map((piece) => frameOf(delta({ tool_calls: [piece] }), true)),
      ),
      frameOf(chunk({ index: 0, delta: {}, finish_reason: finishReasonOf(stopReason) })),
      ...(asksForUsage(request) && !hidesUsage
        ? [frameOf({ ...envelope(model), choices: [], usage: usageOf(usage) })]
        : []),
      { text: 'data: [DONE]\n\n', isDelta: false },
    ];
  },

  body(request, said) {
    const { deltas, model, stopReason, usage, toolUse } = whole(request, said);
    const message = {
      role: 'assistant',
      content: deltas.join(''),
      ...(toolUse.length > 0 && { tool_calls: toolUse.map(callOf) }),
    };
    const choice = { index: 0, message, finish_reason: finishReasonOf(stopReason) };
    return { ...envelope(model), object: 'chat.completion', choices: [choice], usage: usageOf(usage) };
  },

  errorBody: ({ type, message }) => ({ error: { type, message, param: null, code: null } }),

  errorFrame: ({ type, message }) => frameOf({ error: { type, message, param: null, code: null } }).text,

  garbage: 'data: {"id":"chatcmpl_stub","choi\n\n',
};

function envelope(model: string): JsonObject {
  return { id: 'chatcmpl_stub', object: 'chat.completion.chunk', created: 1_800_000_000, model };
}

function frameOf(json: JsonObject, isDelta = false): StubFrame {
  return { text: `data: ${JSON.stringify(json)}\n\n`, isDelta };
}

function callOf({ id, name, input }: StubToolUse): JsonObject {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input) } };
}

/** Name first, arguments in two pieces. */
function toolPieces({ id, name, input }: StubToolUse, index: number): readonly JsonObject[] {
  const text = JSON.stringify(input);
  const half = Math.ceil(text.length / 2);
  return [
    { index, id, type: 'function', function: { name, arguments: '' } },
    { index, function: { arguments: text.slice(0, half) } },
    { index, function: { arguments: text.slice(half) } },
  ];
}

function asksForUsage({ body }: StubRequest): boolean {
  const options = (body as { readonly stream_options?: { readonly include_usage?: unknown } } | null)
    ?.stream_options;
  return options?.include_usage === true;
}

function finishReasonOf(stopReason: string): string {
  return FINISH_REASONS.get(stopReason) ?? stopReason;
}

function usageOf(usage: StubUsage): JsonObject {
  const { cache_read_input_tokens: cacheRead = 0, cache_creation_input_tokens: cacheWrite = 0 } = usage;
  const prompt = usage.input_tokens + cacheRead + cacheWrite;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output_tokens,
    total_tokens: prompt + usage.output_tokens,
    prompt_tokens_details: { cached_tokens: cacheRead },
    completion_tokens_details: { reasoning_tokens: usage.output_tokens_details?.thinking_tokens ?? 0 },
  };
}
