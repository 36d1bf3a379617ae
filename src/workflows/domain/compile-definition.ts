/**
 * Compiling a definition: the graph that the engine runs, or every problem at once.
 *
 * Decided here: the limits of a definition as a whole. Decided elsewhere: the shape of fields
 * (definition.schema.ts), everything that fields mean together (scope-compiler.ts).
 */
import type { Issue } from '../../kernel/failure.js';
import { isJsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { listShapeIssues } from './definition-issues.js';
import type { WorkflowDefinition } from './definition.schema.js';
import type { Graph } from './graph.js';
import { bodyOf, ScopeCompiler, stepsOf } from './scope-compiler.js';

export interface CompiledDefinition {
  /** The definition as it was sent, the same object. */
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
}

export interface DefinitionLimits {
  /** Steps, those of bodies included. */
  readonly maxSteps: number;
}

/**
 * Compiles a definition, in time linear in its steps and edges.
 *
 * @param json as it was sent; it is kept, and must not be changed afterwards
 * @returns the graph, or every problem with its JSON Pointer from the root of the definition. Of a definition with
 *   too many steps only that is said.
 */
export function compileDefinition(
  json: unknown,
  limits: DefinitionLimits,
): Result<CompiledDefinition, readonly Issue[]> {
  const count = countSteps(json);
  if (count > limits.maxSteps) {
    const message = `a definition has at most ${limits.maxSteps} steps, this one has ${count}`;
    return fail([{ pointer: '/steps', code: 'definition.too-many-steps', message }]);
  }
  const shapeIssues = listShapeIssues(json);
  const compiler = new ScopeCompiler(isJsonObject(json) ? json : {});
  const graph = compiler.compile();
  const issues = [...shapeIssues, ...compiler.issues];
  return issues.length > 0 ? fail(issues) : ok({ definition: json as WorkflowDefinition, graph });
}

function countSteps(json: unknown): number {
  let count = 0;
  const open: unknown[] = [json];
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    const steps = stepsOf(scope);
    count += steps.length;
    open.push(...steps.map(bodyOf).filter((body) => body !== undefined));
  }
  return count;
}
