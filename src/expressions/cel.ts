/**
 * Expressions: bare CEL, in the fields that decide or compute.
 *
 * Decided here: compiling and evaluating one expression. Decided elsewhere: numbers and functions
 * (cel-environment.ts), what may be read (cel-syntax.ts), what it may cost (cel-cost.ts), JSON in and out
 * (cel-value.ts).
 */
import { EvaluationError, ParseError, TypeError as CheckError, type ParseResult } from '@marcbachmann/cel-js';

import type { Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { estimateCost, MAX_COST } from './cel-cost.js';
import { CEL } from './cel-environment.js';
import { CelSyntax } from './cel-syntax.js';
import { clearFrame, frameOf, jsonOf, nameOf, withMaps, type Frame } from './cel-value.js';
import { evaluationFailed, invalid, positionOf, type ExpressionProblem } from './problem.js';
import { ReferenceCollector, type References, type Scope } from './references.js';

/** The longest expression, in UTF-16 units. */
const MAX_LENGTH = 16_384;

/** What the place of an expression allows. */
export interface CelOptions {
  /** The names that may be read. Absent: any name, none with a meaning of its own. */
  readonly roots?: ReadonlySet<string>;
  /** What the place needs; another type that is known in advance is refused. @default any */
  readonly result?: 'bool';
}

/** An expression that is ready to be evaluated. Immutable; any number of runs may share it. */
export interface CompiledCel {
  readonly text: string;
  readonly references: References;
  readonly program: ParseResult;
  /** Whether the cost is to be bounded before each evaluation. */
  readonly isCostly: boolean;
  /** Whether a missing value may be taken for an absent one. */
  readonly hasOptionals: boolean;
}

/**
 * Compiles an expression.
 *
 * Refused: bad syntax, types that cannot fit, unknown functions, `matches`, names that the place does not offer, a
 * step whose id is computed, loops nested deeper than 3, text longer than 16 Ki units.
 */
export function compileCel(text: string, options: CelOptions = {}): Result<CompiledCel, ExpressionProblem> {
  if (text.length > MAX_LENGTH) {
    return fail(invalid(`an expression has at most ${MAX_LENGTH} characters; this one has ${text.length}`));
  }
  try {
    return compile(text, options);
  } catch (error) {
    return fail(problemOf(text, error));
  }
}

/** Evaluates an expression. Whatever goes wrong, a missing key or a wrong type, is `expression.failed`. */
export function evaluateCel(cel: CompiledCel, scope: Scope): Result<Json> {
  const frame = frameOf(cel.references.roots, scope);
  try {
    checkCost(cel, scope);
    return ok(jsonOf(run(cel, frame)));
  } catch (error) {
    const { message, position } = describe(cel.text, error);
    if (position === undefined) return fail(evaluationFailed(message));
    const { line, column } = position;
    return fail(evaluationFailed(`${message} (line ${line}, column ${column})`, { line, column }));
  } finally {
    clearFrame(frame);
  }
}

/** Evaluates a condition. A result that is neither true nor false is `expression.failed`; nothing counts as false. */
export function evaluateCondition(cel: CompiledCel, scope: Scope): Result<boolean> {
  const result = evaluateCel(cel, scope);
  if (!result.ok) return result;
  if (typeof result.value === 'boolean') return ok(result.value);
  return fail(evaluationFailed(`a condition must be true or false; this one is ${nameOf(result.value)}`));
}

function compile(text: string, { roots, result }: CelOptions): Result<CompiledCel, ExpressionProblem> {
  const program = CEL.parse(text);
  const collector = new ReferenceCollector(roots);
  const syntax = new CelSyntax(collector);
  syntax.visit(program.ast);
  const [problem] = syntax.problems;
  if (problem !== undefined) return fail(problem);
  const check = program.check();
  if (!check.valid) return fail(problemOf(text, check.error));
  if (result === 'bool' && check.type !== 'bool' && check.type !== 'dyn') {
    return fail(invalid(`a condition must be true or false; this one is of type ${check.type ?? 'unknown'}`));
  }
  const { isCostly, hasOptionals } = syntax;
  return ok({ text, references: collector.references, program, isCostly, hasOptionals });
}

function checkCost(cel: CompiledCel, scope: Scope): void {
  if (!cel.isCostly) return;
  const cost = estimateCost(cel.program.ast, scope);
  if (cost <= MAX_COST) return;
  throw new RangeError(
    `too costly: about ${cost.toPrecision(2)} steps over values of this size, at most ${MAX_COST} are allowed`,
  );
}

/** Where an object has a key `constructor` the library fails, or with `.?` takes it for absent. */
function run(cel: CompiledCel, frame: Frame): unknown {
  const withoutConstructors = cel.hasOptionals ? withMaps(frame) : undefined;
  try {
    return cel.program(withoutConstructors ?? frame);
  } catch (error) {
    const again = withoutConstructors === undefined ? withMaps(frame) : undefined;
    if (again === undefined) throw error;
    return cel.program(again);
  }
}

function problemOf(text: string, error: unknown): ExpressionProblem {
  const { message, position } = describe(text, error);
  return invalid(message, position);
}

function describe(
  text: string,
  error: unknown,
): { message: string; position?: ReturnType<typeof positionOf> } {
  if (error instanceof ParseError || error instanceof CheckError || error instanceof EvaluationError) {
    const { summary: message, range } = error;
    return range === undefined ? { message } : { message, position: positionOf(text, range.start) };
  }
  if (error instanceof RangeError && error.message.includes('call stack'))
    return { message: 'nested too deeply' };
  return { message: error instanceof Error ? error.message : 'the expression cannot be evaluated' };
}
