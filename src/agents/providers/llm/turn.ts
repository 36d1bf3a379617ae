/** One answer of a model: how it is kept in the journal and what of it is the agent's output. */
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import type { Turn } from '../../agent.provider.js';
import type { CallResult, LlmCall, LlmFinishReason, LlmToolCall } from './call.js';

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
  /** The object that was asked for; absent when the answer was cut off or declined. */
  readonly object?: JsonObject;
  /** Why the answer is of no use; such a turn is paid for but never taken up again. */
  readonly rejected?: string;
  /** The model has no price of its own; the cost is that of the most expensive one known. */
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
    ...(call.objectSchema !== undefined && finishReason === 'stop' && readObject(text)),
  };
}

function readObject(text: string): Pick<LlmAnswer, 'object' | 'rejected'> {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return { object: value };
  } catch {
    // Said below: the text of the answer stays in the turn.
  }
  return { rejected: 'The model was asked for a JSON object and answered with something else.' };
}

/** The journal's form of an answer. */
export function turnBody(answer: LlmAnswer): JsonObject {
  const { warnings, rejected, costEstimated } = answer;
  return {
    type: TURN_TYPE,
    model: answer.model,
    requestedModel: answer.requestedModel,
    ...outputOf(answer),
    ...(warnings !== undefined && { warnings }),
    ...(rejected !== undefined && { rejected }),
    ...(costEstimated !== undefined && { costEstimated }),
  };
}

/** The last recorded answer that an earlier attempt could have finished with; undefined when there is none. */
export function recordedAnswer(turns: readonly Turn[]): LlmAnswer | undefined {
  const body = turns.findLast((turn) => isUsable(turn.body))?.body;
  return body as LlmAnswer | undefined;
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

function isUsable(body: Json): boolean {
  return isJsonObject(body) && getOwn(body, 'type') === TURN_TYPE && getOwn(body, 'rejected') === undefined;
}
