/**
 * Steps that take their input from a template.
 *
 * Decided here: a graph with its templates. Decided elsewhere: what a template is (templates/domain), which version a
 * step means (workflow.service.ts), which variables it must give (step-variables.ts), rendering
 * (runs/domain/evaluate.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { compilePinned, type PinnedTemplate } from '../../templates/domain/pinned.js';
import type { SchemaCheck } from '../../templates/domain/variable.js';
import type { CompiledStep, Graph } from './graph.js';

/** The templates of steps, by the id of the step. */
export interface StepTemplates {
  readonly [stepId: string]: PinnedTemplate;
}

/**
 * The graph with a compiled template on each step that has one.
 *
 * @param check what JSON Schemas of variables are checked with while the run executes
 * @returns the same graph when no step has a template; every template that does not compile any more, with pointers
 *   from the root of the definition
 */
export function withTemplates(
  graph: Graph,
  templates: StepTemplates,
  check: SchemaCheck,
): Result<Graph, readonly Issue[]> {
  if (Object.keys(templates).length === 0) return ok(graph);
  const results = graph.steps.map((step) => withTemplate(step, ownTemplate(templates, step.id), check));
  const issues = results.flatMap((result) => (result.ok ? [] : result.failure));
  if (issues.length > 0) return fail(issues);
  return ok({ ...graph, steps: results.flatMap((result) => (result.ok ? [result.value] : [])) });
}

function ownTemplate(templates: StepTemplates, stepId: string): PinnedTemplate | undefined {
  return Object.hasOwn(templates, stepId) ? templates[stepId] : undefined;
}

function withTemplate(
  step: CompiledStep,
  pinned: PinnedTemplate | undefined,
  check: SchemaCheck,
): Result<CompiledStep, readonly Issue[]> {
  if (pinned === undefined) return ok(step);
  const pointer = `/steps/${step.index}/template`;
  const compiled = compilePinned(pinned);
  if (!compiled.ok) {
    return fail(
      compiled.failure.map(({ code, message }) => ({ pointer, code, message: `${pinned.name}: ${message}` })),
    );
  }
  return ok({ ...step, template: { program: compiled.value, check } });
}
