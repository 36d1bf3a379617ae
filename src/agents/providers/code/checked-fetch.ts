/** What `tools.fetch` does: calls to the hosts that the settings declare, through Egress. */
import { AppError } from '../../../kernel/failure.js';
import { fromEntries, type Json } from '../../../kernel/json.js';
import { addressOf, canonicalHost, parseAllowedHost } from '../../../platform/egress/allowed-host.js';
import type { Egress } from '../../../platform/egress/egress.js';
import type { SandboxFetch } from './sandbox/sandbox-protocol.js';

const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE)$/;

export interface FetchRules {
  readonly egress: Egress;
  readonly hosts: readonly string[];
  readonly timeoutMs: number;
  /** Aborted when the call of the program has ended. */
  readonly signal: AbortSignal;
}

/** A request as a program says it; nothing of it is to be believed. */
interface ProgramInit {
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** What came back as JSON: `{ status, headers, body, url }`, or `{ error }`. Never rejects. Follows no redirect. */
export async function fetchFor({ url, init }: SandboxFetch, rules: FetchRules): Promise<string> {
  try {
    const target = URL.parse(url);
    if (target === null) return refusal('tools.fetch expects an absolute address');
    if (!isDeclared(target, rules.hosts))
      return refusal(`the agent does not declare the host ${target.host} in its settings (hosts)`);
    return await call(target, JSON.parse(init) as ProgramInit, rules);
  } catch (error) {
    return errorOf(error);
  }
}

async function call(
  url: URL,
  { method = 'GET', headers = {}, body }: ProgramInit,
  { egress, timeoutMs, signal }: FetchRules,
): Promise<string> {
  const verb = String(method).toUpperCase();
  if (!METHOD.test(verb)) return refusal('tools.fetch knows GET, HEAD, POST, PUT, PATCH and DELETE');
  if (body !== undefined && typeof body !== 'string') return refusal('the body of tools.fetch is a text');
  const response = await egress.fetch(url, {
    method: verb,
    headers: new Headers(headers as Record<string, string>),
    ...(body !== undefined && { body }),
    ...{ redirect: 'manual', timeoutMs, maxResponseBytes: MAX_RESPONSE_BYTES, signal },
  });
  const answer: Json = {
    status: response.status,
    headers: fromEntries(response.headers),
    body: await response.text(),
    url: response.url,
  };
  return JSON.stringify(answer);
}

function isDeclared({ hostname, port, protocol }: URL, hosts: readonly string[]): boolean {
  const host = canonicalHost(hostname);
  const at = Number(port) || (protocol === 'https:' ? 443 : 80);
  return hosts.some((declared) => {
    const entry = parseAllowedHost(declared);
    if (entry === undefined || (entry.port !== undefined && entry.port !== at)) return false;
    if (entry.kind === 'name') return entry.name === host;
    return entry.network[0].toString() === addressOf(host ?? '')?.toString();
  });
}

function errorOf(error: unknown): string {
  if (AppError.is(error)) {
    const { message, code, retryable, retryAfterMs } = error.failure;
    return JSON.stringify({ error: { message, code, retryable, retryAfterMs } });
  }
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code;
  const why = typeof code === 'string' ? ` (${code})` : '';
  return JSON.stringify({
    error: { message: `the request got no answer${why}`, code: 'agent.unreachable', retryable: true },
  });
}

function refusal(message: string): string {
  return JSON.stringify({ error: { message, code: 'agent.egress-refused', retryable: false } });
}
