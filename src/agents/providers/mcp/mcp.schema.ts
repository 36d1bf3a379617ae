/** The settings of an `mcp` agent: one tool of one server. */
import { z } from 'zod';

import { failureOf } from '../../../kernel/failure.js';
import type { JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import { issuesOf } from '../../domain/issues.js';
import { toolServerSchema } from '../../domain/remote.schema.js';

const TIMEOUT = 'Expected a whole number of milliseconds from 100 to 3600000';

export const mcpSettingsSchema = toolServerSchema.extend({
  tool: z
    .string('Expected the name of a tool')
    .min(1, 'Expected the name of a tool')
    .max(200)
    .describe('Name of the tool, as the server lists it.'),
  timeoutMs: z
    .int(TIMEOUT)
    .min(100, TIMEOUT)
    .max(3_600_000, TIMEOUT)
    .describe('How long each exchange with the server may take. Default: 60000.')
    .optional(),
});

export type McpSettings = z.infer<typeof mcpSettingsSchema>;

/** Reads settings, or fails with `agent.not-configured` and all their issues. */
export function parseSettings(settings: JsonObject): Result<McpSettings> {
  const parsed = mcpSettingsSchema.safeParse(settings);
  if (parsed.success) return ok(parsed.data);
  const issues = issuesOf(parsed.error.issues, 'field.invalid');
  return fail(
    failureOf(agentErrors['agent.not-configured'], 'The settings of the agent are invalid.', { issues }),
  );
}
