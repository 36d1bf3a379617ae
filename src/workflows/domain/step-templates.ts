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
import { allSteps, mapSteps, type CompiledStep, type Graph } from './graph.js';
import type { AgentWork } from './kinds/agent.step.js';

/** The templates of steps, by the key of the step. */
export interface StepTemplates {
  readonly [key: string]: PinnedTemplate;
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
  const works = new Map<string, AgentWork>();
  const issues: Issue[] = [];
  for (const step of allSteps(graph)) {
    const pinned = ownTemplate(templates, step.key);
    if (step.work.kind !== 'agent' || pinned === undefined) continue;
    const result = withTemplate(step, step.work, { pinned, check });
    if (result.ok) works.set(step.key, result.value);
    else issues.push(...result.failure);
  }
  if (issues.length > 0) return fail(issues);
  return ok(mapSteps(graph, (step) => ({ ...step, work: works.get(step.key) ?? step.work })));
}

function ownTemplate(templates: StepTemplates, key: string): PinnedTemplate | undefined {
  return Object.hasOwn(templates, key) ? templates[key] : undefined;
}

function withTemplate(
  step: CompiledStep,
  work: AgentWork,
  { pinned, check }: { readonly pinned: PinnedTemplate; readonly check: SchemaCheck },
): Result<AgentWork, readonly Issue[]> {
  const pointer = `${step.pointer}/template`;
  const compiled = compilePinned(pinned);
  if (!compiled.ok) {
    return fail(
      compiled.failure.map(({ code, message }) => ({ pointer, code, message: `${pinned.name}: ${message}` })),
    );
  }
  return ok({ ...work, template: { program: compiled.value, check } });
}
