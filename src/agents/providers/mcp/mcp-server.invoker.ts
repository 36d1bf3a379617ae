import { Injectable } from '@nestjs/common';

import { ok, type Result } from '../../../kernel/result.js';
import { Egress } from '../../../platform/egress/egress.js';
import { SecretSource } from '../../../platform/ports/secret.source.js';
import { CallSecrets } from '../../call-secrets.js';
import type { ToolServer } from '../../domain/remote.schema.js';
import { ToolServerInvoker, type ToolSession, type ToolSessionOptions } from '../../tool-server.invoker.js';
import { openSession } from './mcp-session.js';

const DEFAULT_TIMEOUT_MS = 60_000;

/** MCP servers over streamable HTTP, through the checked way out. */
@Injectable()
export class McpServerInvoker extends ToolServerInvoker {
  constructor(
    private readonly secrets: SecretSource,
    private readonly egress: Egress,
  ) {
    super();
  }

  override async open(server: ToolServer, options: ToolSessionOptions): Promise<Result<ToolSession>> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const secrets = new CallSecrets(this.secrets, options);
    const headers = await headersOf(server, secrets);
    if (!headers.ok) return headers;
    const fetch: typeof globalThis.fetch = (url, init) =>
      this.egress.fetch(url instanceof Request ? url.url : url, { ...init, timeoutMs });
    return openSession({ url: server.url, headers: headers.value, secrets, fetch, signal, timeoutMs });
  }
}

/** The headers of every call. */
async function headersOf(
  { headers = {}, auth }: ToolServer,
  secrets: CallSecrets,
): Promise<Result<Readonly<Record<string, string>>>> {
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    const text = typeof value === 'string' ? ok(value) : await secrets.find(value.secret);
    if (!text.ok) return text;
    found.push([name, text.value]);
  }
  if (auth === undefined) return ok(Object.fromEntries(found));
  const token = await secrets.find(auth.secret);
  if (!token.ok) return token;
  return ok(Object.fromEntries([...found, ['authorization', `Bearer ${token.value}`]]));
}
