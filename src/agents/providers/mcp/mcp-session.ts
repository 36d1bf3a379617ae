/** One connection to an MCP server over streamable HTTP. */
import { createMCPClient, type CallToolResult, type MCPClient } from '@ai-sdk/mcp';

import { failureOf, type Failure } from '../../../kernel/failure.js';
import { isJsonObject, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { toJson } from '../../../kernel/to-json.js';
import { agentErrors } from '../../agent.errors.js';
import type { CallSecrets } from '../../call-secrets.js';
import type { ServedOutcome, ServedTool, ToolSession } from '../../tool-server.invoker.js';
import { failureOfServer } from './mcp-failure.js';

/** A server that lists more is not listed to its end. */
const MAX_TOOLS = 1_000;
const MAX_PAGES = 50;

/** Where a session goes and for how long. */
export interface McpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Never shown, wherever they turn up. */
  readonly secrets: CallSecrets;
  readonly fetch: typeof globalThis.fetch;
  readonly signal: AbortSignal;
  /** For each exchange. */
  readonly timeoutMs: number;
}

/** Connects and lists the tools. Redirects are refused: the credentials travel in headers. */
export async function openSession(target: McpTarget): Promise<Result<ToolSession>> {
  const { url, headers, fetch, signal, timeoutMs } = target;
  let client: MCPClient | undefined;
  try {
    client = await createMCPClient({
      clientName: 'ensemble',
      transport: { type: 'http', url, headers, fetch, redirect: 'error' },
      initializationOptions: { signal, timeout: timeoutMs },
      onUncaughtError: () => undefined,
    });
    return ok(new McpSession(client, target, await toolsOf(client, target)));
  } catch (error) {
    await client?.close().catch(() => undefined);
    return fail(failureIn(error, target));
  }
}

class McpSession implements ToolSession {
  constructor(
    private readonly client: MCPClient,
    private readonly target: McpTarget,
    readonly tools: readonly ServedTool[],
  ) {}

  async call(tool: string, input: JsonObject): Promise<Result<ServedOutcome>> {
    const { signal, timeoutMs } = this.target;
    try {
      const options = { signal, timeout: timeoutMs };
      const result = await this.client.callTool({ name: tool, arguments: { ...input }, options });
      return outcomeOf(result, this.target.secrets);
    } catch (error) {
      return fail(failureIn(error, this.target));
    }
  }

  async close(): Promise<void> {
    await this.client.close().catch(() => undefined);
  }
}

async function toolsOf(client: MCPClient, target: McpTarget): Promise<readonly ServedTool[]> {
  const { signal, timeoutMs } = target;
  const tools: ServedTool[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES && tools.length < MAX_TOOLS; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.listTools({ params, options: { signal, timeout: timeoutMs } });
    for (const { name, description = '', inputSchema } of listed.tools)
      tools.push({ name, description, inputSchema: schemaOf(inputSchema) });
    cursor = listed.nextCursor;
    if (cursor === undefined) break;
  }
  return tools;
}

function schemaOf(inputSchema: unknown): JsonObject {
  const schema = toJson(inputSchema);
  return schema.ok && isJsonObject(schema.value) ? schema.value : { type: 'object' };
}

/**
 * What a tool answered, as `{ text?, structured?, content? }`: `text` is all texts, one per line; `content` is there
 * when something else than text came.
 */
function outcomeOf(result: CallToolResult, secrets: CallSecrets): Result<ServedOutcome> {
  const json = toJson(result);
  if (!json.ok || !isJsonObject(json.value))
    return fail(failureOf(agentErrors['agent.answer-broken'], 'The answer of the tool is not JSON.'));
  const { content, structuredContent, toolResult, isError } = json.value;
  const blocks: readonly Json[] = Array.isArray(content) ? content : [];
  const texts = blocks.flatMap((block) => (isText(block) ? [block.text] : []));
  const structured = structuredContent ?? toolResult;
  const output = {
    ...(texts.length > 0 && { text: texts.join('\n') }),
    ...(structured !== undefined && { structured }),
    ...(texts.length < blocks.length && { content: blocks }),
  };
  return ok({ output: secrets.censorJson(output), isError: isError === true });
}

function isText(block: Json): block is JsonObject & { readonly text: string } {
  return isJsonObject(block) && block['type'] === 'text' && typeof block['text'] === 'string';
}

function failureIn(error: unknown, { url, secrets }: McpTarget): Failure {
  return failureOfServer(error, URL.parse(url)?.host ?? 'that address', secrets);
}
