import { defineErrors } from '../../../kernel/failure.js';

/** Failures of tools of MCP servers. */
export const mcpErrors = defineErrors({
  'agent.tool-failed': { kind: 'upstream', title: 'The tool says that it failed' },
  'agent.tool-unknown': { kind: 'unprocessable', title: 'The MCP server has no such tool' },
});
