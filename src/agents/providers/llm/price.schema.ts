/** A price table as a file: the operator's own prices, in dollars per million tokens. */
import { z } from 'zod';

import { fail, ok, type Result } from '../../../kernel/result.js';
import { issuesOf } from '../../domain/issues.js';
import { ratesOf, type Price } from './prices.js';

const amount = z.number('Expected dollars per million tokens').min(0, 'Expected dollars per million tokens');

const priceSchema = z.strictObject({
  models: z.array(z.string().min(1)).min(1),
  validFrom: z.iso.date('Expected a day: YYYY-MM-DD').optional(),
  maxPromptTokens: z.int().min(1).optional(),
  input: amount,
  output: amount,
  /** @default input */
  cacheRead: amount.optional(),
  /** @default input */
  cacheWrite: amount.optional(),
});

/** Reads the text of a price table, or says in one sentence what is wrong with it. */
export function parsePrices(text: string): Result<readonly Price[], string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail('it is not JSON');
  }
  const parsed = z.array(priceSchema, 'Expected a list of prices').safeParse(json);
  if (!parsed.success) {
    const issues = issuesOf(parsed.error.issues, 'field.invalid');
    return fail(issues.map(({ pointer, message }) => `${pointer || '/'}: ${message}`).join('; '));
  }
  return ok(
    parsed.data.map(({ models, validFrom, maxPromptTokens, input, output, cacheRead, cacheWrite }) => ({
      models,
      ...(validFrom !== undefined && { validFrom }),
      ...(maxPromptTokens !== undefined && { maxPromptTokens }),
      ...ratesOf([input, output, cacheRead ?? input, cacheWrite ?? input]),
    })),
  );
}
