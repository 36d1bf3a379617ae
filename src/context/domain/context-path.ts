/** Reading places of a context. */
import { getOwn, isJsonObject, type Json } from '../../kernel/json.js';

/**
 * The value at a place, or undefined when there is none.
 *
 * @param path keys with dots between them; a whole number is a place in a list, from 0
 */
export function valueAt(context: Json, path: string): Json | undefined {
  let value: Json | undefined = context;
  for (const key of path.split('.')) {
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value))
      value = /^(0|[1-9]\d{0,8})$/.test(key) ? (value as Json[])[Number(key)] : undefined;
    else value = isJsonObject(value) ? getOwn(value, key) : undefined;
  }
  return value;
}
