import { Injectable } from '@nestjs/common';

import { AgentInvoker } from '../../agent.invoker.js';
import { ToolApprovalGate } from '../../tool-approval.gate.js';
import { ToolServerInvoker } from '../../tool-server.invoker.js';

/** Where tools come from, and who is asked before one is called. */
@Injectable()
export class ToolSources {
  constructor(
    readonly agents: AgentInvoker,
    readonly servers: ToolServerInvoker,
    readonly approvals: ToolApprovalGate,
  ) {}
}
