import { Global, Module } from '@nestjs/common';

import { TemplatesModule } from '../templates/templates.module.js';
import { AgentToolInvoker } from './agent-tool.invoker.js';
import { AgentInvoker } from './agent.invoker.js';
import { AgentsModule } from './agents.module.js';
import { PromptSource } from './prompt.source.js';
import { McpModule } from './providers/mcp/mcp.module.js';
import { TemplatePromptSource } from './template-prompt.source.js';
import { ClosedToolApprovalGate, ToolApprovalGate } from './tool-approval.gate.js';

/** What agents may reach beyond their own input: other agents, tools of servers, prompt templates. */
@Global()
@Module({
  imports: [AgentsModule, McpModule, TemplatesModule],
  providers: [
    { provide: AgentInvoker, useClass: AgentToolInvoker },
    { provide: PromptSource, useClass: TemplatePromptSource },
    { provide: ToolApprovalGate, useClass: ClosedToolApprovalGate },
  ],
  exports: [AgentInvoker, McpModule, PromptSource, ToolApprovalGate],
})
export class ToolsModule {}
