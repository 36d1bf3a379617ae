/**
 * What an answer means: an output, or a failure.
 *
 * Decided here: how a body is read, and which status is which failure. JSON is parsed, text is text, anything else
 * becomes an artifact.
 */
import { evaluateCel } from '../../../expressions/cel.js';
import type { Scope } from '../../../expressions/references.js';
import { evaluateValue } from '../../../expressions/value.js';
import { failureOf, type ErrorType, type Failure } from '../../../kernel/failure.js';
import { fromEntries, type Json, type JsonObject } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { toJson } from '../../../kernel/to-json.js';
import { agentErrors } from '../../agent.errors.js';
import type { AgentArtifact, SettledOutcome } from '../../agent.provider.js';
import type { CallPlan } from './call-plan.js';
import { httpAgentErrors } from './http.errors.js';
import { isJsonType } from './request.js';
import { retryAfterMs } from './retry-after.js';
import type { HttpSettings } from './settings.schema.js';

const ARTIFACT = 'response';
const MAX_QUOTED = 500;

/** An answer that was read to its end. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** The outcome of a call that was answered. `now` is milliseconds since the epoch. */
export function outcomeOf(answer: HttpAnswer, plan: CallPlan, scope: Scope, now: number): SettledOutcome {
  if (!isSuccess(answer.status, plan.settings)) return failed(failureOfStatus(answer, now));
  const read = bodyOf(answer);
  if (!read.ok) return failed(read.failure);
  const { body, artifact } = read.value;
  const { status } = answer;
  const headers = fromEntries(answer.headers);
  const output = outputOf(plan, { ...scope, status, headers, body });
  if (!output.ok) return failed(output.failure);
  return {
    status: 'completed',
    output: output.value,
    ...(artifact !== undefined && { artifacts: [artifact] }),
  };
}

/** Why a service that answered did not do what was asked. */
export function failureOfStatus(answer: HttpAnswer, now: number): Failure {
  const { status, headers } = answer;
  const type = typeOf(status);
  const quoted = textOf(answer)?.slice(0, MAX_QUOTED).trim() ?? '';
  const retryAfter = type.retryable ? retryAfterMs(headers.get('retry-after'), now) : undefined;
  return failureOf(type, `The service answered ${status}${quoted === '' ? '.' : `: ${quoted}`}`, {
    details: { status },
    ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
  });
}

function typeOf(status: number): ErrorType {
  if (status === 401 || status === 403) return agentErrors['agent.unauthorized'];
  if (status === 408 || status === 425) return agentErrors['agent.unavailable'];
  if (status === 413) return agentErrors['agent.request-too-large'];
  if (status === 429) return agentErrors['agent.rate-limited'];
  if (status >= 500) return httpAgentErrors['agent.upstream-failed'];
  return status >= 400 ? agentErrors['agent.request-refused'] : httpAgentErrors['agent.status-unexpected'];
}

function isSuccess(status: number, { response }: HttpSettings): boolean {
  const accepted = response?.successStatus ?? ['2xx'];
  return accepted.some((one) => one === status || one === `${Math.floor(status / 100)}xx`);
}

function outputOf({ output }: CallPlan, scope: Scope): Result<Json> {
  if (output === undefined) return ok(scope['body'] ?? null);
  return output.kind === 'cel' ? evaluateCel(output.cel, scope) : evaluateValue(output.value, scope);
}

function bodyOf(answer: HttpAnswer): Result<{ readonly body: Json; readonly artifact?: AgentArtifact }> {
  const type = answer.headers.get('content-type') ?? '';
  if (answer.bytes.length === 0) return ok({ body: null });
  const text = textOf(answer);
  if (text === undefined) return ok(artifactOf(answer.bytes, type));
  if (!isJsonType(type)) return ok({ body: text });
  try {
    const json = toJson(JSON.parse(text));
    return json.ok ? ok({ body: json.value }) : fail(broken(`its JSON can not be taken: ${json.failure}`));
  } catch {
    return fail(broken('it says that it is JSON, and it is not'));
  }
}

/** Bytes that are no text: a picture, an archive. */
function artifactOf(content: Uint8Array, type: string): { body: JsonObject; artifact: AgentArtifact } {
  const mediaType = type.split(';')[0]?.trim() ?? '';
  const known = mediaType === '' ? 'application/octet-stream' : mediaType;
  const body = { artifact: ARTIFACT, mediaType: known, bytes: content.length };
  return { body, artifact: { name: ARTIFACT, mediaType: known, content } };
}

/** Text in UTF-8, or in Latin-1 where the type says so; undefined for what is no text. */
function textOf({ headers, bytes }: HttpAnswer): string | undefined {
  const charset = /charset="?([\w-]+)/i.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function broken(why: string): Failure {
  return failureOf(agentErrors['agent.answer-broken'], `The answer can not be read: ${why}.`);
}

function failed(failure: Failure): SettledOutcome {
  return { status: 'failed', failure };
}
