/**
 * Templates: text with `{{ … }}` and `{% … %}` in Liquid.
 *
 * Decided here: compiling and evaluating one text. Every error is found when it is compiled, except a value that is
 * missing or of the wrong kind. Decided elsewhere: tags and limits (liquid-engine.ts), filters (liquid-filters.ts),
 * what may be read (liquid-syntax.ts), how values are written (liquid-output.ts).
 */
import { LiquidError, Output, toValueSync, type Template, type Token } from 'liquidjs';

import type { Failure } from '../kernel/failure.js';
import type { Json } from '../kernel/json.js';
import { fail, ok, type Result } from '../kernel/result.js';
import { Rendering } from './liquid-cost.js';
import { ENGINE, parseTemplate, TemplateContext, type TemplateLookup } from './liquid-engine.js';
import { jsonOf, TextEmitter } from './liquid-output.js';
import { isPath, TemplateSyntax } from './liquid-syntax.js';
import {
  evaluationFailed,
  invalid,
  positionOf,
  variablesMissing,
  type ExpressionProblem,
} from './problem.js';
import { NO_REFERENCES, ReferenceCollector, type References, type Scope } from './references.js';

/** What the place of a text allows. */
export interface CompileOptions {
  /** The names that may be read. Absent: any name, none with a meaning of its own. */
  readonly roots?: ReadonlySet<string>;
  /** Finds what `{% render "name@label" %}` names. Absent: includes are refused. */
  readonly lookup?: TemplateLookup;
  /** The name of the text itself, which it must not include. */
  readonly name?: string;
  /** When true the value is text always. @default false a lone `{{ … }}` keeps its type */
  readonly asText?: true;
}

/** A template that is ready to be evaluated. Immutable; any number of runs may share it. */
export interface CompiledTemplate {
  readonly text: string;
  readonly references: References;
  /** Roots without which it has no value, whatever its conditions say. Not all: a branch may need more. */
  readonly required: ReadonlySet<string>;
  /** Absent when the text has no braces: it is its own value. */
  readonly program?: TemplateProgram;
}

const NO_NAMES: ReadonlySet<string> = new Set();

interface TemplateProgram {
  readonly templates: Template[];
  /** The only output, when the text is exactly one `{{ … }}`: its value keeps its type. */
  readonly lone?: Output;
}

/**
 * Compiles a template.
 *
 * Refused: bad syntax, unknown tags and filters, names that the place does not offer, variables of the template that
 * would hide one of them, a step whose id is computed, text longer than 256 Ki units.
 */
export function compileTemplate(
  text: string,
  options: CompileOptions = {},
): Result<CompiledTemplate, ExpressionProblem> {
  if (!isTemplate(text)) return ok({ text, references: NO_REFERENCES, required: NO_NAMES });
  try {
    return compile(text, options);
  } catch (error) {
    return fail(syntaxProblem(text, error));
  }
}

/** True when a text has braces that mean something; other text is its own value. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/**
 * Evaluates a template.
 *
 * Text that is exactly one `{{ … }}` gives the value as it is, an object of the scope by reference; any other gives
 * text, with objects and lists as JSON, null as nothing. Values are put in once: braces in them stay text.
 *
 * @returns `template.variable-missing` with every missing variable, else `expression.failed`
 */
export function evaluateTemplate(template: CompiledTemplate, scope: Scope): Result<Json> {
  const rendering = new Rendering();
  const result = renderTemplate(template, scope, rendering);
  return rendering.missing.size > 0 ? fail(variablesMissing(rendering.missing)) : result;
}

/**
 * Evaluates one of several templates that share what they may spend, for one answer that names all that is missing.
 *
 * @param rendering takes what is missing; when that has grown, the result means nothing
 */
export function renderTemplate(template: CompiledTemplate, scope: Scope, rendering: Rendering): Result<Json> {
  const { program } = template;
  if (program === undefined) return ok(template.text);
  try {
    return ok(run(program, new TemplateContext(scope, rendering)));
  } catch (error) {
    return fail(evaluationFailure(template, error));
  }
}

function compile(
  text: string,
  { roots, lookup, name, asText }: CompileOptions,
): Result<CompiledTemplate, ExpressionProblem> {
  const templates = parseTemplate(text, lookup, name);
  const collector = new ReferenceCollector(roots);
  const syntax = new TemplateSyntax(ENGINE, collector);
  syntax.visit(templates);
  const [problem] = syntax.problems;
  if (problem !== undefined) return fail(problem);
  const [only, another] = templates;
  const isLone = only instanceof Output && another === undefined && asText !== true;
  const program = { templates, ...(isLone && { lone: only }) };
  return ok({ text, references: collector.references, required: syntax.required, program });
}

function run({ templates, lone }: TemplateProgram, context: TemplateContext): Json {
  if (lone === undefined) {
    const emitter = new TextEmitter(context.memoryLimit);
    toValueSync(ENGINE.renderer.renderTemplates(templates, context, emitter));
    return emitter.buffer;
  }
  const value: unknown = toValueSync(lone.value.value(context, false));
  const { filters, initial } = lone.value;
  const isScopes = filters.length === 0 && initial.postfix.length === 1 && isPath(initial.postfix[0]);
  return isScopes ? (value as Json) : jsonOf(value);
}

function syntaxProblem(text: string, error: unknown): ExpressionProblem {
  if (!LiquidError.is(error)) return invalid(reasonOf(error));
  const { token } = error;
  return invalid(
    `${fileOf(token)}${reasonOf(error)}`,
    positionOf(token.file === undefined ? text : token.input, token.begin),
  );
}

function evaluationFailure({ text, program }: CompiledTemplate, error: unknown): Failure {
  const token = LiquidError.is(error) ? error.token : program?.lone?.token;
  const { line, column } = positionOf(token?.input ?? text, token?.begin ?? 0);
  const place = `(line ${line}, column ${column})`;
  return evaluationFailed(`${fileOf(token)}${reasonOf(error)} ${place}`, { line, column });
}

/** Which included text a token stands in; empty for the text itself. */
function fileOf(token: Token | undefined): string {
  return token?.file === undefined ? '' : `in "${token.file}": `;
}

/** What went wrong, without the position that the library adds to it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the template cannot be evaluated';
  if (LiquidError.is(error) && error.originalError !== undefined) return reasonOf(error.originalError);
  if (error instanceof RangeError && error.message.includes('call stack')) return 'nested too deeply';
  return error.message.replace(/(, file:.*)?, line:\d+, col:\d+$/, '');
}
