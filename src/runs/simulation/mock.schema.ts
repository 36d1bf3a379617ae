/**
 * What stands in for the steps of a simulated run.
 *
 * Decided here: the shape. Decided elsewhere: which mock a call takes (mocks.ts).
 */
import { z } from 'zod';

import type { Json } from '../../kernel/json.js';

const MAX_IN_TURN = 1_000;
const MAX_DELAY_MS = 7 * 24 * 3_600_000;

const json = z.custom<Json>((value) => value !== undefined);
const delayMs = z.int().min(0).max(MAX_DELAY_MS).exactOptional();

const failure = z.strictObject({
  code: z.string().min(1).max(128),
  message: z.string().max(1_000).exactOptional(),
  retryable: z.boolean().exactOptional(),
});

/** One answer: an output, a failure, or the decision of an approval, after a delay. */
const mockSchema = z.union([
  z.strictObject({ output: json, delayMs }),
  z.strictObject({ failure, delayMs }),
  z.strictObject({ decision: z.enum(['approve', 'reject']), data: json.exactOptional(), delayMs }),
]);

/** By path, key or id of a step; a list is consumed in turn, and its last one answers whatever comes after. */
export const mocksSchema = z.record(
  z.string().min(1).max(1_000),
  z.union([mockSchema, z.array(mockSchema).min(1).max(MAX_IN_TURN)]),
);

export type Mock = z.infer<typeof mockSchema>;
export type MockTable = z.infer<typeof mocksSchema>;
