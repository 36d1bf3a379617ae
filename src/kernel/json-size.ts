import { isJsonObject, type Json } from './json.js';

/** What a number takes at most that is no short integer. */
const LONG_NUMBER = 18;

/**
 * About how long the JSON text of a value is, in characters, without making it. Escapes count as what they stand for.
 *
 * @param limit counting stops past it: the answer is then some number above the limit
 */
export function jsonSize(value: Json, limit = Infinity): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 1e6 ? 6 : LONG_NUMBER;
  if (Array.isArray(value)) return sizeOfList(value as readonly Json[], limit);
  return isJsonObject(value) ? sizeOfObject(value, limit) : 4;
}

function sizeOfList(list: readonly Json[], limit: number): number {
  let size = 2;
  for (const element of list) {
    size += jsonSize(element, limit - size) + 1;
    if (size > limit) break;
  }
  return size;
}

function sizeOfObject(object: { readonly [key: string]: Json }, limit: number): number {
  let size = 2;
  for (const key of Object.keys(object)) {
    size += key.length + 4 + jsonSize(object[key] as Json, limit - size);
    if (size > limit) break;
  }
  return size;
}
