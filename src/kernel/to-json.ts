/** Bringing values from code (a provider's output) into the shape that the log gives back. */
import type { Json } from './json.js';
import { fail, ok, type Result } from './result.js';

/** How deep a JSON value may nest. */
export const MAX_JSON_DEPTH = 64;

/**
 * A value as JSON would bring it back: itself when it is plain JSON already, else through its JSON text.
 *
 * Fails with a sentence for what has no JSON: functions, symbols, bigints, cycles, or nesting beyond `MAX_JSON_DEPTH`.
 * A missing value becomes null.
 */
export function toJson(value: unknown): Result<Json, string> {
  if (value === undefined) return ok(null);
  if (isPlainJson(value, MAX_JSON_DEPTH)) return ok(value);
  try {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) return fail(`a ${typeof value} has no JSON`);
    const parsed = JSON.parse(text) as unknown;
    return isPlainJson(parsed, MAX_JSON_DEPTH) ? ok(parsed) : fail(`it nests deeper than ${MAX_JSON_DEPTH}`);
  } catch (error) {
    return fail(error instanceof Error ? error.message : 'it can not be written');
  }
}

/** True when JSON would bring the value back exactly as it is. */
function isPlainJson(value: unknown, depth: number): value is Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return value === null || (depth > 0 && isPlainContainer(value, depth - 1));
    default:
      return false;
  }
}

function isPlainContainer(value: object, depth: number): boolean {
  if (Array.isArray(value)) return Array.from(value).every((item) => isPlainJson(item, depth));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === 'function') return false;
  return Object.values(value).every((item) => isPlainJson(item, depth));
}
