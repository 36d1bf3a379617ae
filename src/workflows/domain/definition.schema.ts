/**
 * The shape of a workflow definition: which fields there are, and what each may hold.
 *
 * Decided here: the definition as a whole. Decided elsewhere: the fields of steps (step-fields.schema.ts, kinds/), what
 * fields mean together (scope-compiler.ts), defaults (retry-policy.ts, repetition.ts), whether agents and schemas
 * exist and hold (workflow.service.ts). A definition is kept as it was sent: the schema checks it and makes nothing of
 * it.
 */
import { z } from 'zod';

import type { Json, JsonObject } from '../../kernel/json.js';
import { REDUCERS } from './context-writes.js';
import { agentStepSchema } from './kinds/agent.step.js';
import { approvalStepSchema } from './kinds/approval.step.js';
import { failStepSchema } from './kinds/fail.step.js';
import { loopStepSchemaOf } from './kinds/loop.step.js';
import { signalStepSchema } from './kinds/signal.step.js';
import type { StepKind } from './kinds/step-kinds.js';
import { transformStepSchema } from './kinds/transform.step.js';
import { waitStepSchema } from './kinds/wait.step.js';
import { workflowStepSchema } from './kinds/workflow.step.js';
import { durationMs, json, jsonObject, name, retrySchema } from './step-fields.schema.js';

const MAX_DESCRIPTION_LENGTH = 10_000;
const MAX_PARALLEL_STEPS = 1_000;

/** Steps in the body of a loop are of the same kinds as any other. */
const stepSchema: z.ZodType<StepDefinition> = z.lazy(() => anyStepSchema);

/** One schema per kind of step; `kind` tells them apart, given or implied (implied-kind.ts). */
const STEP_SCHEMAS = {
  agent: agentStepSchema,
  approval: approvalStepSchema,
  fail: failStepSchema,
  loop: loopStepSchemaOf(stepSchema),
  signal: signalStepSchema,
  transform: transformStepSchema,
  wait: waitStepSchema,
  workflow: workflowStepSchema,
} satisfies { readonly [K in StepKind]: z.ZodObject };

const anyStepSchema = z.discriminatedUnion('kind', [
  STEP_SCHEMAS.agent,
  ...Object.values(STEP_SCHEMAS).slice(1),
]) as unknown as z.ZodType<StepDefinition>;

/** The schema of a definition; published as JSON Schema. */
export const definitionSchema = z.strictObject({
  name: name.exactOptional(),
  description: z.string().max(MAX_DESCRIPTION_LENGTH).exactOptional(),
  inputSchema: jsonObject.exactOptional(),
  outputSchema: jsonObject.exactOptional(),
  context: jsonObject.exactOptional(),
  contextReducers: z.record(z.string(), z.enum(REDUCERS)).exactOptional(),
  maxParallelSteps: z.int().min(1).max(MAX_PARALLEL_STEPS).exactOptional(),
  timeoutMs: durationMs.exactOptional(),
  retry: retrySchema.exactOptional(),
  steps: z.array(stepSchema).min(1),
  output: json.exactOptional(),
});

type PlainStep =
  | DeepReadonly<z.infer<typeof agentStepSchema>>
  | DeepReadonly<z.infer<typeof approvalStepSchema>>
  | DeepReadonly<z.infer<typeof failStepSchema>>
  | DeepReadonly<z.infer<typeof signalStepSchema>>
  | DeepReadonly<z.infer<typeof transformStepSchema>>
  | DeepReadonly<z.infer<typeof waitStepSchema>>
  | WorkflowStepDefinition;

/** A step that runs a workflow: its kind may be implied. */
type WorkflowStepDefinition = Omit<DeepReadonly<z.infer<typeof workflowStepSchema>>, 'kind'> &
  Readonly<{ kind?: 'workflow' }>;

type LoopRepeat = Omit<NonNullable<Extract<PlainStep, { readonly kind: 'wait' }>['repeat']>, 'body'>;

type LoopLess = 'kind' | 'repeat' | 'durationMs' | 'until';

/** A step that repeats a body. */
export type LoopStepDefinition = Omit<Extract<PlainStep, { readonly kind: 'wait' }>, LoopLess> &
  Readonly<{
    kind: 'loop';
    outputSchema?: JsonObject;
    repeat: LoopRepeat & Readonly<{ body: BodyDefinition }>;
  }>;

/** The steps of one iteration of a loop. */
export type BodyDefinition = Readonly<{ steps: readonly StepDefinition[]; output?: Json }>;

/** One step of a definition as it was sent. */
export type StepDefinition = PlainStep | LoopStepDefinition;
/** A workflow definition as it was sent. Fields that are absent have the defaults of the compiled graph. */
export type WorkflowDefinition = DeepReadonly<Omit<z.infer<typeof definitionSchema>, 'steps'>> & {
  readonly steps: readonly StepDefinition[];
};
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
