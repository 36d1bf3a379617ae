/** Turns whatever an exchange with an MCP server ended with into a failure, without secrets. */
import { MCPClientError } from '@ai-sdk/mcp';

import { AppError, failureOf, type ErrorType, type Failure } from '../../../kernel/failure.js';
import { agentErrors } from '../../agent.errors.js';
import type { CallSecrets } from '../../call-secrets.js';

const MAX_MESSAGE_LENGTH = 500;

/** Says why an exchange gave no answer. Total. */
export function failureOfServer(error: unknown, host: string, secrets: CallSecrets): Failure {
  const causes = causesOf(error);
  const known = causes.find((cause) => AppError.is(cause));
  if (known !== undefined) return known.failure;
  const said = causes.find((cause) => MCPClientError.isInstance(cause));
  const safe = (text: string): string => secrets.censor(text).slice(0, MAX_MESSAGE_LENGTH);
  if (said?.statusCode !== undefined && said.statusCode >= 300) {
    const message = `The MCP server at ${host} answered ${String(said.statusCode)}.`;
    return failureOf(typeOf(said.statusCode), message, { details: { status: said.statusCode } });
  }
  if (said?.code !== undefined) {
    const message = `The MCP server at ${host} refused the request: ${safe(said.message)}`;
    return failureOf(agentErrors['agent.request-refused'], message, { details: { code: said.code } });
  }
  if (said?.message.includes('timed out') === true)
    return failureOf(agentErrors['agent.timed-out'], `The MCP server at ${host} did not answer in time.`);
  const code = causes
    .map((cause) => (cause as { readonly code?: unknown }).code)
    .find((one): one is string => typeof one === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(one));
  if (code !== undefined || causes.some((cause) => cause instanceof TypeError)) {
    const message = `The MCP server at ${host} could not be reached${code === undefined ? '' : ` (${code})`}.`;
    return failureOf(agentErrors['agent.unreachable'], message);
  }
  return failureOf(
    agentErrors['agent.answer-broken'],
    `The answer of the MCP server at ${host} can not be read.`,
  );
}

function typeOf(status: number): ErrorType {
  if (status === 401 || status === 403) return agentErrors['agent.unauthorized'];
  if (status === 413) return agentErrors['agent.request-too-large'];
  if (status === 429) return agentErrors['agent.rate-limited'];
  if (status === 408 || status >= 500) return agentErrors['agent.unavailable'];
  return agentErrors['agent.request-refused'];
}

/** An error and what caused it, the outermost first. */
function causesOf(error: unknown, depth = 0): readonly object[] {
  if (depth > 5 || typeof error !== 'object' || error === null) return [];
  return [error, ...causesOf((error as { cause?: unknown }).cause, depth + 1)];
}
