import { Injectable } from '@nestjs/common';

import { AppError, type Issue } from '../kernel/failure.js';
import type { Result } from '../kernel/result.js';
import { JsonSchemaService } from '../platform/json-schema/json-schema.service.js';
import {
  compileSource,
  contentBytesOf,
  MAX_CONTENT_BYTES,
  missingIncludes,
  type IncludedTemplate,
  type SourcedTemplate,
  type TemplateProblem,
  type TemplateProgram,
} from './domain/parse.js';
import { templateErrors } from './domain/template.errors.js';
import { parseReference, selectVersion, type TemplateContent } from './domain/template.js';
import { TemplateSource, type FoundTemplate } from './template-source.js';

/** How many compiled versions are kept. */
const MAX_COMPILED = 500;

/** How many references one template may have to others, theirs included: all are loaded to compile it. */
const MAX_INCLUDES = 100;

/** A version, compiled, and the includes that it was compiled with. */
interface Compiled {
  readonly source: SourcedTemplate;
  readonly program: TemplateProgram;
}

/** Compiles templates with what they include, each version once. */
@Injectable()
export class TemplateCompiler {
  /** Compiled versions by namespace, id and number, most recently used last. */
  private readonly compiled = new Map<string, Compiled>();

  constructor(
    private readonly source: TemplateSource,
    private readonly schemas: JsonSchemaService,
  ) {}

  /**
   * Compiles a content that is to be saved or rendered once.
   *
   * @param name of the template that the content belongs to, which it must not include
   * @throws AppError `template.too-large`, `template.invalid` with every problem
   */
  async compile(namespace: string, content: TemplateContent, name?: string): Promise<TemplateProgram> {
    requireSize(content);
    const source = await this.withIncludes(namespace, content, name);
    return this.programOf(compileSource(source), this.schemaIssues(content));
  }

  /**
   * A stored version, compiled: from before, where all that it includes still means the same versions.
   *
   * @throws AppError `template.invalid` when something that it includes was deleted or has changed for the worse
   */
  async stored(namespace: string, { head, version, content }: FoundTemplate): Promise<Compiled> {
    const key = `${namespace}\n${head.id}\n${String(version)}`;
    const known = this.compiled.get(key);
    if (known !== undefined && (await this.isCurrent(namespace, known.source))) return this.keep(key, known);
    const source = await this.withIncludes(namespace, content.body, head.name);
    return this.keep(key, { source, program: this.programOf(compileSource(source)) });
  }

  private keep(key: string, compiled: Compiled): Compiled {
    this.compiled.delete(key);
    this.compiled.set(key, compiled);
    if (this.compiled.size > MAX_COMPILED) this.compiled.delete(this.compiled.keys().next().value ?? '');
    return compiled;
  }

  private async isCurrent(namespace: string, { includes }: SourcedTemplate): Promise<boolean> {
    for (const [reference, { id, version }] of Object.entries(includes)) {
      const found = await this.findInclude(namespace, reference);
      if (found?.id !== id || found.version !== version) return false;
    }
    return true;
  }

  /** Loads what a content includes, level after level, until nothing more is found. */
  private async withIncludes(
    namespace: string,
    content: TemplateContent,
    name?: string,
  ): Promise<SourcedTemplate> {
    let source: SourcedTemplate = { content, includes: {}, ...(name !== undefined && { name }) };
    const asked = new Set<string>();
    for (;;) {
      const wanted = missingIncludes(source).filter((reference) => !asked.has(reference));
      if (wanted.length === 0) return source;
      requireFew(asked.size + wanted.length, content);
      const found: [string, IncludedTemplate][] = [];
      for (const reference of wanted) {
        asked.add(reference);
        const included = await this.loadInclude(namespace, reference);
        if (included !== undefined) found.push([reference, included]);
      }
      source = { ...source, includes: { ...source.includes, ...Object.fromEntries(found) } };
    }
  }

  private async loadInclude(namespace: string, reference: string): Promise<IncludedTemplate | undefined> {
    const found = await this.findInclude(namespace, reference);
    if (found === undefined) return undefined;
    const { body } = await this.source.version(namespace, found.head, found.version);
    if (body.kind !== 'text') return undefined;
    const { id, name, version } = found;
    return { id, name, version, content: body.content, variables: body.variables };
  }

  /** The version that a reference means now; undefined when there is none. */
  private async findInclude(
    namespace: string,
    reference: string,
  ): Promise<(Pick<IncludedTemplate, 'id' | 'name' | 'version'> & Pick<FoundTemplate, 'head'>) | undefined> {
    const parsed = parseReference(reference);
    const head = parsed && (await this.source.find(namespace, parsed.name));
    if (parsed === undefined || head === undefined) return undefined;
    const selected = selectVersion(head, parsed);
    return selected.ok ? { id: head.id, name: head.name, version: selected.value.version, head } : undefined;
  }

  private schemaIssues({ variables }: TemplateContent): readonly Issue[] {
    return variables.flatMap(({ schema, default: fallback }, index) => {
      if (schema === undefined) return [];
      const pointer = `/variables/${String(index)}`;
      const problems = this.schemas.problems(schema);
      if (problems.length > 0) {
        return problems.map((message) => ({ pointer: `${pointer}/schema`, code: 'schema.invalid', message }));
      }
      const wrong = fallback === undefined ? [] : this.schemas.validate(schema, fallback);
      return wrong.map((issue) => ({ ...issue, pointer: `${pointer}/default${issue.pointer}` }));
    });
  }

  private programOf(
    compiled: Result<TemplateProgram, readonly TemplateProblem[]>,
    others: readonly Issue[] = [],
  ): TemplateProgram {
    const problems = [...(compiled.ok ? [] : compiled.failure), ...others];
    if (compiled.ok && problems.length === 0) return compiled.value;
    throw templateInvalid(problems);
  }
}

/** `template.invalid`; `details` hold the place of the first problem that has one. */
export function templateInvalid(problems: readonly TemplateProblem[]): AppError {
  const issues = problems.map(({ pointer, code, message }) => ({ pointer, code, message }));
  const count = problems.length === 1 ? '1 problem' : `${String(problems.length)} problems`;
  const { line, column, offset } = problems.find((problem) => problem.line !== undefined) ?? {};
  const place =
    line === undefined || column === undefined || offset === undefined ? {} : { line, column, offset };
  return AppError.of(
    templateErrors['template.invalid'],
    `the template has ${count}: ${issues[0]?.message ?? ''}`,
    { issues, ...(line !== undefined && { details: place }) },
  );
}

function requireSize(content: TemplateContent): void {
  const bytes = contentBytesOf(content);
  if (bytes <= MAX_CONTENT_BYTES) return;
  const message = `a template has at most ${String(MAX_CONTENT_BYTES)} bytes, this one has ${String(bytes)}`;
  const type = templateErrors['template.too-large'];
  throw AppError.of(type, message, { issues: [{ pointer: pointerOf(content), code: type.code, message }] });
}

function requireFew(includes: number, content: TemplateContent): void {
  if (includes <= MAX_INCLUDES) return;
  const message = `a template includes at most ${String(MAX_INCLUDES)} others, this one ${String(includes)} or more`;
  const { code } = templateErrors['template.invalid'];
  throw templateInvalid([{ pointer: pointerOf(content), code, message }]);
}

/** The place of all that a content says. */
function pointerOf({ kind }: TemplateContent): string {
  return kind === 'text' ? '/content' : '/messages';
}
