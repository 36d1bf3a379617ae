/**
 * What a parsed template reads, and how it reads it.
 *
 * Every variable and every range of a template is found here, wherever it stands: in outputs, arguments of filters,
 * loops, conditions, indexes. Each is replaced in place by a reading of our own, which looks at own keys only, notes
 * what is missing instead of stopping at the first, and bounds ranges. Decided elsewhere: which names may be read
 * (references.ts).
 */
import {
  evalTokenValue,
  Output,
  TokenKind,
  toValueSync,
  TypeGuards,
  Value,
  type Context,
  type Liquid,
  type PropertyAccessToken,
  type RangeToken,
  type Tag,
  type Template,
  type Token,
} from 'liquidjs';

import { countWhole } from './liquid-cost.js';
import { IncludeTag, TemplateContext } from './liquid-engine.js';
import type { ExpressionProblem } from './problem.js';
import type { ReferenceCollector, Segment } from './references.js';

/** How deep tags may nest. */
const MAX_DEPTH = 32;
/** The largest bound of a range, on either side of zero; how many members it has is bounded by the memory limit. */
const MAX_RANGE_BOUND = 1_000_000_000;

/** What stands in a token's place when it is evaluated; `lenient` in a condition and before `default`. */
interface Reading {
  evaluate(context: Context, lenient: boolean): unknown;
}

/** A name or index of a path; a token where it is computed. */
type Key = string | number | Token;

/** Finds and replaces what one template reads. Use once. */
export class TemplateSyntax {
  /** What is wrong, in the order of the text. */
  readonly problems: ExpressionProblem[] = [];
  /** Roots that are read in any case, and have no default. */
  readonly required = new Set<string>();
  /** Every name that the template gives a value to, anywhere. */
  readonly #locals = new Set<string>();
  /** Names that it has given a value to before the place that is visited. */
  readonly #assigned = new Set<string>();
  /** Names of the loops around the place, innermost last. */
  readonly #loops: (readonly string[])[] = [];
  /** Name of the included template that is being visited. */
  #file: string | undefined;
  /** How many conditions and loops are around the place. */
  #branches = 0;
  /** Whether what is visited must have a value. */
  #isStrict = false;

  constructor(
    private readonly liquid: Liquid,
    private readonly references: ReferenceCollector,
  ) {}

  /** Finds and replaces what the templates read. */
  visit(templates: readonly Template[]): void {
    for (const template of templates) this.#visitTemplate(template);
  }

  #visitTemplate(template: Template): void {
    this.#file = template.token.file;
    for (const argument of template.arguments?.() ?? []) {
      this.#isStrict = this.#branches === 0 && needsValue(template, argument);
      if (argument instanceof Value) this.#visitExpression(argument.initial.postfix, argument.filters);
      else this.#visitToken(argument);
    }
    this.#isStrict = false;
    const isBranch = template.children !== undefined && !isAlways(template);
    this.#branches += isBranch ? 1 : 0;
    this.#visitChildren(template);
    this.#branches -= isBranch ? 1 : 0;
    for (const name of template.localScope?.() ?? []) {
      this.#declare(name.content, name);
      this.#assigned.add(name.content);
    }
  }

  #visitChildren(template: Template): void {
    if (template.children === undefined) return;
    const names = [...(template.blockScope?.() ?? [])];
    for (const name of names) this.#declare(name, template.token);
    if (this.#loops.length >= MAX_DEPTH) {
      this.#refuse(template.token, `tags nest deeper than ${MAX_DEPTH}`);
      return;
    }
    this.#loops.push(names);
    this.visit(toValueSync<Template[]>(template.children(false, true)));
    this.#loops.pop();
    this.#file = template.token.file;
  }

  #declare(name: string, token: Token): void {
    this.#locals.add(name);
    if (this.references.isReserved(name))
      this.#refuse(token, `"${name}" has a meaning here; take another name`);
  }

  #refuse(token: Token, message: string, code: ExpressionProblem['code'] = 'expression.invalid'): void {
    const [line = 1, column = 1] = token.getPosition();
    const where = this.#file === undefined ? '' : `in "${this.#file}": `;
    this.problems.push({ code, message: where + message, offset: token.begin, line, column });
  }

  #visitExpression(postfix: readonly Token[], filters: readonly Call[]): void {
    const [first] = postfix;
    if (first !== undefined && !isComplete(postfix)) {
      this.#refuse(first, 'an operator or a filter is missing between two values');
    }
    for (const token of postfix) this.#visitToken(token);
    for (const argument of filters.flatMap((filter) => filter.args)) {
      const token = isPair(argument) ? argument[1] : argument;
      if (token !== undefined) this.#visitToken(token);
    }
  }

  #visitToken(token: Token): void {
    if (TypeGuards.isPropertyAccessToken(token)) this.#visitPath(token);
    else if (TypeGuards.isRangeToken(token)) this.#visitRange(token);
    else if (TypeGuards.isFilteredValueToken(token)) {
      for (const { name } of token.filters) {
        if (!(name in this.liquid.filters)) this.#refuse(token, `undefined filter: ${name}`);
      }
      this.#visitExpression(token.initial.postfix, token.filters);
    }
  }

  #visitRange(token: RangeToken): void {
    this.#visitToken(token.lhs);
    this.#visitToken(token.rhs);
    replace(token, new RangeReading(token.lhs, token.rhs));
  }

  #visitPath(token: PropertyAccessToken): void {
    const { variable: start } = token;
    if (token.getText().endsWith('.')) this.#refuse(token, 'a name is missing after the dot');
    const keys = token.props.map(keyOf);
    for (const key of [start, ...keys]) if (typeof key === 'object') this.#visitToken(key);
    if (start !== undefined) {
      replace(token, new ValueReading(token.getText(), start, keys));
      return;
    }
    const [root] = keys;
    const isLocal = typeof root === 'string' && this.#isLocal(root);
    if (!isLocal) this.#refer(token, keys);
    replace(token, new PathReading(token.getText(), keys, this.#locals));
  }

  #refer(token: Token, keys: readonly Key[]): void {
    const path: Segment[] = keys.map((key) => (typeof key === 'object' ? undefined : key));
    if (this.#isStrict && typeof path[0] === 'string') this.required.add(path[0]);
    const problem = this.references.add(path);
    if (problem !== undefined) this.#refuse(token, problem.message, problem.code);
  }

  #isLocal(name: string): boolean {
    return this.#assigned.has(name) || this.#loops.some((names) => names.includes(name));
  }
}

