/**
 * Rendering a compiled template with values.
 *
 * Decided here: defaults, what is missing, and that one answer names all of it. A value is put in once: braces in it
 * stay text. Decided elsewhere: compiling (parse.ts), values (variable.ts), writing a value as text (expressions/).
 */
import { renderTemplate } from '../../expressions/liquid.js';
import { Rendering } from '../../expressions/liquid-cost.js';
import { variablesMissing } from '../../expressions/problem.js';
import { failureOf, type Failure, type Issue } from '../../kernel/failure.js';
import { getOwn, pointerToken, setOwn, type Json, type JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isRequired, type CompiledPart, type CompiledText, type TemplateProgram } from './parse.js';
import type { ChatMessage } from './template.js';
import { templateErrors } from './template.errors.js';
import { messageIssues, valueIssues, type SchemaCheck } from './variable.js';

/** What comes out: the text, or the messages in order. */
export type RenderedText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'chat'; readonly messages: readonly ChatMessage[] };

/** A rendering, and which variables the template read. */
export type RenderedTemplate = RenderedText & {
  /** Variables that the template reads and that had a value, a default included. */
  readonly usedVariables: readonly string[];
  /** Variables that the template reads, that had no value and that it can do without. */
  readonly missingVariables: readonly string[];
};

/**
 * Renders a template.
 *
 * @param check what JSON Schemas of variables are checked with
 * @returns `template.variable-missing` naming every missing variable, else `template.variable-invalid` with every
 *   value that is not as declared, both with pointers from `/variables`; else `expression.failed` with the place of the
 *   text that could not be evaluated: `/content`, `/messages/1/content`
 */
export function renderProgram(
  program: TemplateProgram,
  variables: JsonObject,
  check: SchemaCheck,
): Result<RenderedTemplate> {
  const values = new Values(program, variables, check);
  const rendering = new Rendering();
  const rendered = renderParts(program, values.scope, rendering);
  const missing = [
    ...values.missing,
    ...[...rendering.missing].filter((path) => !values.missing.has(rootOf(path))),
  ];
  if (missing.length > 0) return fail(missingFailure(missing, values.issues));
  if (values.issues.length > 0) return fail(invalidFailure(values.issues));
  return rendered.ok ? ok({ ...rendered.value, ...usageOf(program, values.scope) }) : rendered;
}

/** The variables as the text sees them: what was given, then defaults, then null for what may be left out. */
class Values {
  readonly missing = new Set<string>();
  readonly issues: Issue[] = [];
  scope: JsonObject;
  #isOwn = false;

  constructor(program: TemplateProgram, variables: JsonObject, check: SchemaCheck) {
    this.scope = variables;
    for (const declaration of program.declarations) {
      const { name, default: fallback } = declaration;
      const value = getOwn(variables, name);
      if (value !== undefined && (value !== null || isRequired(declaration))) {
        const issues = valueIssues(declaration, value, check);
        if (issues.length > 0) this.issues.push(...issues);
      } else if (isRequired(declaration)) this.missing.add(name);
      else this.#set(name, fallback ?? null);
    }
  }

  #set(name: string, value: Json): void {
    if (!this.#isOwn) this.scope = { ...this.scope };
    this.#isOwn = true;
    setOwn(this.scope, name, value);
  }
}

function renderParts(
  { kind, parts }: TemplateProgram,
  scope: JsonObject,
  rendering: Rendering,
): Result<RenderedText> {
  const [first] = parts;
  if (kind === 'text' && first?.kind === 'text') {
    const text = renderText(first, scope, rendering);
    return text.ok ? ok({ kind: 'text', text: text.value }) : text;
  }
  const messages: ChatMessage[] = [];
  for (const part of parts) {
    const rendered = renderPart(part, scope, rendering);
    if (!rendered.ok) return rendered;
    messages.push(...rendered.value);
  }
  return ok({ kind: 'chat', messages });
}

function renderPart(
  part: CompiledPart,
  scope: JsonObject,
  rendering: Rendering,
): Result<readonly ChatMessage[]> {
  if (part.kind === 'placeholder') return placedMessages(part.name, scope, rendering);
  const text = renderText(part, scope, rendering);
  if (!text.ok) return text;
  return ok([{ role: part.kind === 'message' ? part.role : 'user', content: text.value }]);
}

/** The text of a part; a failure carries the place of the part in the content. */
function renderText(
  { text, pointer }: CompiledText,
  scope: JsonObject,
  rendering: Rendering,
): Result<string> {
  const rendered = renderTemplate(text, scope, rendering);
  if (rendered.ok) return ok(rendered.value as string);
  const { code, message } = rendered.failure;
  return fail({ ...rendered.failure, issues: [{ pointer, code, message }] });
}

function placedMessages(
  name: string,
  scope: JsonObject,
  rendering: Rendering,
): Result<readonly ChatMessage[]> {
  const value = getOwn(scope, name);
  if (value === undefined) rendering.missing.add(name);
  if (value === undefined || value === null) return ok([]);
  const issues = messageIssues(value).map((issue) => ({
    ...issue,
    pointer: pointerOfPath(name) + issue.pointer,
  }));
  if (issues.length > 0) return fail(invalidFailure(issues));
  const messages = value as unknown as readonly ChatMessage[];
  return ok(messages.map(({ role, content }) => ({ role, content })));
}

function usageOf(
  { names }: TemplateProgram,
  scope: JsonObject,
): Pick<RenderedTemplate, 'usedVariables' | 'missingVariables'> {
  const hasValue = (name: string): boolean => Object.hasOwn(scope, name) && scope[name] !== null;
  const used = names.filter(hasValue);
  const isAll = used.length === names.length;
  return { usedVariables: used, missingVariables: isAll ? [] : names.filter((name) => !hasValue(name)) };
}

/** `template.variable-missing` with an issue for each variable, and what else is wrong with the values. */
export function missingFailure(missing: readonly string[], others: readonly Issue[] = []): Failure {
  const failure = variablesMissing(missing);
  const issues = missing.map((path) => ({
    pointer: pointerOfPath(path),
    code: failure.code,
    message: `${path} has no value`,
  }));
  return { ...failure, issues: [...issues, ...others] };
}

function invalidFailure(issues: readonly Issue[]): Failure {
  const places = issues.map(({ pointer, message }) => `${pointer}: ${message}`);
  const message = `variables are not as declared: ${places.slice(0, 10).join('; ')}`;
  return failureOf(templateErrors['template.variable-invalid'], message, { issues });
}

/** `user` of `user.name`, `items` of `items[0].title`. */
function rootOf(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

/** The JSON Pointer of a path as it is written in a template, up to what is computed. */
function pointerOfPath(path: string): string {
  let pointer = `/variables/${pointerToken(rootOf(path))}`;
  const segment = /\.([\w-]+)|\[\s*(?:(\d+)|"([^"]*)"|'([^']*)')\s*\]/y;
  segment.lastIndex = rootOf(path).length;
  for (let found = segment.exec(path); found !== null; found = segment.exec(path)) {
    pointer += `/${pointerToken(found[1] ?? found[2] ?? found[3] ?? found[4] ?? '')}`;
  }
  return pointer;
}
