/**
 * Checking values against the schemas of a definition while a run executes.
 *
 * Decided here: which values are checked in the domain: the resolved input of a step, its output, the output of the
 * run. Decided elsewhere: whether schemas are good (workflow.service.ts), outputs of attempts
 * (runs/engine/attempt.executor.ts).
 */
import type { JsonObject } from '../../kernel/json.js';
import type { SchemaCheck } from '../../templates/domain/variable.js';
import type { WorkflowDefinition } from './definition.schema.js';
import { mapSteps, type Graph } from './graph.js';
import type { ValueCheck } from './value-check.js';

/** The graph with a check on each input and output that has a schema, and on the run's output. */
export function withSchemas(
  graph: Graph,
  { outputSchema }: Pick<WorkflowDefinition, 'outputSchema'>,
  check: SchemaCheck,
): Graph {
  const checkOf = (schema: JsonObject): ValueCheck => {
    return (value) => check(schema, value);
  };
  const checked = mapSteps(graph, (step) => ({
    ...step,
    ...(step.inputSchema && { inputCheck: checkOf(step.inputSchema) }),
    ...(step.outputSchema && { outputCheck: checkOf(step.outputSchema) }),
  }));
  return outputSchema === undefined ? checked : { ...checked, outputCheck: checkOf(outputSchema) };
}
