/**
 * Compiling a template: its text or messages with everything that they include, and what they read.
 *
 * Decided here: every problem of a template when it is saved, and which variables it has. Decided elsewhere: the
 * language (expressions/liquid.ts), values (variable.ts), rendering (render.ts), whether a schema holds (the service).
 */
import { compileTemplate, type CompiledTemplate, type CompileOptions } from '../../expressions/liquid.js';
import { describeProblem, type ExpressionProblem } from '../../expressions/problem.js';
import type { Issue } from '../../kernel/failure.js';
import { getOwn, setOwn } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import {
  isPlaceholder,
  parseReference,
  type ChatRole,
  type TemplateContent,
  type VariableDeclaration,
} from './template.js';
import type { templateErrors } from './template.errors.js';
import { typeIssues } from './variable.js';

/** The largest content in bytes, all messages together. */
export const MAX_CONTENT_BYTES = 262_144;

/** A text template that another one includes, pinned to a version. */
export interface IncludedTemplate {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly content: string;
  readonly variables: readonly VariableDeclaration[];
}

/** A template and everything that it includes, by reference as it is written. */
export interface SourcedTemplate {
  /** Absent for a template that is not stored. */
  readonly name?: string;
  readonly content: TemplateContent;
  readonly includes: { readonly [reference: string]: IncludedTemplate };
}

/** One text of a compiled template, with the JSON Pointer of its place in the content. */
export interface CompiledText {
  readonly pointer: string;
  readonly text: CompiledTemplate;
}

/** One part of a compiled template. */
export type CompiledPart =
  | (CompiledText & { readonly kind: 'text' })
  | (CompiledText & { readonly kind: 'message'; readonly role: ChatRole })
  | { readonly kind: 'placeholder'; readonly name: string };

/** A template that is ready to be rendered. Immutable; any number of renderings may share it. */
export interface TemplateProgram {
  readonly kind: TemplateContent['kind'];
  /** One for a text. */
  readonly parts: readonly CompiledPart[];
  /** Declared here, and by included templates where their variables are not given to them. */
  readonly declarations: readonly VariableDeclaration[];
  /** Every variable that is read, in the order of first use. */
  readonly names: readonly string[];
  /** Those of them that nobody declared. */
  readonly undeclared: readonly string[];
  /** Those without which it cannot be rendered in any case: required ones, and undeclared ones without a default. */
  readonly needed: readonly string[];
}

/** One problem, with its place in the text where it has one. */
export interface TemplateProblem extends Issue {
  readonly line?: number;
  readonly column?: number;
  readonly offset?: number;
}

type ProblemCode = keyof typeof templateErrors | ExpressionProblem['code'];

/** Bytes of the UTF-8 form of a content, all messages together. */
export function contentBytesOf(content: TemplateContent): number {
  const encoder = new TextEncoder();
  return textsOf(content).reduce((sum, text) => sum + encoder.encode(text).length, 0);
}

function textsOf(content: TemplateContent): readonly string[] {
  if (content.kind === 'text') return [content.content];
  return content.messages.flatMap((message) => (isPlaceholder(message) ? [] : [message.content]));
}

/**
 * Compiles a template.
 *
 * @returns every problem, with JSON Pointers from the root of the content
 */
export function compileSource(source: SourcedTemplate): Result<TemplateProgram, readonly TemplateProblem[]> {
  const compiler = new SourceCompiler(source);
  const parts = compiler.compile();
  return compiler.problems.length > 0 ? fail(compiler.problems) : ok(programOf(source, parts));
}

/**
 * The references of the includes in a content that `known` does not have yet, in the order of first use.
 * Problems of the content are not told here.
 */
export function missingIncludes({ name, content, includes }: SourcedTemplate): readonly string[] {
  const missing = new Set<string>();
  const lookup = (reference: string): string => {
    if (Object.hasOwn(includes, reference)) return includes[reference]?.content ?? '';
    missing.add(reference);
    return '';
  };
  for (const text of textsOf(content).filter(mayInclude))
    compileTemplate(text, { ...(name !== undefined && { name }), lookup });
  return [...missing];
}

