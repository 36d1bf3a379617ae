import { Module } from '@nestjs/common';

import { ToolServerInvoker } from '../../tool-server.invoker.js';
import { McpServerInvoker } from './mcp-server.invoker.js';
import { McpProvider } from './mcp.provider.js';

/** MCP servers: agents that are one tool of one, and tools of theirs for others. */
@Module({
  providers: [McpProvider, { provide: ToolServerInvoker, useClass: McpServerInvoker }],
  exports: [ToolServerInvoker],
})
export class McpModule {}
