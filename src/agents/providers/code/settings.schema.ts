/** The settings of a `code` agent. */
import { z } from 'zod';

import { parseAllowedHost } from '../../../platform/egress/allowed-host.js';

const MAX_SOURCE_LENGTH = 262_144;
const MAX_OUTPUT_BYTES = 50 * 1024 * 1024;

function whole(what: string, min: number, max: number): z.ZodInt {
  const expected = `Expected a whole number of ${what} from ${min} to ${max}`;
  return z.int(expected).min(min, expected).max(max, expected);
}

export const codeSettingsSchema = z.strictObject({
  source: z
    .string('Expected the text of a program')
    .min(1, 'Expected the text of a program')
    .max(MAX_SOURCE_LENGTH, `Expected at most ${MAX_SOURCE_LENGTH} characters`)
    .describe('JavaScript (an ES module): `export default async (input, tools) => output`.'),
  timeoutMs: whole('milliseconds', 1, 60_000)
    .default(5000)
    .describe('How long one call may take, waiting for answers included.'),
  memoryMb: whole('MiB', 16, 256).default(64).describe('The memory of one call.'),
  hosts: z
    .array(
      z
        .string()
        .refine(
          (host) => parseAllowedHost(host)?.kind !== undefined && !host.includes('/'),
          'Expected a host, with a port or without: `api.example.com`, `localhost:8080`',
        ),
    )
    .max(50)
    .default([])
    .describe('The hosts that `tools.fetch` may call. Default: none.'),
  maxOutputBytes: whole('bytes', 1, MAX_OUTPUT_BYTES)
    .default(1024 * 1024)
    .describe('The largest output, as JSON.'),
});

export type CodeSettings = z.infer<typeof codeSettingsSchema>;
