/** Compiling users' JSON Schemas (draft 2020-12), purely: the same on the main thread and in a worker. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formatsPlugin from 'ajv-formats';

import { isJsonObject, type Json } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { MatchBudget, patternsWithin, urlWithin } from './counted-pattern.js';
import { isCostly } from './pattern-cost.js';

/** The largest schema, in characters of its JSON. */
export const MAX_SCHEMA_LENGTH = 65_536;

/** How many calls of its own parts one check may take, and how many more for each part of the value. */
const MAX_CALLS = 20_000;
const MAX_CALLS_PER_PART = 50;

/** Up to this product of the parts of schema and value every problem is told, beyond it the first. */
const MAX_PRODUCT = 200_000;

/** What is wrong with a value, or why that can not be told. */
export type SchemaCheck = (value: Json) => Result<readonly ErrorObject[], string>;

/**
 * Compiles a schema, or says why it can not be used: too large, not a schema, a remote reference, or a pattern that
 * can take too long.
 */
export function compileSchema(
  schema: Json,
  length = JSON.stringify(schema).length,
): Result<SchemaCheck, string> {
  if (typeof schema !== 'boolean' && !isJsonObject(schema))
    return fail('a JSON Schema is an object or a boolean');
  if (length > MAX_SCHEMA_LENGTH)
    return fail(`the schema is longer than ${String(MAX_SCHEMA_LENGTH)} characters`);
  const refusal = refusalOf(schema);
  if (refusal !== undefined) return fail(refusal);
  try {
    void META.validateSchema(schema, true);
    return ok(checkOf(schema));
  } catch (error) {
    if (error instanceof RangeError) return fail('the schema refers to itself without end');
    return fail(error instanceof Error ? error.message : 'the schema can not be compiled');
  }
}

/** Checks schemas themselves: compiling the schema of schemas takes longer than most schemas do. */
const META = new Ajv2020({ strict: false, logger: false, ownProperties: true });
formatsPlugin.default(META);

function checkOf(schema: object | boolean): SchemaCheck {
  const first = new BoundedAjv(schema, 'first');
  const size = countParts(schema as Json);
  let every: BoundedAjv | undefined;
  return (value) => {
    const parts = countParts(value);
    const found = first.check(value, parts);
    if (!found.ok || found.value.length === 0 || parts * size > MAX_PRODUCT) return found;
    every ??= new BoundedAjv(schema, 'every');
    const all = every.check(value, parts);
    return all.ok ? all : found;
  };
}

/** One Ajv for each schema: an `$id` used twice is not a conflict, and nothing is kept beyond our own bound. */
class BoundedAjv extends Ajv2020 {
  private callsLeft = Infinity;
  private readonly validator: ValidateFunction;

  constructor(
    schema: object | boolean,
    problems: 'first' | 'every',
    private readonly matches = new MatchBudget(),
  ) {
    super({
      strict: false,
      logger: false,
      allErrors: problems === 'every',
      ownProperties: true,
      validateFormats: true,
      validateSchema: false, // META has done it
      inlineRefs: false, // so that each reference is a call
      code: { process: countCalls, regExp: patternsWithin(matches) },
    });
    formatsPlugin.default(this);
    this.addFormat('url', urlWithin(matches));
    this.validator = this.compile(schema);
  }

  /** The problems of a value; fails when finding them takes too many calls, or too long to match a text. */
  check(value: Json, parts: number): Result<readonly ErrorObject[], string> {
    this.matches.refill();
    this.callsLeft = MAX_CALLS + MAX_CALLS_PER_PART * parts;
    try {
      return ok(this.validator(value) ? [] : (this.validator.errors ?? []));
    } catch (error) {
      if (error instanceof RangeError) return fail('checking a value with this schema takes too long');
      throw error;
    }
  }

  /** Called by the code that Ajv makes, at the beginning of each function. */
  enter(): void {
    this.callsLeft -= 1;
    if (this.callsLeft < 0) throw new RangeError('too many calls');
  }
}

function countCalls(code: string): string {
  const counted = code.replace(/return function validate\d+\(data, \{.*?\}=\{\}\)\{/, '$&self.enter();');
  if (counted === code) throw new Error('the code of the schema can not be bounded');
  return counted;
}

/** Why a schema is refused before it is compiled: a costly pattern, or one of Ajv's own keywords. */
function refusalOf(schema: Json): string | undefined {
  if (Array.isArray(schema)) return firstOf(schema as readonly Json[], refusalOf);
  if (!isJsonObject(schema)) return undefined;
  return firstOf(Object.keys(schema), (key) => {
    const value = schema[key] as Json;
    if (key === '$async') return '$async is not a keyword of JSON Schema';
    if (key === 'pattern' && typeof value === 'string' && isCostly(value)) return costly(value);
    if (key === 'patternProperties' && isJsonObject(value)) {
      const bad = Object.keys(value).find(isCostly);
      if (bad !== undefined) return costly(bad);
    }
    return refusalOf(value);
  });
}

function costly(pattern: string): string {
  return `the pattern ${JSON.stringify(pattern)} can take too long`;
}

/** How many values there are in a value, itself included. */
function countParts(value: Json): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((count, part) => count + countParts(part), 1);
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
