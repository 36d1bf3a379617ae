/**
 * JSON into CEL and out of it.
 *
 * The library asks a value for its `constructor` to tell what it is, so an object of a caller's that has a key of
 * that name must come in as a Map. Out of CEL, integers are numbers again.
 */
import { Optional } from '@marcbachmann/cel-js';

import { fromEntries, isJsonObject, type Json } from '../kernel/json.js';
import type { Scope } from './references.js';

/** What an expression sees: the roots that it reads, without a prototype. */
export type Frame = Record<string, unknown>;

/** The roots that an expression reads, as they are. */
export function frameOf(roots: ReadonlySet<string>, scope: Scope): Frame {
  const frame = Object.create(null) as Frame;
  for (const root of roots) if (Object.hasOwn(scope, root)) frame[root] = scope[root];
  return frame;
}

/** Forgets what an expression has seen: the library keeps the last frame of an expression with loops. */
export function clearFrame(frame: Frame): void {
  for (const root of Object.keys(frame)) frame[root] = undefined;
}

/** The frame with Maps for objects that have a key `constructor`; undefined when there is none. */
export function withMaps(frame: Frame): Frame | undefined {
  const roots = Object.entries(frame) as [string, Json][];
  if (!roots.some(([, value]) => hasConstructorKey(value))) return undefined;
  return Object.assign(
    Object.create(null) as Frame,
    Object.fromEntries(roots.map(([root, value]) => [root, toMaps(value)])),
  );
}

/**
 * The JSON of a result.
 *
 * An absent optional is null, a time is ISO 8601 text.
 *
 * @throws RangeError for what JSON cannot hold: an integer beyond 2^53, NaN, a duration, a type
 */
export function jsonOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      break;
    case 'bigint':
      if (Number.isSafeInteger(Number(value))) return Number(value);
      throw new RangeError(`the result is ${value}, an integer that JSON cannot hold exactly`);
    case 'object':
      return jsonOfObject(value);
    default:
  }
  throw new RangeError(`the result is ${nameOf(value)}, which JSON does not have`);
}

/** What a value is, in plain words: for a message. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'number':
      return Number.isFinite(value) ? 'a number' : String(value);
    case 'bigint':
      return 'a number';
    case 'boolean':
      return String(value);
    default:
      return value instanceof Map || value?.constructor === Object ? 'a map' : 'a value of another type';
  }
}

function jsonOfObject(value: object | null): Json {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (value instanceof Map) {
    return fromEntries(
      Array.from(value as Map<string, unknown>, ([key, member]) => [key, jsonOf(member)] as const),
    );
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Optional) return value.hasValue() ? jsonOf(value.value()) : null;
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return fromEntries(Object.entries(value).map(([key, member]) => [key, jsonOf(member)] as const));
  }
  throw new RangeError(
    `the result is ${nameOf(value)}, which JSON does not have; make a text or a number of it`,
  );
}

function hasConstructorKey(value: Json): boolean {
  if (Array.isArray(value)) return (value as readonly Json[]).some(hasConstructorKey);
  if (!isJsonObject(value)) return false;
  return Object.hasOwn(value, 'constructor') || Object.values(value).some(hasConstructorKey);
}

function toMaps(value: Json): unknown {
  if (Array.isArray(value)) return (value as readonly Json[]).map(toMaps);
  if (!isJsonObject(value)) return value;
  return new Map(Object.entries(value).map(([key, member]) => [key, toMaps(member)]));
}
