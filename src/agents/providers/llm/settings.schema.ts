/** The settings of an `llm` agent. What a call sends itself (input.schema.ts) wins over what is set here. */
import { z } from 'zod';

import { failureOf, type Issue } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import { issuesOf } from '../../domain/issues.js';

/** Text that says something. */
export const textSchema = z.string('Expected a text').regex(/\S/, 'Must not be blank');

export const temperatureSchema = z
  .number('Expected a number from 0 to 1')
  .min(0, 'Expected a number from 0 to 1')
  .max(1, 'Expected a number from 0 to 1')
  .describe('Randomness, 0 to 1. Newer models take none; it is then left out and the turn says so.');

export const maxOutputTokensSchema = z
  .int('Expected a whole number of tokens, at least 1')
  .min(1, 'Expected a whole number of tokens, at least 1')
  .describe('Most tokens to generate. Default: what the model allows.');

const anthropicSchema = z.strictObject({
  provider: z.literal('anthropic'),
  model: textSchema.max(200).describe('Model id. Default: CLAUDE_MODEL.').optional(),
  system: textSchema.describe('System prompt.').optional(),
  temperature: temperatureSchema.optional(),
  maxOutputTokens: maxOutputTokensSchema.optional(),
  objectSchema: z
    .record(z.string(), z.unknown(), 'Expected a JSON Schema object')
    .describe('JSON Schema of the object to answer with; the output then has `object`.')
    .optional(),
});

/** One member per model provider, told apart by `provider`. */
export const llmSettingsSchema = z.discriminatedUnion(
  'provider',
  [anthropicSchema],
  'Expected `provider`: anthropic',
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
