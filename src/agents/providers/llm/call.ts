/** One call of a model: streams its text, ends with everything that is known about the answer. */
import {
  jsonSchema,
  streamText,
  tool,
  type JSONValue,
  type LanguageModelUsage,
  type ModelMessage,
  type OutputInterface,
  type TextStreamPart,
  type ToolSet,
} from 'ai';

import { isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import type { AgentPart } from '../../agent.provider.js';
import type { AgentUsage } from '../../domain/usage.js';
import type { ToolCall } from '../../domain/tool-call.js';
import type { ChatMessage, LlmToolCall } from './message.js';
import { modelAt, type ModelTarget } from './model.js';
import type { ToolDescription } from './tool-box.js';

// Warnings are kept in the turn; without this the library also prints them on the process's error stream.
globalThis.AI_SDK_LOG_WARNINGS = false;

/** Everything that goes out in a call. */
export interface LlmCall {
  readonly target: ModelTarget;
  readonly messages: readonly ChatMessage[];
  /** What the model may call. */
  readonly tools: readonly ToolDescription[];
  readonly system?: string | undefined;
  readonly temperature?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly objectSchema?: JsonObject | undefined;
  readonly idempotencyKey: string;
}

/** `stop`, `length` (cut off), `content-filter` (the model or its provider declined), `tool-calls`, `other`. */
export type LlmFinishReason = 'stop' | 'length' | 'content-filter' | 'tool-calls' | 'other';

/** What came back. A broken call may have cost something: `usage` is what the provider had told until then. */
export interface CallResult {
  readonly model: string;
  readonly text: string;
  readonly toolCalls: readonly LlmToolCall[];
  readonly warnings: readonly string[];
  readonly usage?: AgentUsage;
  readonly end:
    | { readonly kind: 'finished'; readonly reason: LlmFinishReason }
    | { readonly kind: 'failed'; readonly error: unknown }
    | { readonly kind: 'aborted' }
    /** The connection ended although the answer had not. */
    | { readonly kind: 'broken-off' };
}

/** Calls once, without retries. Yields text as it arrives; leaving the generator early closes the connection. */
export async function* streamCall(
  call: LlmCall,
  signal: AbortSignal,
): AsyncGenerator<AgentPart, CallResult, void> {
  const collected = new CallCollector(call.target.modelId);
  const leaving = new AbortController();
  try {
    for await (const part of startStream(call, AbortSignal.any([signal, leaving.signal])).stream) {
      collected.add(part);
      if (part.type === 'text-delta' && part.text !== '') yield { type: 'delta', text: part.text };
      if (collected.hasFailed) break;
    }
  } catch (error) {
    collected.fail(error);
  } finally {
    // The library's stream has a second reader inside, so ending this one does not end the call.
    leaving.abort();
  }
  return collected.result();
}

function startStream(
  call: LlmCall,
  signal: AbortSignal,
): { readonly stream: AsyncIterable<TextStreamPart<ToolSet>> } {
  return streamText({
    model: modelAt(call.target),
    messages: call.messages.map(modelMessage),
    maxRetries: 0,
    abortSignal: signal,
    headers: { 'idempotency-key': headerValue(call.idempotencyKey) },
    // Errors arrive as parts of the stream; by default the library also prints them, request included.
    onError: () => undefined,
    // Raw chunks tell what a call has consumed when it breaks off.
    include: { rawChunks: true },
    ...instructionsOf(call),
    ...(call.tools.length > 0 && { tools: toolSetOf(call.tools) }),
    // Answers are checked by their schema here; the strict mode of some endpoints refuses most schemas.
    providerOptions: { openaiCompatible: { strictJsonSchema: false } },
    ...(call.temperature !== undefined && { temperature: call.temperature }),
    ...(call.maxOutputTokens !== undefined && { maxOutputTokens: call.maxOutputTokens }),
    ...(call.objectSchema !== undefined && { output: objectOutput(call.objectSchema) }),
  });
}

/** A model that takes no schema beside the prompt is told it there. */
function instructionsOf({ system, objectSchema, target }: LlmCall): { readonly instructions?: string } {
  const schema =
    objectSchema === undefined || target.takesSchema
      ? undefined
      : `Answer with one JSON object that satisfies this JSON Schema, and nothing else:\n${JSON.stringify(objectSchema)}`;
  const parts = [system, schema].filter((part) => part !== undefined);
  return parts.length === 0 ? {} : { instructions: parts.join('\n\n') };
}

/** Tools without code of their own: the library hands their calls on. */
function toolSetOf(tools: readonly ToolDescription[]): ToolSet {
  return Object.fromEntries(
    tools.map(({ name, description, inputSchema }) => [
      name,
      tool({ description, inputSchema: jsonSchema(inputSchema as Parameters<typeof jsonSchema>[0]) }),
    ]),
  );
}

function modelMessage(message: ChatMessage): ModelMessage {
  switch (message.role) {
    case 'calls':
      return {
        role: 'assistant',
        content: [
          ...(message.text.trim() === '' ? [] : [{ type: 'text' as const, text: message.text }]),
          ...message.calls.map(({ id, name, input }) => ({
            type: 'tool-call' as const,
            toolCallId: id,
            toolName: name,
            input,
          })),
        ],
      };
    case 'outcomes':
      return { role: 'tool', content: message.outcomes.map(toolResult) };
    default:
      return { ...message };
  }
}

type ToolMessage = Extract<ModelMessage, { role: 'tool' }>;

function toolResult({ callId, name, output, isError }: ToolCall): ToolMessage['content'][number] {
  const value = output as JSONValue;
  const type = isError === true ? 'error-json' : 'json';
  return { type: 'tool-result', toolCallId: callId, toolName: name, output: { type, value } };
}

/** A key is the same text in every attempt; one that a header can not carry is sent encoded. */
function headerValue(key: string): string {
  return /^[!-~]+$/.test(key) ? key : encodeURIComponent(key.toWellFormed());
}

/** Asks for JSON by a schema, and leaves the text alone: the library's own kind parses all of it at every delta. */
function objectOutput(schema: JsonObject): OutputInterface<string, string, never> {
  return {
    name: 'object',
    responseFormat: Promise.resolve({ type: 'json', schema }),
    parseCompleteOutput: ({ text }) => Promise.resolve(text),
    parsePartialOutput: ({ text }) => Promise.resolve({ partial: text }),
    createElementStreamTransform: () => undefined,
  };
}

/** What has come so far. The first end that is seen counts: an abort after the last word loses nothing. */
class CallCollector {
  private text = '';
  private usage: AgentUsage | undefined;
  private end: CallResult['end'] | undefined;
  private readonly toolCalls: LlmToolCall[] = [];
  private readonly warnings: string[] = [];

  constructor(private model: string) {}

  get hasFailed(): boolean {
    return this.end?.kind === 'failed';
  }

  add(part: TextStreamPart<ToolSet>): void {
    switch (part.type) {
      case 'start-step':
        this.warnings.push(...part.warnings.map(warningText));
        break;
      case 'text-delta':
        this.text += part.text;
        break;
      case 'tool-call':
        this.toolCalls.push({
          id: this.unusedId(part.toolCallId),
          name: part.toolName,
          input: part.input as Json,
        });
        break;
      case 'raw':
        this.usage = usageOfChunk(part.rawValue) ?? this.usage;
        break;
      case 'finish-step':
        this.finish(part);
        break;
      case 'error':
        this.fail(part.error);
        break;
      case 'abort':
        this.end ??= { kind: 'aborted' };
        break;
      default:
        break;
    }
  }

  fail(error: unknown): void {
    this.end ??= { kind: 'failed', error };
  }

  result(): CallResult {
    const { model, text, toolCalls, warnings, end = { kind: 'broken-off' } } = this;
    return { model, text, toolCalls, warnings, end, ...(this.usage !== undefined && { usage: this.usage }) };
  }

  /** Some endpoints give several calls of an answer the same id. */
  private unusedId(id: string): string {
    const isUsed = this.toolCalls.some((call) => call.id === id);
    return isUsed || id === '' ? `${id}_${String(this.toolCalls.length + 1)}` : id;
  }

  private finish(part: Extract<TextStreamPart<ToolSet>, { type: 'finish-step' }>): void {
    const { finishReason } = part;
    this.model = part.response.modelId;
    if (finishReason === 'interrupted' || finishReason === 'error') {
      this.end = { kind: 'broken-off' };
      return;
    }
    this.usage = usageOf(part.usage);
    this.end = { kind: 'finished', reason: finishReason };
  }
}

/** `inputTokens` is the whole prompt, cached parts included; `outputTokens` includes reasoning. */
function usageOf(usage: LanguageModelUsage): AgentUsage {
  return pickCounts({
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    cacheReadTokens: usage.inputTokenDetails.cacheReadTokens,
    cacheWriteTokens: usage.inputTokenDetails.cacheWriteTokens,
    reasoningTokens: usage.outputTokenDetails.reasoningTokens,
  });
}

/** The usage in Anthropic's first event, sent before any text; its own prompt count leaves cached tokens out. */
function usageOfChunk(chunk: unknown): AgentUsage | undefined {
  const message = isJsonObject(chunk) ? chunk['message'] : undefined;
  const usage = isJsonObject(message) ? message['usage'] : undefined;
  if (!isJsonObject(usage)) return undefined;
  const count = (key: string): number => (typeof usage[key] === 'number' ? usage[key] : 0);
  const cacheReadTokens = count('cache_read_input_tokens');
  const cacheWriteTokens = count('cache_creation_input_tokens');
  return {
    inputTokens: count('input_tokens') + cacheReadTokens + cacheWriteTokens,
    outputTokens: count('output_tokens'),
    cacheReadTokens,
    cacheWriteTokens,
  };
}

function pickCounts(counts: { readonly [K in keyof AgentUsage]-?: number | undefined }): AgentUsage {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined));
}

type CallWarning = Extract<TextStreamPart<ToolSet>, { type: 'start-step' }>['warnings'][number];

function warningText(warning: CallWarning): string {
  if (warning.type === 'other') return warning.message;
  if (warning.type === 'deprecated') return `${warning.setting}: ${warning.message}`;
  return warning.details === undefined ? warning.feature : `${warning.feature}: ${warning.details}`;
}
