/**
 * Steps that take their input from a template.
 *
 * Decided here: which variables a step must give, and a graph with its templates. Decided elsewhere: what a template is
 * (templates/domain), which version a step means (workflow.service.ts), rendering (runs/domain/evaluate.ts).
 */
import { expressionErrors } from '../../expressions/expression.errors.js';
import type { Issue } from '../../kernel/failure.js';
import { getOwn, isJsonObject } from '../../kernel/json.js';
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
 * @returns the same graph when no step has a template; every variable that a template needs and its step does not
 *   give, with pointers from the root of the definition
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
  const given = step.variables?.json;
  const missing = compiled.value.needed.filter(
    (name) => given === undefined || !isJsonObject(given) || getOwn(given, name) === undefined,
  );
  if (missing.length === 0) return ok({ ...step, template: { program: compiled.value, check } });
  return fail(
    missing.map((name) => ({
      pointer: `${pointer}/variables`,
      code: expressionErrors['template.variable-missing'].code,
      message: `the template "${pinned.name}" needs the variable "${name}"`,
    })),
  );
}
