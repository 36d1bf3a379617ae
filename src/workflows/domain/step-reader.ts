/**
 * Reading the fields of one step that decide or compute, whatever else is wrong with it.
 *
 * Decided here: compiling a field, with each problem at its pointer. Decided elsewhere: which fields a kind has
 * (kinds/), which step a reference means (scope-compiler.ts).
 */
import { compileCel, type CompiledCel } from '../../expressions/cel.js';
import { describeProblem, type ExpressionProblem } from '../../expressions/problem.js';
import type { References } from '../../expressions/references.js';
import { compileValue, type CompiledValue } from '../../expressions/value.js';
import { getOwn, isJsonObject, pointerToken, type Json, type JsonObject } from '../../kernel/json.js';

/** Where a reader puts what it finds. */
export interface ReadingSink {
  /** A text at `pointer` reads these. */
  reads(references: References, pointer: string): void;
  /** Something is wrong at `pointer`. */
  problem(pointer: string, code: string, message: string): void;
}

/** One object of a definition and what its expressions may read. */
export class StepReader {
  constructor(
    readonly json: JsonObject,
    readonly pointer: string,
    private readonly roots: ReadonlySet<string>,
    private readonly sink: ReadingSink,
  ) {}

  /** A condition in CEL; undefined when the field is absent or no text. */
  condition(field: string): CompiledCel | undefined {
    return this.#cel(field, 'bool');
  }

  /** An expression in CEL; undefined when the field is absent or no text. */
  expression(field: string): CompiledCel | undefined {
    return this.#cel(field);
  }

  /** Any JSON whose strings may be templates; undefined when the field is absent. */
  value(field: string): CompiledValue | undefined {
    const json = getOwn(this.json, field);
    if (json === undefined) return undefined;
    const result = compileValue(json, { roots: this.roots });
    if (!result.ok) {
      for (const problem of result.failure) this.#problem(`${this.#at(field)}${problem.pointer}`, problem);
      return undefined;
    }
    for (const { references, pointer } of result.value.texts)
      this.sink.reads(references, `${this.#at(field)}${pointer}`);
    return result.value;
  }

  /** A text as it stands; empty when the field is absent or no text. */
  text(field: string): string {
    const text = getOwn(this.json, field);
    return typeof text === 'string' ? text : '';
  }

  /** A number as it stands; undefined when the field is absent or no number. */
  number(field: string): number | undefined {
    const number = getOwn(this.json, field);
    return typeof number === 'number' ? number : undefined;
  }

  /** The object in a field, read with the same or with other roots; undefined when there is none. */
  inner(field: string, roots = this.roots): StepReader | undefined {
    const json = getOwn(this.json, field);
    return isJsonObject(json) ? new StepReader(json, this.#at(field), roots, this.sink) : undefined;
  }

  /** The same object, read with other roots. */
  with(roots: ReadonlySet<string>): StepReader {
    return new StepReader(this.json, this.pointer, roots, this.sink);
  }

  /** Something is wrong with a field. */
  refuse(field: string, code: string, message: string): void {
    this.sink.problem(this.#at(field), code, message);
  }

  #cel(field: string, result?: 'bool'): CompiledCel | undefined {
    const text = getOwn(this.json, field);
    if (typeof text !== 'string' || text === '') return undefined;
    const compiled = compileCel(text, { roots: this.roots, ...(result && { result }) });
    if (!compiled.ok) {
      this.#problem(this.#at(field), compiled.failure);
      return undefined;
    }
    this.sink.reads(compiled.value.references, this.#at(field));
    return compiled.value;
  }

  #at(field: string): string {
    return `${this.pointer}/${pointerToken(field)}`;
  }

  #problem(pointer: string, problem: ExpressionProblem): void {
    this.sink.problem(pointer, problem.code, describeProblem(problem));
  }
}

/** JSON without templates, compiled. */
export function constant(json: Json): CompiledValue {
  const result = compileValue(json);
  if (!result.ok) throw new TypeError('a value without templates has no problems');
  return result.value;
}
