/** The settings of an `llm` agent. What a call sends itself (input.schema.ts) wins over what is set here. */
import { z } from 'zod';

import { failureOf, type Issue } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import { addressSchema, secretRefSchema } from '../../domain/remote.schema.js';
import { issuesOf } from '../../domain/issues.js';
import { toolsSchema } from './tool.schema.js';

/** Text that says something. */
export const textSchema = z.string('Expected a text').regex(/\S/, 'Must not be blank');

/** Randomness, from 0 to what the provider takes. */
export function temperatureUpTo(max: number): z.ZodNumber {
  const expected = `Expected a number from 0 to ${String(max)}`;
  return z
    .number(expected)
    .min(0, expected)
    .max(max, expected)
    .describe(
      `Randomness, 0 to ${String(max)}. A model that takes none is asked without, and the turn says so.`,
    );
}

export const MAX_TEMPERATURE = { anthropic: 1, 'openai-compatible': 2 } as const;

export const maxOutputTokensSchema = z
  .int('Expected a whole number of tokens, at least 1')
  .min(1, 'Expected a whole number of tokens, at least 1')
  .describe('Most tokens to generate. Default: what the model allows.');

const modelSchema = textSchema.max(200);

const systemSchema = z
  .union(
    [
      textSchema,
      z.strictObject({
        template: z
          .strictObject({
            id: textSchema.optional(),
            name: textSchema.optional(),
            version: z.int().min(1).optional(),
            label: textSchema.optional(),
          })
          .refine(
            ({ id, name }) => (id === undefined) !== (name === undefined),
            'Expected either `id` or `name`',
          )
          .refine(
            ({ version, label }) => version === undefined || label === undefined,
            'Expected either `version` or `label`, or neither',
          ),
        variables: z.record(z.string(), z.unknown()).optional(),
      }),
    ],
    'Expected a text, or `{ "template": { "name": … } }`',
  )
  .describe('System prompt: a text, or a prompt template with its variables.');

const wholeNumber = (min: number, max: number): z.ZodInt => {
  const expected = `Expected a whole number from ${String(min)} to ${String(max)}`;
  return z.int(expected).min(min, expected).max(max, expected);
};

const sharedFields = {
  system: systemSchema.optional(),
  maxOutputTokens: maxOutputTokensSchema.optional(),
  objectSchema: z
    .record(z.string(), z.unknown(), 'Expected a JSON Schema object')
    .describe('JSON Schema of the object to answer with; the output then has `object`.')
    .optional(),
  tools: toolsSchema.optional(),
  maxTurns: wholeNumber(1, 100)
    .describe('Most answers of the model in one call of the agent, repairs not counted. Default: 10.')
    .optional(),
  maxRepairs: wholeNumber(0, 10)
    .describe('How often an invalid answer goes back to the model. Default: 2.')
    .optional(),
  fallbackModels: z
    .array(modelSchema, 'Expected a list of model ids')
    .max(5, 'Expected at most 5')
    .describe('Models to try in turn when the one before is overloaded or can not be reached.')
    .optional(),
};

const anthropicSchema = z
  .strictObject({
    provider: z.literal('anthropic'),
    model: modelSchema.describe('Model id. Default: CLAUDE_MODEL.').optional(),
    temperature: temperatureUpTo(MAX_TEMPERATURE.anthropic).optional(),
    baseUrl: addressSchema.describe('Address of the provider. Default: ANTHROPIC_BASE_URL.').optional(),
    apiKey: secretRefSchema.optional(),
    ...sharedFields,
  })
  .refine(({ baseUrl, apiKey }) => baseUrl === undefined || apiKey !== undefined, {
    path: ['apiKey'],
    error: 'An address of its own needs a key of its own: the key of the service is sent nowhere else',
  });

const openaiCompatibleSchema = z.strictObject({
  provider: z.literal('openai-compatible'),
  model: modelSchema.describe('Model id, as the endpoint calls it.'),
  temperature: temperatureUpTo(MAX_TEMPERATURE['openai-compatible']).optional(),
  baseUrl: addressSchema
    .describe('Address of the endpoint, version included. Default: OPENAI_COMPATIBLE_BASE_URL with its key.')
    .optional(),
  apiKey: secretRefSchema.optional(),
  structuredOutputs: z
    .boolean('Expected true or false')
    .describe(
      'Whether the endpoint takes a JSON Schema as `response_format`; else the prompt tells it. Default: true.',
    )
    .optional(),
  ...sharedFields,
});

/** One member per protocol, told apart by `provider`. */
export const llmSettingsSchema = z.discriminatedUnion(
  'provider',
  [anthropicSchema, openaiCompatibleSchema],
  'Expected `provider`: anthropic or openai-compatible',
);

export type LlmSettings = z.infer<typeof llmSettingsSchema>;

/** Every problem in the settings of an agent; pointers start at the root of the settings. */
export function checkSettings(settings: JsonObject): readonly Issue[] {
  const parsed = parseSettings(settings);
  return parsed.ok ? [] : (parsed.failure.issues ?? []);
}

/** Reads settings, or fails with `agent.not-configured` and all their issues. */
export function parseSettings(settings: JsonObject): Result<LlmSettings> {
  const parsed = llmSettingsSchema.safeParse(settings);
  if (parsed.success) return ok(parsed.data);
  const issues = issuesOf(parsed.error.issues, 'field.invalid');
  return fail(
    failureOf(agentErrors['agent.not-configured'], 'The settings of the agent are invalid.', { issues }),
  );
}
