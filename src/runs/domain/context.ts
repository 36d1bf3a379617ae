/**
 * Writing to the context of a run.
 *
 * Decided here: what each reducer makes of what is there and what comes. Decided elsewhere: which step writes what
 * (workflows/domain/context-writes.ts), when it is evaluated (evaluate.ts). Nothing is changed in place: what a step
 * has read of the context stays as it was. Own keys only.
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import {
  canonicalJson,
  getOwn,
  isJsonObject,
  setOwn,
  type Json,
  type JsonObject,
} from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { keysOf, type Reducer } from '../../workflows/domain/context-writes.js';
import { runErrors } from './run.errors.js';

/** A value on its way to a place of the context. */
export interface ContextWrite {
  /** Keys with dots between them. */
  readonly path: string;
  readonly value: Json;
  readonly reducer: Reducer;
}

/** What a reducer takes, and what comes of it. An absent value and null are nothing yet. */
interface Reduction {
  readonly expected: string;
  readonly fits: (value: Json) => boolean;
  readonly reduce: (present: Json | undefined, value: Json) => Json | undefined;
}

const isNumber = (value: Json): value is number => typeof value === 'number';
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);

/** `reduce` answers undefined when what is there does not fit. */
const REDUCTIONS: { readonly [R in Reducer]: Reduction } = {
  replace: { expected: 'any value', fits: () => true, reduce: (_, value) => value },
  merge: {
    expected: 'an object',
    fits: isJsonObject,
    reduce: (present = {}, value) =>
      isJsonObject(present) ? { ...present, ...(value as JsonObject) } : undefined,
  },
  append: {
    expected: 'any value',
    fits: () => true,
    reduce: (present = [], value) => (isList(present) ? [...present, value] : undefined),
  },
  sum: {
    expected: 'a number',
    fits: isNumber,
    reduce: (present = 0, value) => (isNumber(present) ? finite(present + (value as number)) : undefined),
  },
  max: {
    expected: 'a number',
    fits: isNumber,
    reduce: (present, value) =>
      present === undefined || isNumber(present)
        ? Math.max(present ?? -Infinity, value as number)
        : undefined,
  },
  union: {
    expected: 'a list',
    fits: isList,
    reduce: (present = [], value) =>
      isList(present) ? unionOf(present, value as readonly Json[]) : undefined,
  },
};

/** The context after a write; `context.write-invalid` when the value, or what is there, does not fit its reducer. */
export function written(context: JsonObject, write: ContextWrite): Result<JsonObject> {
  const { path, value, reducer } = write;
  const { expected, fits } = REDUCTIONS[reducer];
  if (!fits(value)) return fail(invalid(write, `expected ${expected}, got ${shown(value)}`));
  return writtenAt(context, keysOf(path), write);
}

function writtenAt(
  holder: JsonObject,
  [key = '', ...inner]: readonly string[],
  write: ContextWrite,
): Result<JsonObject> {
  const present = getOwn(holder, key) ?? undefined;
  if (inner.length > 0) {
    if (present !== undefined && !isJsonObject(present))
      return fail(invalid(write, `"${key}" is ${shown(present)}, not an object`));
    const result = writtenAt(present ?? {}, inner, write);
    return result.ok ? ok(withOwn(holder, key, result.value)) : result;
  }
  const value = REDUCTIONS[write.reducer].reduce(present, write.value);
  if (value === undefined) return fail(invalid(write, `it holds ${shown(present ?? null)}`));
  return ok(withOwn(holder, key, value));
}

function withOwn(object: JsonObject, key: string, value: Json): JsonObject {
  const copy = { ...object };
  setOwn(copy, key, value);
  return copy;
}

function unionOf(present: readonly Json[], value: readonly Json[]): readonly Json[] {
  const known = new Set(present.map(canonicalJson));
  const added = value.filter((member) => {
    const text = canonicalJson(member);
    const isNew = !known.has(text);
    known.add(text);
    return isNew;
  });
  return added.length === 0 ? present : [...present, ...added];
}

/** A sum past every number could not be written down. */
function finite(sum: number): number | undefined {
  return Number.isFinite(sum) ? sum : undefined;
}

function invalid({ path, reducer }: ContextWrite, why: string): Failure {
  return failureOf(
    runErrors['context.write-invalid'],
    `the context can not be written at "${path}" by ${reducer}: ${why}`,
    {
      details: { path, reducer },
    },
  );
}

function shown(value: Json): string {
  if (isList(value)) return 'a list';
  return isJsonObject(value) ? 'an object' : JSON.stringify(value).slice(0, 60);
}
