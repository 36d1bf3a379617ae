import { Injectable } from '@nestjs/common';

import { AppError, failureOf } from '../kernel/failure.js';
import { AgentCallService } from './agent-call.service.js';
import { agentErrors } from './agent.errors.js';
import { AgentInvoker, MAX_AGENT_DEPTH, type AgentInvocation, type InvocableAgent } from './agent.invoker.js';
import type { SettledOutcome } from './agent.provider.js';
import { AgentService } from './agent.service.js';
import { failedBy } from './outcome-check.js';

/** The registered agents as tools of one another. */
@Injectable()
export class AgentToolInvoker extends AgentInvoker {
  constructor(
    private readonly agents: AgentService,
    private readonly calls: AgentCallService,
  ) {
    super();
  }

  override async find(namespace: string, agentKey: string): Promise<InvocableAgent | undefined> {
    try {
      const { kind, description, inputSchema } = await this.agents.get(namespace, agentKey);
      return { kind, description, ...(inputSchema !== undefined && { inputSchema }) };
    } catch (error) {
      if (AppError.is(error) && error.failure.kind === 'not-found') return undefined;
      throw error;
    }
  }

  override async invoke(call: AgentInvocation): Promise<SettledOutcome> {
    const { agentKey: reference, depth, ...rest } = call;
    if (depth > MAX_AGENT_DEPTH) {
      const message = `agents call one another ${String(depth)} deep; the limit is ${String(MAX_AGENT_DEPTH)}`;
      return {
        status: 'failed',
        failure: failureOf(agentErrors['agent.too-deep'], message, { details: { depth } }),
      };
    }
    try {
      return await this.calls.execute({ ...rest, reference, depth });
    } catch (error) {
      return failedBy(error);
    }
  }
}
