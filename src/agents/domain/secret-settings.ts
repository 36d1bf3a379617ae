/**
 * Secrets in an agent's settings: what is shown in their place, and what must never get out.
 *
 * Settings should name secrets, `{ "secret": "name" }` or `{{ secrets.name }}`, and names are shown. What was written
 * out all the same is taken for a secret by the name of its field (`apiKey`, `token`, `password`, any header that is
 * not known to be harmless), by its place in an address (`https://user:password@host`, `?token=…`), or by its look
 * (`sk-…`, `Bearer …`, a JSON Web Token, a private key).
 *
 * Decided here: what counts as one. Decided elsewhere: where settings are shown (dto/agent.dto.ts) and what else they
 * are kept out of (agent-caller.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { fromEntries, isJsonObject, pointerOf, type Json, type JsonObject } from '../../kernel/json.js';

/** Stands in place of a secret. Sent back in an update, it means the secret that is there. */
export const HIDDEN = '[hidden]';

/** A shorter text is not looked for in what an agent answers: it would be found everywhere. */
const MIN_SECRET_LENGTH = 8;

const SECRET_FIELD =
  /(?:pass(?:word|phrase|wd)?|secrets?|token|api[-_]?key|access[-_]?key|private[-_]?key|authori[sz]ation|cookie|credentials?|signature|^auth)$/i;
const SAFE_HEADER =
  /^(accept(-.*)?|cache-control|content-(type|encoding|language)|user-agent|idempotency-key|if-.*|prefer|origin|referer|date|expect|traceparent|tracestate|x-request-id|anthropic-(version|beta)|openai-beta)$/i;
const HEADERS_FIELD = /headers$/i;
/** Only references, with no more than a scheme before one: `Bearer {{ secrets.key }}`. */
const REFERENCE = /^(?:[A-Za-z]+\s+)?(?:\{\{[^{}]*\}\}\s*)+$/;
const USER_INFO = /(?<=^[a-z][a-z0-9+.-]*:\/\/)[^/?#@\s]+(?=@)/i;
const SECRET_PARAMETER =
  /(?<=[?&][^=&#]{0,64}(?:pass|secret|token|key|auth|sig|credential)[^=&#]{0,64}=)[^&#{}\s]+/gi;
const SECRET_LOOKS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b(?:sk|pk|rk|ghp|gho|ghs|ghu|glpat|xox[abprs])[-_][A-Za-z0-9_-]{12,}/g,
  /\beyJ[\w-]{8,4096}\.[\w-]{8,8192}(?:\.[\w-]*)?/g,
  /\bAKIA[0-9A-Z]{16}\b/g,
  /(?<=\bBearer\s)[A-Za-z0-9._~+/=-]{8,}/gi,
];

/** How the texts below a field are treated: one by one, all as values of headers, or all as secrets. */
type Place = 'plain' | 'headers' | 'secret';

/** The settings as they may be shown. */
export function hideSecrets(settings: JsonObject): JsonObject {
  return hide(settings, 'plain', () => undefined) as JsonObject;
}

/** Every text that `hideSecrets` takes out, as far as it is long enough to be looked for. */
export function secretsIn(settings: JsonObject): readonly string[] {
  const found = new Set<string>();
  hide(settings, 'plain', (secret) => {
    if (secret.length >= MIN_SECRET_LENGTH) found.add(secret);
  });
  return [...found].sort((a, b) => b.length - a.length);
}

/** A value without these texts; the same object when none is in it. */
export function withoutSecrets<T>(value: T, secrets: readonly string[]): T {
  if (secrets.length === 0) return value;
  const text = JSON.stringify(value) as string | undefined;
  const isClean = secrets.every((secret) => text?.includes(quoted(secret)) !== true);
  return isClean ? value : (censor(value, secrets) as T);
}

/**
 * New settings in which what is hidden means what the present ones have at the same place.
 *
 * @param given as a caller sent them, perhaps read before with secrets hidden
 * @returns the settings, and the places where something hidden means nothing
 */
export function restoreSecrets(
  given: JsonObject,
  present: JsonObject,
): { readonly settings: JsonObject; readonly issues: readonly Issue[] } {
  const issues: Issue[] = [];
  const settings = restore(given, { present, shown: hideSecrets(present) }, (path) => {
    const message = `${HIDDEN} stands for a secret that there is at this place, and there is none: give the whole value`;
    issues.push({ pointer: pointerOf(path), code: 'field.invalid', message });
  });
  return { settings: settings as JsonObject, issues };
}

function hide(value: Json, place: Place, found: (secret: string) => void): Json {
  if (typeof value === 'string') return hideText(value, place, found);
  if (Array.isArray(value)) return (value as readonly Json[]).map((one) => hide(one, place, found));
  if (!isJsonObject(value)) return value;
  return fromEntries(
    Object.entries(value).map(([key, one]) => [key, hide(one, placeOf(key, one, place), found)] as const),
  );
}

/** A field `secret` that holds a text holds a name; `auth` that holds an object holds settings of its own. */
function placeOf(key: string, value: Json, place: Place): Place {
  if (key === 'secret' && typeof value === 'string') return 'plain';
  if (place === 'headers') return SAFE_HEADER.test(key) ? 'plain' : 'secret';
  if (HEADERS_FIELD.test(key) && isJsonObject(value)) return 'headers';
  if (/^auth$/i.test(key) && isJsonObject(value)) return 'plain';
  return place === 'secret' || SECRET_FIELD.test(key) ? 'secret' : 'plain';
}

function hideText(text: string, place: Place, found: (secret: string) => void): string {
  if (text === '' || REFERENCE.test(text)) return text;
  const taken = (secret: string): string => {
    found(secret);
    return HIDDEN;
  };
  if (place === 'secret') return taken(text);
  return [USER_INFO, SECRET_PARAMETER, ...SECRET_LOOKS].reduce(
    (rest, look) => rest.replace(look, taken),
    text,
  );
}

function restore(
  given: Json,
  { present, shown }: { readonly present: Json | undefined; readonly shown: Json | undefined },
  lost: (path: readonly string[]) => void,
  path: readonly string[] = [],
): Json {
  if (typeof given === 'string') {
    if (!given.includes(HIDDEN)) return given;
    if (given === shown && present !== undefined) return present;
    lost(path);
    return given;
  }
  const at = (key: string): { readonly present: Json | undefined; readonly shown: Json | undefined } => ({
    present: member(present, key),
    shown: member(shown, key),
  });
  if (Array.isArray(given)) {
    return (given as readonly Json[]).map((one, index) =>
      restore(one, at(String(index)), lost, [...path, String(index)]),
    );
  }
  if (!isJsonObject(given)) return given;
  return fromEntries(
    Object.entries(given).map(([key, one]) => [key, restore(one, at(key), lost, [...path, key])] as const),
  );
}

function member(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as { readonly [key: string]: Json })[key];
}

function censor(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') {
    return secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), value);
  }
  if (Array.isArray(value)) return value.map((one) => censor(one, secrets));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return fromEntries(
    Object.entries(value).map(([key, one]) => [censor(key, secrets) as string, censor(one, secrets) as Json]),
  );
}

/** As JSON text has it, without the quotes. */
function quoted(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
