/**
 * What goes out: address, headers and body of one call.
 *
 * Decided here: how values become parts of a request. Decided elsewhere: who is called and how (Egress), how the caller
 * proves who it is (auth.ts).
 */
import { evaluateTemplate } from '../../../expressions/liquid.js';
import type { Scope } from '../../../expressions/references.js';
import { evaluateValue } from '../../../expressions/value.js';
import { failureOf, type Failure } from '../../../kernel/failure.js';
import { isJsonObject, type Json } from '../../../kernel/json.js';
import { fail, ok, type Result } from '../../../kernel/result.js';
import { agentErrors } from '../../agent.errors.js';
import type { CallPlan } from './call-plan.js';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body?: string;
}

/** A header whose value is a secret: `{ "secret": name }`. */
export type HeaderSecrets = ReadonlyMap<string, string>;

/** The request of a call, and the headers that are still to get the value of a secret. */
export function buildRequest(
  plan: CallPlan,
  scope: Scope,
): Result<{ readonly request: HttpRequest; readonly secrets: HeaderSecrets }> {
  const url = addressOf(plan, scope);
  if (!url.ok) return url;
  const parts = headersOf(plan, scope);
  if (!parts.ok) return parts;
  const { headers, secrets } = parts.value;
  const { method } = plan.settings;
  const body = bodyOf(plan, scope, headers);
  if (!body.ok) return body;
  const request = { method, url: url.value, headers, ...(body.value !== undefined && { body: body.value }) };
  return ok({ request, secrets });
}

/** A value that a header can not carry. The value itself is not told. */
export function setHeader(headers: Headers, name: string, value: string): Failure | undefined {
  try {
    headers.set(name, value);
    return undefined;
  } catch {
    return unusable(
      `The header "${name}" can not carry its value: it has a line break, or letters beyond Latin-1.`,
    );
  }
}

function addressOf({ url: template, query }: CallPlan, scope: Scope): Result<URL> {
  const isPlain = template.references.roots.size === 0;
  const rendered = evaluateTemplate(template, isPlain ? scope : (encoded(scope) as Scope));
  if (!rendered.ok) return rendered;
  const text = rendered.value as string;
  const url = URL.parse(text);
  if (url === null || !hasSamePath(text, url))
    return fail(unusable('The address has values that change its path. Expected none that are "." or "..".'));
  const parameters = evaluateValue(query, scope);
  if (!parameters.ok) return parameters;
  if (isJsonObject(parameters.value)) addParameters(url, parameters.value);
  return ok(url);
}

/** A scope whose texts can stand in an address: what was one part of it stays one part. */
function encoded(value: Json): Json {
  if (typeof value === 'string') return encodeURIComponent(value.toWellFormed());
  if (Array.isArray(value)) return (value as readonly Json[]).map(encoded);
  if (!isJsonObject(value)) return value;
  const out: Record<string, Json> = { ...value };
  for (const key of Object.keys(value)) out[key] = encoded(value[key] as Json);
  return out;
}

/** False where `.` or `..` made the address lead elsewhere than it reads. */
function hasSamePath(text: string, { pathname }: URL): boolean {
  const path = /^[^:]+:\/\/[^/?#]*([^?#]*)/.exec(text)?.[1] ?? '';
  return path === '' || path.split('/').length === pathname.split('/').length;
}

function addParameters(url: URL, parameters: Readonly<Record<string, Json>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    const values = Array.isArray(value) ? (value as readonly Json[]) : [value];
    for (const one of values) if (one !== null) url.searchParams.append(name, textOf(one));
  }
}

function headersOf(
  plan: CallPlan,
  scope: Scope,
): Result<{ readonly headers: Headers; readonly secrets: HeaderSecrets }> {
  const values = evaluateValue(plan.headers, scope);
  if (!values.ok) return values;
  const headers = new Headers({ accept: 'application/json, */*;q=0.8', 'user-agent': 'Ensemble' });
  const secrets = new Map<string, string>();
  for (const [name, value] of Object.entries(isJsonObject(values.value) ? values.value : {})) {
    if (isJsonObject(value)) secrets.set(name, value['secret'] as string);
    else if (value !== null) {
      const problem = setHeader(headers, name, textOf(value));
      if (problem !== undefined) return fail(problem);
    }
  }
  return ok({ headers, secrets });
}

function bodyOf({ settings, body }: CallPlan, scope: Scope, headers: Headers): Result<string | undefined> {
  const sendsInput = settings.method === 'POST' || settings.method === 'PUT' || settings.method === 'PATCH';
  if (body === undefined && !sendsInput) return ok(undefined);
  const value = body === undefined ? ok(scope['input'] ?? null) : evaluateValue(body, scope);
  if (!value.ok) return value;
  if (!headers.has('content-type')) headers.set('content-type', 'application/json');
  return ok(encodeBody(value.value, headers.get('content-type') ?? ''));
}

function encodeBody(value: Json, contentType: string): string {
  if (contentType.startsWith('application/x-www-form-urlencoded') && isJsonObject(value)) {
    const form = new URL('http://form');
    addParameters(form, value);
    return form.search.slice(1);
  }
  return typeof value === 'string' && !isJsonType(contentType) ? value : JSON.stringify(value);
}

/** True for `application/json` and every `+json`. */
export function isJsonType(contentType: string): boolean {
  return /^\s*[\w.+-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

function textOf(value: Json): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function unusable(message: string): Failure {
  return failureOf(agentErrors['agent.input-invalid'], message);
}
