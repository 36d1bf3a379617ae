/**
 * The shape of a workflow definition: which fields there are, and what each may hold.
 *
 * Decided here: one field at a time. Decided elsewhere: what fields mean together (graph.ts), defaults
 * (retry-policy.ts, graph.ts), whether agents and schemas exist and hold (workflow.service.ts).
 * A definition is kept as it was sent: the schema checks it and makes nothing of it.
 */
import { z } from 'zod';

import type { Json, JsonObject } from '../../kernel/json.js';

/** The form of a step's id. */
export const STEP_ID = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const MAX_NAME_LENGTH = 200;
const MAX_DESCRIPTION_LENGTH = 10_000;
const MAX_KEY_LENGTH = 128;
const MAX_PARALLEL_STEPS = 1_000;
const MAX_ATTEMPTS = 1_000;

/** JSON that is taken as it stands. */
const json = z.unknown() as z.ZodType<Json>;
/** A JSON object that is taken as it stands. */
const jsonObject = z.looseObject({}) as unknown as z.ZodType<JsonObject>;
const name = z.string().max(MAX_NAME_LENGTH);
const description = z.string().max(MAX_DESCRIPTION_LENGTH);
const durationMs = z.int().min(1);
const stepId = z.string().regex(STEP_ID);
const key = z.string().min(1).max(MAX_KEY_LENGTH);
/** A condition in CEL. */
const condition = z.string().min(1);

const retrySchema = z.strictObject({
  maxAttempts: z.int().min(1).max(MAX_ATTEMPTS).exactOptional(),
  initialIntervalMs: z.int().min(0).exactOptional(),
  backoffCoefficient: z.number().min(1).max(100).exactOptional(),
  maxIntervalMs: z.int().min(0).exactOptional(),
  jitter: z.enum(['full', 'none']).exactOptional(),
  nonRetryableErrors: z.array(z.string().min(1)).max(100).exactOptional(),
});

const pinnedAgentSchema = z
  .strictObject({ key, version: z.int().min(1).exactOptional(), label: key.exactOptional() })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    error: 'give a version or a label, not both',
  });

/** What every kind of step has. */
const stepFields = {
  id: stepId,
  name: name.exactOptional(),
  dependsOn: z.array(stepId).exactOptional(),
  when: condition.exactOptional(),
  join: z.enum(['none_failed', 'all_completed', 'all_settled', 'any_completed']).exactOptional(),
  onError: z.enum(['fail', 'continue']).exactOptional(),
  retry: retrySchema.exactOptional(),
  timeoutMs: durationMs.exactOptional(),
  totalTimeoutMs: durationMs.exactOptional(),
  outputSchema: jsonObject.exactOptional(),
};

/** Which template a step takes its input from, and the values of its variables, which may be expressions. */
const stepTemplateSchema = z
  .strictObject({
    id: key.exactOptional(),
    name: key.exactOptional(),
    version: z.int().min(1).exactOptional(),
    label: key.exactOptional(),
    variables: jsonObject.exactOptional(),
  })
  .refine(({ id, name }) => (id === undefined) !== (name === undefined), { error: 'give an id or a name' })
  .refine(({ version, label }) => version === undefined || label === undefined, {
    error: 'give a version or a label, not both',
  });

const agentStepSchema = z.strictObject({
  ...stepFields,
  kind: z.literal('agent').exactOptional(),
  agent: z.union([key, pinnedAgentSchema]),
  template: stepTemplateSchema.exactOptional(),
  input: json.exactOptional(),
});

/** One schema per kind of step; `kind` tells them apart. */
const stepSchema = z.discriminatedUnion('kind', [agentStepSchema]);

/** The schema of a definition; published as JSON Schema. */
export const definitionSchema = z.strictObject({
  name: name.exactOptional(),
  description: description.exactOptional(),
  inputSchema: jsonObject.exactOptional(),
  context: jsonObject.exactOptional(),
  maxParallelSteps: z.int().min(1).max(MAX_PARALLEL_STEPS).exactOptional(),
  timeoutMs: durationMs.exactOptional(),
  retry: retrySchema.exactOptional(),
  steps: z.array(stepSchema).min(1),
  output: json.exactOptional(),
});

/** A workflow definition as it was sent. Fields that are absent have the defaults of the compiled graph. */
export type WorkflowDefinition = DeepReadonly<z.infer<typeof definitionSchema>>;
/** One step of a definition as it was sent. */
export type StepDefinition = WorkflowDefinition['steps'][number];
/** The fields of a retry policy that were given. */
export type RetryPolicy = NonNullable<WorkflowDefinition['retry']>;
/** When a step runs after its dependencies have settled. */
export type Join = NonNullable<StepDefinition['join']>;
/** What a failure of a step means for the run. */
export type OnError = NonNullable<StepDefinition['onError']>;

/** Read-only all the way down; JSON is that already. */
type DeepReadonly<T> = [Json] extends [T]
  ? T
  : T extends readonly (infer Member)[]
    ? readonly DeepReadonly<Member>[]
    : T extends object
      ? string extends keyof T
        ? T
        : { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;