/** The names of the templates that a content includes itself, each once. */
export function includesOf(content: TemplateContent): readonly string[] {
  const references = missingIncludes({ content, includes: {} });
  return [...new Set(references.flatMap((reference) => parseReference(reference)?.name ?? []))];
}

/** False only for a text that surely includes nothing; spares compiling it twice. */
function mayInclude(text: string): boolean {
  return text.includes('render') || text.includes('include');
}

class SourceCompiler {
  readonly problems: TemplateProblem[] = [];
  readonly #options: CompileOptions;

  constructor(private readonly source: SourcedTemplate) {
    const { name, includes } = source;
    const lookup = (reference: string): string | undefined =>
      Object.hasOwn(includes, reference) ? includes[reference]?.content : undefined;
    this.#options = { ...(name !== undefined && { name }), lookup, asText: true };
  }

  compile(): readonly CompiledPart[] {
    const { content } = this.source;
    this.#checkDeclarations(content.variables);
    if (content.kind === 'text')
      return this.#compileText(content.content, '/content').map((text) => ({ kind: 'text', ...text }));
    return content.messages.flatMap((message, index): readonly CompiledPart[] => {
      if (isPlaceholder(message)) return [{ kind: 'placeholder', name: message.placeholder }];
      const texts = this.#compileText(message.content, `/messages/${index}/content`);
      return texts.map((text) => ({ kind: 'message', role: message.role, ...text }));
    });
  }

  /** None when it has a problem, which is noted. */
  #compileText(text: string, pointer: string): readonly CompiledText[] {
    const result = compileTemplate(text, this.#options);
    if (result.ok) return [{ pointer, text: result.value }];
    const { code, line, column, offset } = result.failure;
    const place =
      line === undefined || column === undefined || offset === undefined ? {} : { line, column, offset };
    this.#add(pointer, code, describeProblem(result.failure), place);
    return [];
  }

  #checkDeclarations(variables: readonly VariableDeclaration[]): void {
    const seen = new Set<string>();
    for (const [index, { name, type, required, default: fallback }] of variables.entries()) {
      const pointer = `/variables/${index}`;
      if (seen.has(name)) this.#add(`${pointer}/name`, 'template.invalid', `"${name}" is declared already`);
      seen.add(name);
      if (required === true && fallback !== undefined) {
        this.#add(`${pointer}/required`, 'template.invalid', 'a variable with a default is not required');
      }
      for (const issue of fallback === undefined ? [] : typeIssues(type, fallback)) {
        this.#add(`${pointer}/default${issue.pointer}`, 'template.variable-invalid', issue.message);
      }
    }
  }

  #add(pointer: string, code: ProblemCode, message: string, place: object = {}): void {
    this.problems.push({ pointer, code, message, ...place });
  }
}

function programOf({ content, includes }: SourcedTemplate, parts: readonly CompiledPart[]): TemplateProgram {
  const names = new Set<string>();
  const strict = new Set<string>();
  for (const part of parts) {
    const isText = part.kind !== 'placeholder';
    for (const root of isText ? part.text.references.roots : [part.name]) names.add(root);
    for (const root of isText ? part.text.required : [part.name]) strict.add(root);
  }
  const declarations = declarationsOf(content, includes, names);
  const declared = new Set(declarations.map(({ name }) => name));
  const undeclared = [...names].filter((name) => !declared.has(name));
  const required = declarations.filter(isRequired).map(({ name }) => name);
  const needed = [...required, ...undeclared.filter((name) => strict.has(name))];
  return { kind: content.kind, parts, declarations, names: [...names], undeclared, needed };
}

/** True when a value must be given. */
export function isRequired({ required, default: fallback }: VariableDeclaration): boolean {
  return required ?? fallback === undefined;
}

/** A template's own declarations win over those of what it includes. */
function declarationsOf(
  { variables }: TemplateContent,
  includes: SourcedTemplate['includes'],
  names: ReadonlySet<string>,
): readonly VariableDeclaration[] {
  const byName = {};
  const included = Object.values(includes).flatMap((include) => include.variables);
  for (const declaration of [...variables, ...included.filter(({ name }) => names.has(name))]) {
    if (getOwn(byName, declaration.name) === undefined) setOwn(byName, declaration.name, declaration);
  }
  return Object.values(byName);
}
