/**
 * Values: any JSON whose strings may be templates.
 *
 * Decided here: which strings of a value are templates, and building the value anew around them. Keys are never
 * templates. Decided elsewhere: one template (liquid.ts).
 */
import type { Failure } from '../kernel/failure.js';
import { isJsonObject, pointerOf, type Json, type JsonObject } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import {
  compileTemplate,
  isTemplate,
  renderTemplate,
  type CompiledTemplate,
  type CompileOptions,
} from './liquid.js';
import { Rendering } from './liquid-cost.js';
import { invalid, variablesMissing, type ExpressionProblem } from './problem.js';
import { mergeReferences, type References, type Scope } from './references.js';

/** How deep a value that has templates may nest. */
const MAX_DEPTH = 128;

/** A problem and the place of its text in the value. */
export interface ValueProblem extends ExpressionProblem {
  /** JSON Pointer from the root of the value. */
  readonly pointer: string;
}

/** A value that is ready to be evaluated. Immutable; any number of runs may share it. */
export interface CompiledValue {
  /** The value as it was given. */
  readonly json: Json;
  readonly references: References;
  /** Each template in the value with its place, in the order of the value. */
  readonly texts: readonly ValueText[];
  /** Absent when no string of the value is a template: it is its own value. */
  readonly program?: ValueNode;
}

/** One template of a value. */
export interface ValueText {
  /** JSON Pointer from the root of the value. */
  readonly pointer: string;
  readonly references: References;
}

/** The parts of a value that have templates; all others stay as they are. */
type ValueNode =
  | { readonly kind: 'template'; readonly template: CompiledTemplate; readonly pointer: string }
  | { readonly kind: 'list'; readonly list: readonly Json[]; readonly members: readonly Member<number>[] }
  | { readonly kind: 'object'; readonly object: JsonObject; readonly members: readonly Member<string>[] };

type Member<K> = readonly [key: K, node: ValueNode];
type Path = readonly (string | number)[];

/** Compiles a value. Answers with every problem of every string. */
export function compileValue(
  json: Json,
  options: CompileOptions = {},
): Result<CompiledValue, readonly ValueProblem[]> {
  const compiler = new ValueCompiler(options);
  const program = compiler.compile(json, []);
  if (compiler.problems.length > 0) return fail(compiler.problems);
  const { texts } = compiler;
  const references = mergeReferences(texts.map((text) => text.references));
  return ok(program === undefined ? { json, references, texts } : { json, references, texts, program });
}

/**
 * Evaluates a value.
 *
 * Without templates it is the value itself, not a copy. With templates only the way to them is built anew.
 *
 * @returns `template.variable-missing` with what is missing in any text, else the first `expression.failed` with the
 *   pointer of its text
 */
export function evaluateValue({ json, program }: CompiledValue, scope: Scope): Result<Json> {
  if (program === undefined) return ok(json);
  const evaluation = new ValueEvaluation(scope);
  const value = evaluation.evaluate(program);
  const { rendering, failure } = evaluation;
  const { missing } = rendering;
  if (missing.size > 0) return fail(variablesMissing(missing));
  return failure === undefined ? ok(value) : fail(failure);
}

class ValueCompiler {
  readonly problems: ValueProblem[] = [];
  readonly texts: ValueText[] = [];

  constructor(private readonly options: CompileOptions) {}

  compile(json: Json, path: Path): ValueNode | undefined {
    if (typeof json === 'string') return isTemplate(json) ? this.#compileText(json, path) : undefined;
    if (typeof json !== 'object' || json === null) return undefined;
    if (path.length > MAX_DEPTH) {
      this.problems.push({ ...invalid(`nested deeper than ${MAX_DEPTH}`), pointer: pointerOf(path) });
      return undefined;
    }
    if (!isJsonObject(json)) {
      const members = this.#compileMembers(json.entries(), path);
      return members.length === 0 ? undefined : { kind: 'list', list: json, members };
    }
    const members = this.#compileMembers(Object.entries(json), path);
    return members.length === 0 ? undefined : { kind: 'object', object: json, members };
  }

  #compileMembers<K extends string | number>(entries: Iterable<[K, Json]>, path: Path): Member<K>[] {
    const members: Member<K>[] = [];
    for (const [key, json] of entries) {
      const node = this.compile(json, [...path, key]);
      if (node !== undefined) members.push([key, node]);
    }
    return members;
  }

  #compileText(text: string, path: Path): ValueNode | undefined {
    const compiled = compileTemplate(text, this.options);
    if (!compiled.ok) {
      this.problems.push({ ...compiled.failure, pointer: pointerOf(path) });
      return undefined;
    }
    const pointer = pointerOf(path);
    this.texts.push({ pointer, references: compiled.value.references });
    return { kind: 'template', template: compiled.value, pointer };
  }
}

class ValueEvaluation {
  readonly rendering = new Rendering();
  /** The first failure. */
  failure: Failure | undefined;

  constructor(private readonly scope: Scope) {}

  evaluate(node: ValueNode): Json {
    switch (node.kind) {
      case 'template':
        return this.#evaluateText(node.template, node.pointer);
      case 'list': {
        const list = [...node.list];
        for (const [index, member] of node.members) list[index] = this.evaluate(member);
        return list;
      }
      case 'object': {
        // A spread defines its keys, and assigning to an own key changes that key: `__proto__` is one like any other.
        const object: Record<string, Json> = { ...node.object };
        for (const [key, member] of node.members) object[key] = this.evaluate(member);
        return object;
      }
    }
  }

  #evaluateText(template: CompiledTemplate, pointer: string): Json {
    const result = renderTemplate(template, this.scope, this.rendering);
    if (result.ok) return result.value;
    const { failure } = result;
    this.failure ??= { ...failure, details: { ...failure.details, pointer } };
    return null;
  }
}
