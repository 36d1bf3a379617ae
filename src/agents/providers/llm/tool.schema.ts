/** The tools that an `llm` agent may use: other agents, and tools of MCP servers. */
import { z } from 'zod';

import { toolServerSchema } from '../../domain/remote.schema.js';

/** What model providers take as the name of a tool. */
const TOOL_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const nameSchema = z
  .string('Expected a name')
  .regex(TOOL_NAME, 'Expected a letter, then at most 63 letters, digits, `_` or `-`');

const agentKeySchema = z.string("Expected an agent's key").min(1, "Expected an agent's key").max(200);

const requiresApproval = z
  .boolean('Expected true or false')
  .describe('Whether somebody has to approve each call before it is made. Default: false.')
  .optional();

const agentToolFields = {
  agent: agentKeySchema.describe('Key of the agent that is called.'),
  name: nameSchema.describe("What the model calls it. Default: the agent's key.").optional(),
  description: z
    .string('Expected a text')
    .max(4_000)
    .describe("What the model is told of it. Default: the agent's description.")
    .optional(),
  inputSchema: z
    .record(z.string(), z.unknown(), 'Expected a JSON Schema object')
    .describe("JSON Schema of the input. Default: the agent's own.")
    .optional(),
  requiresApproval,
};

const agentToolSchema = z.strictObject({ type: z.literal('agent'), ...agentToolFields });

const httpToolSchema = z.strictObject({ type: z.literal('http'), ...agentToolFields });

const mcpToolSchema = z.strictObject({
  type: z.literal('mcp'),
  server: toolServerSchema,
  allow: z
    .array(nameSchema, 'Expected a list of tool names')
    .min(1, 'Expected at least one')
    .max(64, 'Expected at most 64')
    .describe('The tools that the model may call; no others are shown to it.'),
  requiresApproval,
});

export const toolsSchema = z
  .array(
    z.discriminatedUnion(
      'type',
      [agentToolSchema, httpToolSchema, mcpToolSchema],
      'Expected `type`: agent, http or mcp',
    ),
    'Expected a list of tools',
  )
  .max(64, 'Expected at most 64')
  .describe('What the model may use on its way to an answer; nothing else can be called.');

/** One entry of an agent's tools. */
export type ToolSettings = z.infer<typeof toolsSchema>[number];
