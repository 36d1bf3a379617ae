/** A step that calls an agent, with an input of its own or from a template. */
import { z } from 'zod';

import { textOf } from '../../../agents/domain/agent-reference.js';
import type { CompiledValue } from '../../../expressions/value.js';
import { getOwn, isJsonObject } from '../../../kernel/json.js';
import type { TemplateProgram } from '../../../templates/domain/parse.js';
import type { SchemaCheck } from '../../../templates/domain/variable.js';
import {
  agentReferenceSchema,
  attemptFields,
  json,
  jsonObject,
  key,
  stepFields,
} from '../step-fields.schema.js';
import { constant, type StepReader } from '../step-reader.js';

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

export const agentStepSchema = z.strictObject({
  ...stepFields,
  ...attemptFields,
  kind: z.literal('agent').exactOptional(),
  agent: agentReferenceSchema,
  template: stepTemplateSchema.exactOptional(),
  input: json.exactOptional(),
});

/** The template of a step, ready to be rendered. */
export interface StepTemplate {
  readonly program: TemplateProgram;
  /** What JSON Schemas of variables are checked with. */
  readonly check: SchemaCheck;
}

/** Calling an agent. */
export interface AgentWork {
  readonly kind: 'agent';
  /** The key of the agent that it calls. */
  readonly agentKey: string;
  /** The same with the version or label that is meant: `key@3`. */
  readonly agentReference: string;
  /** What the agent is given; `{}` where the definition gives nothing. The run's input is not passed by itself. */
  readonly input: CompiledValue;
  /** What its template is given; absent when it has no template. */
  readonly variables?: CompiledValue;
  /** Its template, once it is known which version that is: it is rendered and laid over the input. */
  readonly template?: StepTemplate;
}

const NO_INPUT = constant({});

export function readAgent(step: StepReader): AgentWork {
  const agent = getOwn(step.json, 'agent');
  const agentKey = isJsonObject(agent) ? getOwn(agent, 'key') : agent;
  const reference = agentReferenceSchema.safeParse(agent);
  const input = step.value('input');
  const template = step.inner('template');
  if (template !== undefined && input !== undefined && !isJsonObject(input.json)) {
    step.refuse('input', 'field.invalid', 'beside a template the input is an object');
  }
  return {
    kind: 'agent',
    agentKey: typeof agentKey === 'string' ? agentKey : '',
    agentReference: reference.success ? textOf(reference.data) : '',
    input: input ?? NO_INPUT,
    ...(template && { variables: template.value('variables') ?? NO_INPUT }),
  };
}
