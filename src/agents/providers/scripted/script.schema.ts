/** What a scripted agent is told to do: the shape of its input. */
import { z } from 'zod';

import type { Json } from '../../../kernel/json.js';

export const scriptSchema = z
  .object({
    output: z.custom<Json>().optional(),
    delayMs: z.number().int().min(0).max(3_600_000).optional(),
    failTimes: z.number().int().min(0).max(1_000).optional(),
    error: z
      .object({
        code: z
          .string()
          .regex(/^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/, 'a code such as "agent.unavailable"')
          .optional(),
        message: z.string().max(2_000).optional(),
        retryable: z.boolean().optional(),
        retryAfterMs: z.number().int().min(0).optional(),
      })
      .strict()
      .optional(),
    usage: z
      .object({
        inputTokens: z.number().int().min(0).optional(),
        outputTokens: z.number().int().min(0).optional(),
        costMicros: z.number().int().min(0).optional(),
      })
      .strict()
      .optional(),
    artifacts: z
      .array(z.object({ name: z.string(), mediaType: z.string(), text: z.string() }).strict())
      .max(20)
      .optional(),
    deltas: z.array(z.string()).max(1_000).optional(),
  })
  .strict();

/** `output` and `artifacts` after `delayMs`; the first `failTimes` attempts of the step fail with `error`. */
export type Script = z.infer<typeof scriptSchema>;