/** Reads a path that starts at a name: `input.user.name`, `item["a b"]`, `input.list[index]`. */
class PathReading implements Reading {
  readonly #root: string;
  readonly #keys: readonly Key[];

  /** @param locals names that may have a value of the template's own */
  constructor(
    private readonly text: string,
    [root, ...keys]: readonly Key[],
    private readonly locals: ReadonlySet<string>,
  ) {
    this.#root = typeof root === 'string' ? root : '';
    this.#keys = keys;
  }

  evaluate(context: Context, lenient: boolean): unknown {
    const value = follow(context, this.#start(context), this.#keys);
    return value === undefined ? miss(context, this.text, lenient) : value;
  }

  #start(context: Context): unknown {
    const { environments } = context;
    if (!this.locals.has(this.#root)) {
      return Object.hasOwn(environments, this.#root) ? (environments[this.#root] as unknown) : undefined;
    }
    try {
      return toValueSync(context._get([this.#root]));
    } catch (error) {
      if (error instanceof Error && error.name === 'InternalUndefinedVariableError') return undefined;
      throw error;
    }
  }
}

/** Reads a path that starts at a value: `"text".size`, `(1..3).last`. */
class ValueReading implements Reading {
  constructor(
    private readonly text: string,
    private readonly start: Token,
    private readonly keys: readonly Key[],
  ) {}

  evaluate(context: Context, lenient: boolean): unknown {
    const start: unknown = toValueSync(evalTokenValue(this.start, context, lenient));
    const value = follow(context, start, this.keys);
    return value === undefined ? miss(context, this.text, lenient) : value;
  }
}

/** Makes the list of a range, both bounds included. The library's own never ends beyond 2^53. */
class RangeReading implements Reading {
  constructor(
    private readonly low: Token,
    private readonly high: Token,
  ) {}

  evaluate(context: Context): number[] {
    const low = boundOf(context, this.low);
    const length = Math.max(0, boundOf(context, this.high) - low + 1);
    context.memoryLimit.use(length);
    return Array.from({ length }, (_, index) => low + index);
  }
}

/** A filter with its arguments; a named argument is a pair. */
interface Call {
  readonly args: readonly (Token | Pair)[];
}

type Pair = readonly [string?, Token?];

/** True when a token of a visited template is a path and nothing else, so that its value is the scope's own. */
export function isPath(token: Token | undefined): boolean {
  return TypeGuards.isFilteredValueToken(token) && (token.initial as unknown) instanceof PathReading;
}

function follow(context: Context, start: unknown, keys: readonly Key[]): unknown {
  let value = start;
  for (const key of keys) {
    if (value === undefined) return undefined;
    if (key === 'size') countWhole(context, value);
    value = context.readProperty(value as object, evaluateKey(context, key)) as unknown;
  }
  return value;
}

function evaluateKey(context: Context, key: Key): string | number {
  return typeof key === 'object' ? (toValueSync(evalTokenValue(key, context)) as string | number) : key;
}

function miss(context: Context, text: string, lenient: boolean): null {
  if (!lenient && context instanceof TemplateContext) context.rendering.missing.add(text);
  return null;
}

function boundOf(context: Context, token: Token): number {
  const value: unknown = toValueSync(evalTokenValue(token, context));
  const bound = Number(value);
  if (Number.isInteger(bound) && Math.abs(bound) <= MAX_RANGE_BOUND) return bound;
  throw new RangeError(`a bound of a range is a whole number up to ${MAX_RANGE_BOUND}; this one is not`);
}

/** The key that a part of a path is, or its token where it is computed. */
function keyOf(token: Token): Key {
  const isWritten =
    TypeGuards.isQuotedToken(token) || TypeGuards.isNumberToken(token) || TypeGuards.isWordToken(token);
  return isWritten ? token.content : token;
}

/** True when the tokens of an expression, operators after their operands, come to exactly one value. */
function isComplete(postfix: readonly Token[]): boolean {
  let values = 0;
  for (const token of postfix) {
    if (!TypeGuards.isOperatorToken(token)) values += 1;
    else if (token.operator !== 'not') values -= 1;
    if (values < 1) return false;
  }
  return values === 1;
}

function isPair(argument: Token | Pair): argument is Pair {
  return Array.isArray(argument);
}

/** True when an argument must have a value: what is written out or assigned, without a default. */
function needsValue(template: Template, argument: unknown): boolean {
  const isRead = template instanceof Output || ['assign', 'echo'].includes((template as Tag).name);
  return isRead && argument instanceof Value && argument.filters[0]?.name !== 'default';
}

/** True for a tag whose contents are rendered once and in any case. */
function isAlways(template: Template): boolean {
  return template instanceof IncludeTag || (template as Tag).name === 'capture';
}

/** Puts a reading in a token's place. The library evaluates it as it does an expression in parentheses. */
function replace(token: Token, reading: Reading): void {
  Object.assign(token, { kind: TokenKind.FilteredValue, initial: reading, filters: [] });
}
