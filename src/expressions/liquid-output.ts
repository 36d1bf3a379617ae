/**
 * What comes out of a template: text in which every value reads like JSON, or one JSON value.
 *
 * Decided here: how a value is written. Decided elsewhere: when a template gives a value instead of text (liquid.ts).
 */
import { Drop, toValue, type Context, type Emitter } from 'liquidjs';

import { fromEntries, type Json } from '../kernel/json.js';

/** Gathers the text of a rendering. Its length counts towards the memory limit. */
export class TextEmitter implements Emitter {
  buffer = '';
  readonly #limit: Context['memoryLimit'];

  constructor(limit: Context['memoryLimit']) {
    this.#limit = limit;
  }

  write(value: unknown): void {
    const text = textOf(value);
    this.#limit.use(text.length);
    this.buffer += text;
  }
}

/** The text of a value inside a longer text: nothing for null, the string itself, else JSON. */
function textOf(value: unknown): string {
  const plain: unknown = toValue(value);
  if (typeof plain === 'string') return plain;
  if (plain === undefined || plain === null) return '';
  if (typeof plain === 'number') return String(checkNumber(plain));
  return JSON.stringify(plain);
}

/**
 * The JSON of a value that filters or operators made: undefined becomes null, markers of the library their value.
 *
 * @throws RangeError for a number that JSON cannot hold
 */
export function jsonOf(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Drop) return jsonOf(toValue(value));
  if (Array.isArray(value)) return Array.from(value, jsonOf);
  if (typeof value === 'number') return checkNumber(value);
  if (typeof value !== 'object') return value as Json;
  return fromEntries(Object.entries(value).map(([key, member]) => [key, jsonOf(member)] as const));
}

function checkNumber(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`the result is ${value}, which is no JSON number`);
}
