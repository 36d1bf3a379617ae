/** What is said between an agent and its model. */
import type { Json } from '../../../kernel/json.js';
import type { ToolCall } from '../../domain/tool-call.js';
import type { LlmMessage } from './input.schema.js';

/** A call of a tool that the model asks for. */
export interface LlmToolCall {
  /** Unique within the answer. */
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

/** A message of a conversation; tool calls and their outcomes are messages of their own. */
export type ChatMessage =
  | LlmMessage
  | { readonly role: 'calls'; readonly text: string; readonly calls: readonly LlmToolCall[] }
  | { readonly role: 'outcomes'; readonly outcomes: readonly ToolCall[] };
