/**
 * Pinned templates: one version with everything that it includes, as one JSON document.
 *
 * Decided here: what whoever pins a template must keep to render it again without asking anybody. Decided elsewhere:
 * where it is kept (the manifest of a run).
 */
import { ok, type Result } from '../../kernel/result.js';
import { compileSource, type IncludedTemplate, type TemplateProblem, type TemplateProgram } from './parse.js';
import type { TemplateContent } from './template.js';

/** One version of a template, with its text and everything that it includes. */
export type PinnedTemplate = PinnedReference &
  TemplateContent & {
    /** By reference as the text writes it; absent when there are none. */
    readonly includes?: { readonly [reference: string]: IncludedTemplate };
  };

/** Which template it is. */
export interface PinnedReference {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  /** The label that led there; absent when a version was asked for. */
  readonly label?: string;
}

/** Compiles a pinned template. It was compiled when it was pinned: problems mean that the language has changed. */
export function compilePinned(pinned: PinnedTemplate): Result<TemplateProgram, readonly TemplateProblem[]> {
  const known = programs.get(pinned);
  if (known !== undefined) return ok(known);
  const { name, includes = {} } = pinned;
  return compileSource({ name, content: pinned, includes });
}

/** Notes the program of a template that was compiled already. */
export function pinWith(pinned: PinnedTemplate, program: TemplateProgram): PinnedTemplate {
  programs.set(pinned, program);
  return pinned;
}

/** Which template a pinned one is, without its text. */
export function referenceOf({ id, name, version, label }: PinnedReference): PinnedReference {
  return { id, name, version, ...(label !== undefined && { label }) };
}

const programs = new WeakMap<PinnedTemplate, TemplateProgram>();
