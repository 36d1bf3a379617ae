/**
 * Workflows that the steps of a definition run.
 *
 * Decided here: what is kept of a version that is run, so that nothing of it is looked up later; a graph that checks
 * the inputs of such steps. Decided elsewhere: which version a reference means
 * (nested-workflows.ts), how deep runs may nest (runs/domain/sub-run.ts).
 */
import type { PinnedAgent } from '../../agents/domain/agent.js';
import type { SchemaCheck } from '../../templates/domain/variable.js';
import type { WorkflowDefinition } from './definition.schema.js';
import { mapSteps, type Graph } from './graph.js';
import type { StepTemplates } from './step-templates.js';
import type { WorkflowPin } from './workflow.js';

/** The versions that references of steps mean, by reference: `greeting@production`. */
export interface WorkflowPins {
  readonly [reference: string]: WorkflowPin;
}

/** One version of a workflow with everything that it refers to, as it was when it was resolved. */
export interface PinnedWorkflow extends WorkflowPin {
  readonly definition: WorkflowDefinition;
  /** By reference, as its steps write it. */
  readonly agents: { readonly [reference: string]: PinnedAgent };
  /** By the key of the step. */
  readonly templates: StepTemplates;
  readonly workflows: WorkflowPins;
}

/** Every version that a definition runs, itself or by another one, by `keyOf`. */
export interface PinnedWorkflows<P extends PinnedWorkflow = PinnedWorkflow> {
  readonly [key: string]: P;
}

/** What a version is kept under: `wf_…@3`. */
export function keyOf({ id, version }: WorkflowPin): string {
  return `${id}@${String(version)}`;
}

/** The version that a reference means; undefined when there is none of that text. */
export function pinnedFor<P extends PinnedWorkflow>(
  workflows: WorkflowPins,
  pinned: PinnedWorkflows<P>,
  reference: string,
): P | undefined {
  const pin = Object.hasOwn(workflows, reference) ? workflows[reference] : undefined;
  return pin && pinned[keyOf(pin)];
}

/** Those versions that a definition with these references runs, itself or by another one. */
export function reachable<P extends PinnedWorkflow>(
  workflows: WorkflowPins,
  pinned: PinnedWorkflows<P>,
): PinnedWorkflows<P> {
  const found = new Map<string, P>();
  const open = Object.values(workflows);
  for (let pin = open.pop(); pin !== undefined; pin = open.pop()) {
    const key = keyOf(pin);
    const workflow = found.has(key) ? undefined : pinned[key];
    if (workflow === undefined) continue;
    found.set(key, workflow);
    open.push(...Object.values(workflow.workflows));
  }
  return Object.fromEntries(found);
}

/** The graph with a check on the input of each step that runs a workflow whose input has a schema. */
export function withWorkflows(
  graph: Graph,
  { workflows, pinned }: { readonly workflows: WorkflowPins; readonly pinned: PinnedWorkflows },
  check: SchemaCheck,
): Graph {
  if (Object.keys(workflows).length === 0) return graph;
  return mapSteps(graph, (step) => {
    const { work } = step;
    if (work.kind !== 'workflow') return step;
    const schema = pinnedFor(workflows, pinned, work.reference)?.definition.inputSchema;
    if (schema === undefined) return step;
    return { ...step, work: { ...work, inputCheck: (input) => check(schema, input) } };
  });
}
