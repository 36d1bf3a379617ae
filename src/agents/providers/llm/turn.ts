/** One answer of a model: how it is kept in the journal and what of it is the agent's output. */
import type { Issue } from '../../../kernel/failure.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import type { CallResult, LlmCall, LlmFinishReason } from './call.js';
import type { LlmToolCall } from './message.js';

const TURN_TYPE = 'llm.answer';

/** A complete answer. */
export interface LlmAnswer {
  /** The id by which the provider calls the model that answered. */
  readonly model: string;
  /** The id that was asked for. */
  readonly requestedModel: string;
  readonly text: string;
  readonly finishReason: LlmFinishReason;
  readonly toolCalls?: readonly LlmToolCall[];
  /** Settings that the model does not take and that were left out. */
  readonly warnings?: readonly string[];
  /** The object that was asked for; absent when the answer is none. */
  readonly object?: JsonObject;
  /** Why the answer is of no use, as the model is told. */
  readonly rejected?: string;
  readonly issues?: readonly Issue[];
  /** The agent failed with this answer: what was said so far leads nowhere, a later attempt begins anew. */
  readonly closed?: true;
  /** The model has no price of its own (the cost is that of the most expensive one), or its usage was not told. */
  readonly costEstimated?: true;
}

/** What a finished call has brought; an object that was asked for is read from the text. */
export function answerOf(call: LlmCall, result: CallResult, finishReason: LlmFinishReason): LlmAnswer {
  const { model, text, toolCalls, warnings } = result;
  return {
    model,
    requestedModel: call.target.modelId,
    text,
    finishReason,
    ...(toolCalls.length > 0 && { toolCalls }),
    ...(warnings.length > 0 && { warnings }),
    ...(call.objectSchema !== undefined && toolCalls.length === 0 && readObject(text)),
  };
}

/** The object that a text is; some models put a Markdown fence around it. */
function readObject(text: string): Pick<LlmAnswer, 'object'> {
  const inner = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text;
  try {
    const value: unknown = JSON.parse(inner);
    return isJsonObject(value) ? { object: value } : {};
  } catch {
    return {}; // the text stays in the turn, and whoever checks the answer says what it lacks
  }
}

/** The journal's form of an answer. */
export function turnBody(answer: LlmAnswer): JsonObject {
  const { model, requestedModel, warnings, rejected, issues, closed, costEstimated } = answer;
  return {
    type: TURN_TYPE,
    model,
    requestedModel,
    ...outputOf(answer),
    ...(warnings !== undefined && { warnings }),
    ...(rejected !== undefined && { rejected }),
    ...(issues !== undefined && { issues: issues.map((issue) => ({ ...issue })) }),
    ...(closed !== undefined && { closed }),
    ...(costEstimated !== undefined && { costEstimated }),
  };
}

/** The answer that a turn's body holds, or undefined when it holds something else. */
export function answerIn(body: Json): LlmAnswer | undefined {
  return isJsonObject(body) && getOwn(body, 'type') === TURN_TYPE
    ? (body as unknown as LlmAnswer)
    : undefined;
}

/** What the agent hands on: `{ text, object?, finishReason, toolCalls? }`. */
export function outputOf({ text, object, finishReason, toolCalls }: LlmAnswer): JsonObject {
  return {
    text,
    ...(object !== undefined && { object }),
    finishReason,
    ...(toolCalls !== undefined && { toolCalls: toolCalls.map((call) => ({ ...call })) }),
  };
}
