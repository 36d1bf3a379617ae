import { Injectable } from '@nestjs/common';
import { z } from 'zod';

import { failureOf, type Failure, type Issue } from '../../../kernel/failure.js';
import { isJsonObject, type JsonObject } from '../../../kernel/json.js';
import { agentErrors } from '../../agent.errors.js';
import {
  AgentProvider,
  type AgentHealth,
  type AgentOutcome,
  type AgentPart,
  type AgentRequest,
  type InvocationContext,
} from '../../agent.provider.js';
import { Provider } from '../../provider.decorator.js';
import { ToolServerInvoker, type ServedOutcome, type ToolSession } from '../../tool-server.invoker.js';
import { mcpErrors } from './mcp.errors.js';
import { mcpSettingsSchema, parseSettings } from './mcp.schema.js';

const HEALTH_TIMEOUT_MS = 5_000;

/** An agent that is one tool of an MCP server: its input is the tool's arguments, its output what the tool answers. */
@Injectable()
@Provider({ kind: 'mcp', description: 'Calls a tool of an MCP server' })
export class McpProvider extends AgentProvider {
  constructor(private readonly servers: ToolServerInvoker) {
    super();
  }

  settingsSchema(): JsonObject {
    return z.toJSONSchema(mcpSettingsSchema) as JsonObject;
  }

  override check(settings: JsonObject): readonly Issue[] {
    const parsed = parseSettings(settings);
    return parsed.ok ? [] : (parsed.failure.issues ?? []);
  }

  override async *invoke(
    request: AgentRequest,
    { signal }: InvocationContext,
  ): AsyncGenerator<AgentPart, AgentOutcome, void> {
    const settings = parseSettings(request.settings);
    if (!settings.ok) return failed(settings.failure);
    const { input, namespace, runId } = request;
    if (!isJsonObject(input))
      return failed(failureOf(agentErrors['agent.input-invalid'], 'The input of a tool is a JSON object.'));
    const { tool, timeoutMs, ...server } = settings.value;
    const opened = await this.servers.open(server, {
      ...{ namespace, runId, signal },
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    if (!opened.ok) return failed(opened.failure);
    try {
      return await callTool(opened.value, tool, input);
    } finally {
      await opened.value.close();
    }
  }

  /** Lists the tools of the server. */
  override async health(settings: JsonObject): Promise<AgentHealth> {
    const parsed = parseSettings(settings);
    if (!parsed.ok) return { status: 'offline', reason: parsed.failure.message };
    const { tool, timeoutMs: _, ...server } = parsed.value;
    const opened = await this.servers.open(server, {
      namespace: 'default',
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
      timeoutMs: HEALTH_TIMEOUT_MS,
    });
    if (!opened.ok) return { status: 'offline', reason: opened.failure.message };
    await opened.value.close();
    const isListed = opened.value.tools.some(({ name }) => name === tool);
    return isListed ? { status: 'available' } : { status: 'offline', reason: unknownTool(tool).message };
  }
}

async function callTool(session: ToolSession, tool: string, input: JsonObject): Promise<AgentOutcome> {
  if (!session.tools.some(({ name }) => name === tool)) return failed(unknownTool(tool));
  const called = await session.call(tool, input);
  if (!called.ok) return failed(called.failure);
  const { output, isError } = called.value;
  return isError ? failed(toolFailed(tool, output)) : { status: 'completed', output };
}

function unknownTool(tool: string): Failure {
  return failureOf(mcpErrors['agent.tool-unknown'], `The MCP server has no tool "${tool}".`);
}

function toolFailed(tool: string, output: ServedOutcome['output']): Failure {
  const text =
    isJsonObject(output) && typeof output['text'] === 'string' ? `: ${output['text'].slice(0, 2_000)}` : '';
  return failureOf(mcpErrors['agent.tool-failed'], `The tool "${tool}" says that it failed${text}`, {
    details: { output },
  });
}

function failed(failure: Failure): AgentOutcome {
  return { status: 'failed', failure };
}
