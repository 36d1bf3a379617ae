/**
 * The fields that kinds of steps share, and the small shapes they are made of.
 *
 * Decided here: one field at a time. Decided elsewhere: what each kind adds (kinds/), what fields mean together
 * (scope-compiler.ts).
 */
import { z } from 'zod';

import type { Json, JsonObject } from '../../kernel/json.js';

/** The form of a step's id. */
export const STEP_ID = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const MAX_NAME_LENGTH = 200;
const MAX_KEY_LENGTH = 128;
const MAX_ATTEMPTS = 1_000;
const MAX_CONCURRENCY = 1_000;

/** How many items a step maps over at most, and how often it is repeated at most. */
export const MAX_ROUNDS = 10_000;

/** JSON that is taken as it stands. */
export const json = z.unknown() as z.ZodType<Json>;
/** A JSON object that is taken as it stands. */
export const jsonObject = z.looseObject({}) as unknown as z.ZodType<JsonObject>;
export const name = z.string().max(MAX_NAME_LENGTH);
export const durationMs = z.int().min(1);
export const key = z.string().min(1).max(MAX_KEY_LENGTH);
/** An expression in CEL. */
export const expression = z.string().min(1);
const stepId = z.string().regex(STEP_ID);

export const retrySchema = z.strictObject({
  maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).exactOptional(),
  initialIntervalMs: z.int().min(0).exactOptional(),
  backoffCoefficient: z.number().min(1).max(100).exactOptional(),
  maxIntervalMs: z.int().min(0).exactOptional(),
  jitter: z.enum(['full', 'none']).exactOptional(),
  nonRetryableErrors: z.array(z.string().min(1)).max(100).exactOptional(),
});

/** A step that is carried out once for each item of a list. */
const forEachSchema = z.strictObject({
  items: z.union([expression, z.array(json).max(MAX_ROUNDS)]),
  maxConcurrency: z.int().min(1).max(MAX_CONCURRENCY).exactOptional(),
  batchSize: z.int().min(1).max(MAX_ROUNDS).exactOptional(),
  toleratedFailureCount: z.int().min(0).exactOptional(),
  toleratedFailurePercentage: z.number().min(0).max(100).exactOptional(),
});

/** What says when a step is not repeated any more. */
export const repeatFields = {
  until: expression.exactOptional(),
  maxIterations: z.int().min(1).max(MAX_ROUNDS).exactOptional(),
  maxDurationMs: durationMs.exactOptional(),
  onExhausted: z.enum(['fail', 'continue']).exactOptional(),
};

/** Which agent is called, and in which version. */
export const agentReferenceSchema = z.union([
  key,
  z
    .strictObject({ key, version: z.int().min(1).exactOptional(), label: key.exactOptional() })
    .refine(({ version, label }) => version === undefined || label === undefined, {
      error: 'give a version or a label, not both',
    }),
]);

/** Calling an agent to undo what a step has done. */
const compensateSchema = z.strictObject({ agent: agentReferenceSchema, input: json.exactOptional() });

/** What every kind of step has. */
export const flowFields = {
  id: stepId,
  name: name.exactOptional(),
  dependsOn: z.array(stepId).exactOptional(),
  when: expression.exactOptional(),
  join: z.enum(['none_failed', 'all_completed', 'all_settled', 'any_completed']).exactOptional(),
  onError: z.enum(['fail', 'continue']).exactOptional(),
  catch: stepId.exactOptional(),
  forEach: forEachSchema.exactOptional(),
  writes: jsonObject.exactOptional(),
  finally: z.boolean().exactOptional(),
  compensate: compensateSchema.exactOptional(),
};

/** What every kind of step has that is no body of its own. */
export const stepFields = { ...flowFields, repeat: z.strictObject(repeatFields).exactOptional() };

/** What a kind has whose steps are given an input and may be tried again. */
export const trialFields = {
  retry: retrySchema.exactOptional(),
  timeoutMs: durationMs.exactOptional(),
  totalTimeoutMs: durationMs.exactOptional(),
  inputSchema: jsonObject.exactOptional(),
  outputSchema: jsonObject.exactOptional(),
};

/** What a kind has whose attempts are carried out by the run itself. */
export const attemptFields = {
  ...trialFields,
  idleTimeoutMs: durationMs.exactOptional(),
  queueTimeoutMs: durationMs.exactOptional(),
};
