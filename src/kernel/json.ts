/**
 * JSON values that come from outside, handled by own keys only.
 *
 * A caller's object may have keys named `__proto__` or `constructor`; they are ordinary keys that must come back
 * as they went in. So nothing here assigns with `target[key] = value` to an object that has a prototype setter,
 * and nothing reads what is not an own property.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** True for a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an own key, or undefined. `constructor` and `__proto__` are ordinary missing names. */
export function getOwn(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Defines an own key whatever its name is, `__proto__` included. Changes `target`. */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** Builds an object from entries by own keys only; the last of equal keys wins. */
export function fromEntries(entries: Iterable<readonly [string, Json]>): JsonObject {
  const out = {};
  for (const [key, value] of entries) setOwn(out, key, value);
  return out;
}

/** JSON text with object keys sorted, so equal values give equal text. Used for hashes, never for storage. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const body = Object.keys(value)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
    return `{${body.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** Escapes one reference token of a JSON Pointer (RFC 6901 §3). */
export function pointerToken(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** JSON Pointer of a path of keys; `""` for the empty path. */
export function pointerOf(path: readonly (string | number)[]): string {
  return path.map((key) => `/${pointerToken(key)}`).join('');
}
