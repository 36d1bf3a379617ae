/** The tools of one call of an agent: what its settings list, found and ready to be called. */
import { failureOf, type Failure } from '../../../kernel/failure.js';
import { isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import type { InvocableAgent } from '../../agent.invoker.js';
import { agentErrors } from '../../agent.errors.js';
import type { SettledOutcome, AgentRequest } from '../../agent.provider.js';
import type { AgentUsage } from '../../domain/usage.js';
import type { ToolSession } from '../../tool-server.invoker.js';
import { untilAnswered } from '../../until-answered.js';
import type { ToolSources } from './tool-sources.js';
import type { ToolSettings } from './tool.schema.js';

/** What a tool is to the model. */
export interface ToolDescription {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
}

/** What came of a call: for the model, and for the books. */
export interface ToolResult {
  readonly output: Json;
  readonly isError: boolean;
  readonly usage?: AgentUsage | undefined;
  readonly costMicros?: number | undefined;
}

export interface Tool extends ToolDescription {
  readonly requiresApproval: boolean;
  /** Whether inputs are held against the schema here; a server checks those of its tools itself. */
  readonly isChecked: boolean;
  /** Calls the tool once. What goes wrong is a result with `isError`. */
  call(input: JsonObject, key: string): Promise<ToolResult>;
}

const ANY_OBJECT: JsonObject = { type: 'object' };

/** Enough for most; a model that needs more is given its own schema in the settings. */
const PROMPT: JsonObject = {
  type: 'object',
  properties: { prompt: { type: 'string' } },
  required: ['prompt'],
};

type AgentToolSettings = Exclude<ToolSettings, { type: 'mcp' }>;
type ServerToolSettings = Extract<ToolSettings, { type: 'mcp' }>;

/** Whose tools they are, and until when they may run. */
interface Caller {
  readonly request: AgentRequest;
  readonly signal: AbortSignal;
}

export class ToolBox {
  private readonly byName = new Map<string, Tool>();
  private readonly sessions: ToolSession[] = [];

  private constructor(
    private readonly sources: ToolSources,
    private readonly caller: Caller,
  ) {}

  /** Finds every tool, or says which of them there is not. Whoever opens it closes it. */
  static async open(
    settings: readonly ToolSettings[],
    sources: ToolSources,
    caller: Caller,
  ): Promise<Result<ToolBox>> {
    const box = new ToolBox(sources, caller);
    for (const entry of settings) {
      const failure = entry.type === 'mcp' ? await box.addServer(entry) : await box.addAgent(entry);
      if (failure === undefined) continue;
      await box.close();
      return fail(failure);
    }
    return ok(box);
  }

  get tools(): readonly Tool[] {
    return [...this.byName.values()];
  }

  find(name: string): Tool | undefined {
    return this.byName.get(name);
  }

  /** Lets go of every connection. */
  async close(): Promise<void> {
    await Promise.all(this.sessions.splice(0).map((session) => session.close()));
  }

  private add(tool: Tool): Failure | undefined {
    if (this.byName.has(tool.name)) return notConfigured(`two tools have the name "${tool.name}"`);
    this.byName.set(tool.name, tool);
    return undefined;
  }

  private async addAgent(settings: AgentToolSettings): Promise<Failure | undefined> {
    const { agent: agentKey, name = agentKey, requiresApproval = false } = settings;
    const { request, signal } = this.caller;
    const { namespace, runId } = request;
    const find = (): Promise<InvocableAgent | undefined> => this.sources.agents.find(namespace, agentKey);
    const agent = await untilAnswered(find, { runId, signal });
    if (agent === undefined) return notConfigured(`there is no agent "${agentKey}"`);
    if (settings.type === 'http' && agent.kind !== 'http')
      return notConfigured(`the agent "${agentKey}" is of kind ${agent.kind}, not http`);
    return this.add({
      name,
      description: settings.description ?? agent.description,
      inputSchema: inputSchemaOf(settings, agent),
      requiresApproval,
      isChecked: true,
      call: (input, key) => this.callAgent(agentKey, input, key),
    });
  }

  private async callAgent(agentKey: string, input: JsonObject, key: string): Promise<ToolResult> {
    const { request, signal } = this.caller;
    const outcome = await this.sources.agents.invoke({
      namespace: request.namespace,
      agentKey,
      input,
      idempotencyKey: `${request.idempotencyKey}#tool-${key}`,
      depth: (request.depth ?? 0) + 1,
      signal,
    });
    const { usage, costMicros } = outcome;
    return { ...resultOf(outcome), usage, costMicros };
  }

  private async addServer(settings: ServerToolSettings): Promise<Failure | undefined> {
    const { request, signal } = this.caller;
    const { namespace, runId } = request;
    const opened = await this.sources.servers.open(settings.server, { namespace, runId, signal });
    if (!opened.ok) return opened.failure;
    const session = opened.value;
    this.sessions.push(session);
    for (const name of settings.allow) {
      const served = session.tools.find((tool) => tool.name === name);
      if (served === undefined)
        return notConfigured(`the MCP server at ${hostOf(settings.server.url)} has no tool "${name}"`);
      const { description, inputSchema } = served;
      const { requiresApproval = false } = settings;
      const call = (input: JsonObject): Promise<ToolResult> => callServer(session, name, input);
      const failure = this.add({
        name,
        description,
        inputSchema,
        requiresApproval,
        isChecked: false,
        call,
      });
      if (failure !== undefined) return failure;
    }
    return undefined;
  }
}

/** A result that tells the model what is wrong. */
export function errorResult(message: string): ToolResult {
  return { output: { error: message }, isError: true };
}

function inputSchemaOf(settings: AgentToolSettings, agent: InvocableAgent): JsonObject {
  if (isJsonObject(settings.inputSchema)) return settings.inputSchema;
  return agent.inputSchema ?? (agent.kind === 'llm' ? PROMPT : ANY_OBJECT);
}

function resultOf(outcome: SettledOutcome): ToolResult {
  if (outcome.status === 'completed') return { output: outcome.output, isError: false };
  const { code, message, retryable } = outcome.failure;
  return { output: { error: message, code, retryable }, isError: true };
}

async function callServer(session: ToolSession, name: string, input: JsonObject): Promise<ToolResult> {
  const called = await session.call(name, input);
  if (called.ok) return called.value;
  const { code, message, retryable } = called.failure;
  return { output: { error: message, code, retryable }, isError: true };
}

function notConfigured(what: string): Failure {
  return failureOf(agentErrors['agent.not-configured'], `The tools of the agent can not be used: ${what}.`);
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'that address';
}
