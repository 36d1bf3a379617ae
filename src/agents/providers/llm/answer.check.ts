/** Whether an answer is what was asked for, and what the model is told when it is not. */
import type { Issue } from '../../../kernel/failure.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { outputOf, type LlmAnswer } from './turn.js';

/** How many problems the model is told of. */
const MAX_TOLD = 20;

/** What an answer has to be. */
export interface AnswerRules {
  /** Schema of `object`. */
  readonly objectSchema?: JsonObject | undefined;
  /** Schema of the whole output. */
  readonly outputSchema?: Json | undefined;
  /** Every problem of a value under a schema, with pointers from the value's root. */
  readonly validate: (schema: Json, value: Json) => readonly Issue[];
}

/** The schema of `object` within a schema of the whole output; undefined where it says nothing of it. */
export function objectSchemaIn(outputSchema: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(outputSchema)) return undefined;
  const properties = getOwn(outputSchema, 'properties');
  const own = isJsonObject(properties) ? getOwn(properties, 'object') : undefined;
  const parts = getOwn(outputSchema, 'allOf');
  const ofParts = Array.isArray(parts) ? (parts as readonly Json[]).map(objectSchemaIn) : [];
  const found = [own, ...ofParts].filter((schema) => isJsonObject(schema));
  return found.length > 1 ? { allOf: found } : found[0];
}

/** Every problem of an answer, with pointers from the root of the output; none when it is good. */
export function answerIssues(answer: LlmAnswer, rules: AnswerRules): readonly Issue[] {
  const { objectSchema, outputSchema, validate } = rules;
  const ofObject = objectSchema === undefined ? [] : objectIssues(answer, objectSchema, rules);
  if (ofObject.length > 0 || outputSchema === undefined) return ofObject;
  return validate(outputSchema, outputOf(answer));
}

function objectIssues(
  { object, finishReason, text }: LlmAnswer,
  schema: JsonObject,
  { validate }: AnswerRules,
): readonly Issue[] {
  if (object !== undefined)
    return validate(schema, object).map((issue) => ({ ...issue, pointer: `/object${issue.pointer}` }));
  return [{ pointer: '/object', code: 'schema.type', message: missingObject(finishReason, text) }];
}

function missingObject(finishReason: LlmAnswer['finishReason'], text: string): string {
  if (finishReason === 'length') return 'is cut off: the answer was longer than it may be';
  if (finishReason === 'content-filter') return 'is missing: the model declined to answer';
  try {
    JSON.parse(text);
    return 'is missing: expected a JSON object, the answer is another kind of JSON';
  } catch (error) {
    return `is missing: expected a JSON object and nothing else (${(error as Error).message.slice(0, 200)})`;
  }
}

/** What the model is told of a bad answer. */
export function repairPrompt(issues: readonly Issue[]): string {
  const told = issues.slice(0, MAX_TOLD).map(({ pointer, message }) => `- ${pointer || '/'}: ${message}`);
  return [
    'Your last answer can not be used:',
    ...told,
    'Answer again with the whole corrected answer, and nothing else.',
  ].join('\n');
}
