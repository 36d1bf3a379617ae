/**
 * How the parameters of a pattern name an agent and what it is given.
 *
 * Decided here: the shape of a call, and the fields that all patterns have. Decided elsewhere: what each pattern adds
 * (*.pattern.ts), what a step of an agent may say (workflows/domain/kinds/agent.step.ts), of which this is a part.
 */
import { z } from 'zod';

import { definitionSchema } from '../../workflows/domain/definition.schema.js';
import { agentStepSchema } from '../../workflows/domain/kinds/agent.step.js';
import { STEP_ID } from '../../workflows/domain/step-fields.schema.js';

const { agent, template, input, retry, timeoutMs, totalTimeoutMs, outputSchema } = agentStepSchema.shape;

/** Text in Liquid, which reads what its place offers. */
export const text = z.string().min(1);

/** A name that becomes the id of a step. */
export const stepName = z.string().regex(STEP_ID);

const callFields = {
  agent: agent.describe('The key of the agent; or `{ key, version | label }`.'),
  prompt: text.exactOptional().describe('What the agent is asked, in Liquid: short for `input: { prompt }`.'),
  input: input.describe('What the agent is given; strings in it may be Liquid.'),
  template: template.describe('A prompt template that makes the input.'),
  retry,
  timeoutMs,
  totalTimeoutMs,
  outputSchema,
};

type CallShape<Extra extends z.core.$ZodLooseShape> = z.ZodObject<typeof callFields & Extra, z.core.$strict>;

/** The schema of a call with further fields of a pattern's own. */
export function callSchemaWith<Extra extends z.core.$ZodLooseShape>(extra: Extra): CallShape<Extra> {
  const schema = z.strictObject({ ...callFields, ...extra }) as unknown as z.ZodObject<
    typeof callFields,
    z.core.$strict
  >;
  return schema.refine(hasOnePrompt, {
    error: 'give one of prompt, input and template; an input beside a template is laid under it',
  }) as unknown as CallShape<Extra>;
}

function hasOnePrompt(call: Pick<Call, 'prompt' | 'input' | 'template'>): boolean {
  return call.prompt === undefined || (call.input === undefined && call.template === undefined);
}

/** The schema of a call of an agent. */
export const callSchema = callSchemaWith({});

/** An agent and what it is given. Without prompt, input and template a pattern says what that is. */
export type Call = z.infer<z.ZodObject<typeof callFields, z.core.$strict>>;

const { name, inputSchema, maxParallelSteps } = definitionSchema.shape;

/** What the parameters of every pattern may say of the run as a whole. */
export const runFields = {
  name: name.describe("The run's name. The pattern's without one."),
  inputSchema: inputSchema.describe('The JSON Schema that the input of the run must satisfy.'),
  maxParallelSteps: maxParallelSteps.describe('How many agents may be at work at once.'),
  timeoutMs: definitionSchema.shape.timeoutMs.describe('How long the run may take.'),
  retry: definitionSchema.shape.retry.describe('The retry policy of all calls.'),
};

/** What every pattern's parameters say of the run. */
export type RunParameters = z.infer<z.ZodObject<typeof runFields, z.core.$strict>>;
