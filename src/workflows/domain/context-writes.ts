/**
 * What steps write to the context.
 *
 * Decided here: the form of a path, which reducers there are, how a step's writes are read. Decided elsewhere: writers
 * that may get in each other's way (write-conflicts.ts), what a reducer makes of a value (runs/domain/context.ts).
 */
import type { CompiledValue } from '../../expressions/value.js';
import { getOwn, isJsonObject, type JsonObject } from '../../kernel/json.js';
import type { StepReader } from './step-reader.js';

/** How a written value and the one that is there are put together. */
export const REDUCERS = ['replace', 'merge', 'append', 'sum', 'max', 'union'] as const;
export type Reducer = (typeof REDUCERS)[number];

/** Keys with dots between them. A key has no dot itself. */
const PATH = /^[^.]+(\.[^.]+)*$/;
const MAX_PATH_LENGTH = 256;
/** How many keys a path has at most. */
const MAX_KEYS = 16;

/** One write of a step, done each time the step is carried out. */
export interface CompiledWrite {
  /** As it is written: `review.score`. */
  readonly path: string;
  readonly keys: readonly string[];
  readonly reducer: Reducer;
  readonly value: CompiledValue;
}

/** True when a text names a place in the context. */
export function isContextPath(path: string): boolean {
  return path.length <= MAX_PATH_LENGTH && PATH.test(path) && keysOf(path).length <= MAX_KEYS;
}

/** What a path that is none is answered with. */
export const PATH_EXPECTED = `expected keys with dots between them such as "review.score", at most ${MAX_KEYS}`;

/** The keys of a path, from the outside in. */
export function keysOf(path: string): readonly string[] {
  return path.split('.');
}

/**
 * The writes of a step.
 *
 * @param writes the object in its field `writes`, read with `output` among its roots
 * @param definition the definition as a whole, which says how paths are reduced
 */
export function readWrites(writes: StepReader, definition: JsonObject): readonly CompiledWrite[] {
  return Object.keys(writes.json).flatMap((path) => {
    if (!isContextPath(path)) {
      writes.refuse(path, 'field.invalid', PATH_EXPECTED);
      return [];
    }
    const value = writes.value(path);
    if (value === undefined) return [];
    return [{ path, keys: keysOf(path), reducer: reducerOf(definition, path), value }];
  });
}

function reducerOf(definition: JsonObject, path: string): Reducer {
  const declared = getOwn(definition, 'contextReducers');
  const given = isJsonObject(declared) ? getOwn(declared, path) : undefined;
  return REDUCERS.find((reducer) => reducer === given) ?? 'replace';
}
