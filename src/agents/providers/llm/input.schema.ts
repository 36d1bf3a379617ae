/** What a call of an `llm` agent takes: a prompt or a conversation, and options that win over the settings. */
import { z } from 'zod';

import { failureOf } from '../../../kernel/failure.js';
import type { Json, JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import { issuesOf } from '../../domain/issues.js';
import {
  MAX_TEMPERATURE,
  maxOutputTokensSchema,
  temperatureUpTo,
  textSchema,
  type LlmSettings,
} from './settings.schema.js';

const messageSchema = z.strictObject({
  role: z.enum(['user', 'assistant'], 'Expected user or assistant; a system prompt goes into `system`'),
  content: textSchema,
});

export type LlmMessage = z.infer<typeof messageSchema>;

function inputSchemaOf(maxTemperature: number) {
  return z
    .strictObject(
      {
        prompt: textSchema.optional(),
        messages: z
          .array(messageSchema, 'Expected a list of messages')
          .min(1, 'Expected at least one')
          .optional(),
        system: textSchema.optional(),
        variables: z
          .record(z.string(), z.unknown(), 'Expected an object of variables')
          .describe('Variables of the template that the settings name as the system prompt.')
          .optional(),
        maxOutputTokens: maxOutputTokensSchema.optional(),
        temperature: temperatureUpTo(maxTemperature).optional(),
      },
      { error: (issue) => (issue.code === 'invalid_type' ? 'Expected an object' : undefined) },
    )
    .refine((input) => (input.prompt === undefined) !== (input.messages === undefined), {
      error: 'Expected either `prompt` or `messages`',
    });
}

const INPUT_SCHEMAS = {
  anthropic: inputSchemaOf(MAX_TEMPERATURE.anthropic),
  'openai-compatible': inputSchemaOf(MAX_TEMPERATURE['openai-compatible']),
};

/** A readable input: a prompt has become a conversation of one message. */
export interface LlmInput {
  readonly messages: readonly LlmMessage[];
  readonly system?: string | undefined;
  readonly variables?: JsonObject | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly temperature?: number | undefined;
}

/** Reads an input, or fails with `agent.input-invalid` and all its issues. */
export function parseInput(input: Json, provider: LlmSettings['provider']): Result<LlmInput> {
  const parsed = INPUT_SCHEMAS[provider].safeParse(input);
  if (parsed.success) {
    const { prompt = '', messages = [{ role: 'user', content: prompt }], ...options } = parsed.data;
    return ok({ messages, ...(options as Omit<LlmInput, 'messages'>) });
  }
  const issues = issuesOf(parsed.error.issues, 'field.invalid');
  const places = issues.map(({ pointer, message }) => `${pointer === '' ? 'input' : pointer}: ${message}`);
  return fail(
    failureOf(agentErrors['agent.input-invalid'], `The input can not be used. ${places.join('. ')}.`, {
      issues,
    }),
  );
}
