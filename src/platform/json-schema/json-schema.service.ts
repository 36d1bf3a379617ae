import { Injectable } from '@nestjs/common';

import type { Issue } from '../../kernel/failure.js';
import { canonicalJson, type Json } from '../../kernel/json.js';
import type { Result } from '../../kernel/result.js';
import { compileSchema, MAX_SCHEMA_LENGTH, type SchemaCheck } from './compile-schema.js';

/** How many compiled schemas are kept. */
const MAX_COMPILED = 500;

/** How many problems of one value are reported. */
const MAX_ISSUES = 100;

/**
 * Users' JSON Schemas (draft 2020-12): checked, compiled once, kept by content.
 *
 * Refused: schemas that are too large, remote references, and patterns that can take exponential time.
 */
@Injectable()
export class JsonSchemaService {
  private readonly compiled = new Map<string, Result<SchemaCheck, string>>();
  /** A definition's schemas are asked for again and again as the same objects. */
  private readonly byIdentity = new WeakMap<object, Result<SchemaCheck, string>>();

  /** What is wrong with a schema; empty when it can be used. */
  problems(schema: Json): readonly string[] {
    const compiled = this.compile(schema);
    return compiled.ok ? [] : [compiled.failure];
  }

  /** Every problem of a value under a schema, with pointers from the value's root. Empty when it is valid. */
  validate(schema: Json, value: Json): readonly Issue[] {
    const compiled = this.compile(schema);
    if (!compiled.ok) return [{ pointer: '', code: 'schema.invalid', message: compiled.failure }];
    const found = compiled.value(value);
    if (!found.ok) return [{ pointer: '', code: 'schema.invalid', message: found.failure }];
    return found.value.slice(0, MAX_ISSUES).map(({ instancePath, keyword, message }) => ({
      pointer: instancePath,
      code: `schema.${keyword.replaceAll(/[A-Z ]/g, hyphenated)}`,
      message: message ?? 'is not valid',
    }));
  }

  private compile(schema: Json): Result<SchemaCheck, string> {
    if (typeof schema !== 'object' || schema === null) return this.compileByContent(schema);
    const known = this.byIdentity.get(schema) ?? this.compileByContent(schema);
    this.byIdentity.set(schema, known);
    return known;
  }

  private compileByContent(schema: Json): Result<SchemaCheck, string> {
    const key = canonicalJson(schema);
    if (key.length > MAX_SCHEMA_LENGTH) return compileSchema(schema, key.length); // refused, and not kept
    const known = this.compiled.get(key);
    this.compiled.delete(key);
    const compiled = known ?? compileSchema(schema, key.length);
    this.compiled.set(key, compiled);
    if (this.compiled.size > MAX_COMPILED) this.compiled.delete(this.compiled.keys().next().value ?? '');
    return compiled;
  }
}

function hyphenated(letter: string): string {
  return letter === ' ' ? '-' : `-${letter.toLowerCase()}`;
}
