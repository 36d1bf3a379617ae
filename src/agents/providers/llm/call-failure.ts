/**
 * Turns whatever a call ended with into a failure.
 *
 * A message of the provider is kept only where it answered with a status, and never with the key in it; what the
 * machinery below threw is named by its error code alone, because such messages may quote headers and addresses.
 */
import {
  type APICallError,
  InvalidArgumentError,
  InvalidPromptError,
  UnsupportedFunctionalityError,
} from 'ai';

import { AppError, failureOf, type ErrorType, type Failure } from '../../../kernel/failure.js';
import type { Json } from '../../../kernel/json.js';
import { agentErrors } from '../../agent.errors.js';
import { llmErrors } from './llm.errors.js';
import { ConnectionError } from './model.js';
import { resetDelayMs, type ResponseHeaders } from './reset-delay.js';

const MAX_MESSAGE_LENGTH = 2_000;

export interface FailureContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Never shown, wherever it turns up. */
  readonly secret: string | undefined;
  /** What sets the address of the provider: a variable or a field of the settings. */
  readonly addressFrom: string;
}

/** Says why a call gave no answer. Total: what it does not know is a broken answer, which may be tried again. */
export function failureOfCall(error: unknown, context: FailureContext): Failure {
  const answer = readAnswer(error, context.secret);
  if (answer !== undefined) return failureOfAnswer(answer, context);
  const known = causesOf(error).find((cause) => AppError.is(cause));
  if (known !== undefined) return known.failure;
  if (isRefusedBeforeSending(error)) return refusedBeforeSending(error, context);
  const code = inBrackets(errorCodeOf(error));
  if (!causesOf(error).some((cause) => cause instanceof ConnectionError))
    return brokenAnswer(`it can not be read${code}`);
  const message = `The model provider could not be reached${code}. Check the network and ${context.addressFrom}.`;
  return failureOf(agentErrors['agent.unreachable'], message);
}

/** A stream that ended before its end, or that can not be read. */
export function brokenAnswer(how: string): Failure {
  return failureOf(
    agentErrors['agent.answer-broken'],
    `The answer of the model provider is incomplete: ${how}.`,
  );
}

/** What the provider itself said, as the answer's status or as an event within the stream. */
interface ProviderAnswer {
  readonly status: number;
  readonly message: string;
  readonly type?: string | undefined;
  readonly requestId?: string | undefined;
  readonly headers: ResponseHeaders;
}

function readAnswer(error: unknown, secret: string | undefined): ProviderAnswer | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { responseHeaders: headers = {}, message = '', data } = error as Partial<APICallError>;
  const statusCode = statusOf(error);
  if (statusCode === undefined || statusCode < 300) return undefined;
  const safe = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : readable(text, secret);
  const type = safe(errorTypeOf(data) ?? errorTypeOf({ error }));
  return {
    status: statusCode,
    message: readable(message, secret),
    type,
    requestId: safe(headers['request-id'] ?? headers['x-request-id']),
    headers,
  };
}

/** The status of an answer; of an error within a stream that tells none, the one that its type stands for. */
function statusOf(error: object): number | undefined {
  const { statusCode, code, type } = error as { statusCode?: unknown; code?: unknown; type?: unknown };
  if (typeof statusCode === 'number') return statusCode;
  const named = [type, code].find((name) => typeof name === 'string' && STATUS_OF_TYPE.has(name));
  return STATUS_OF_TYPE.get(named as string);
}

/** Errors that chat completions put into a stream, by type or code. */
const STATUS_OF_TYPE = new Map([
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['rate_limit_error', 429],
  ['rate_limit_exceeded', 429],
  ['insufficient_quota', 402],
  ['api_error', 500],
  ['server_error', 500],
  ['overloaded_error', 529],
]);

/** `error.type` of an error body, where it is one. */
function errorTypeOf(body: unknown): string | undefined {
  const type = (body as { error?: { type?: unknown } } | null | undefined)?.error?.type;
  return typeof type === 'string' ? type : undefined;
}

function failureOfAnswer(answer: ProviderAnswer, { now, addressFrom }: FailureContext): Failure {
  const type =
    answer.type === 'insufficient_quota' ? agentErrors['agent.request-refused'] : typeOf(answer.status);
  const retryAfterMs = type.retryable ? resetDelayMs(answer.headers, now) : undefined;
  return failureOf(type, messageOf(answer, addressFrom), {
    details: detailsOf(answer),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

function typeOf(status: number): ErrorType {
  if (status === 401 || status === 403) return agentErrors['agent.unauthorized'];
  if (status === 413) return agentErrors['agent.request-too-large'];
  if (status === 429) return agentErrors['agent.rate-limited'];
  if (status === 529) return llmErrors['agent.overloaded'];
  if (status === 408 || status >= 500) return agentErrors['agent.unavailable'];
  return agentErrors['agent.request-refused'];
}

function messageOf({ status, type, message }: ProviderAnswer, addressFrom: string): string {
  const head = `The model provider answered ${status}${inBrackets(type)}`;
  const advice = status < 400 ? ` Redirects are not followed; check ${addressFrom}.` : '';
  return `${head}${message === '' ? '.' : `: ${message}`}${advice}`;
}

function detailsOf({ status, type, requestId }: ProviderAnswer): Record<string, Json> {
  return { status, ...(type !== undefined && { type }), ...(requestId !== undefined && { requestId }) };
}

type RefusedBeforeSending = InvalidArgumentError | InvalidPromptError | UnsupportedFunctionalityError;

function isRefusedBeforeSending(error: unknown): error is RefusedBeforeSending {
  return (
    InvalidPromptError.isInstance(error) ||
    InvalidArgumentError.isInstance(error) ||
    UnsupportedFunctionalityError.isInstance(error)
  );
}

function refusedBeforeSending(error: Error, context: FailureContext): Failure {
  const message = `The request can not be sent: ${readable(error.message, context.secret)}`;
  return failureOf(agentErrors['agent.request-refused'], message);
}

function readable(message: string, secret: string | undefined): string {
  const safe = secret === undefined || secret === '' ? message : message.replaceAll(secret, '[redacted]');
  return safe.length > MAX_MESSAGE_LENGTH ? `${safe.slice(0, MAX_MESSAGE_LENGTH)}…` : safe;
}

/** The first system error code in a chain of causes: `ECONNREFUSED`, `ENOTFOUND`, `UND_ERR_SOCKET`, … */
function errorCodeOf(error: unknown): string | undefined {
  return causesOf(error)
    .map((cause) => (cause as { code?: unknown }).code)
    .find((code): code is string => typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code));
}

/** An error and what caused it, the outermost first. */
function causesOf(error: unknown, depth = 0): readonly object[] {
  if (depth > 5 || typeof error !== 'object' || error === null) return [];
  return [error, ...causesOf((error as { cause?: unknown }).cause, depth + 1)];
}

function inBrackets(text: string | undefined): string {
  return text === undefined ? '' : ` (${text})`;
}
