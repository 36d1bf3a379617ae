/** Checking a large definition on the thread for heavy checks. */
import type { Issue } from '../kernel/failure.js';
import { getOwn, isJsonObject, type Json } from '../kernel/json.js';
import { compileSchema } from '../platform/json-schema/compile-schema.js';
import type { WorkerTask } from '../platform/lifecycle/worker-pool.js';
import type { WorkflowDefinition } from './domain/definition.schema.js';
import { compileDefinition } from './domain/graph.js';

/** Definitions with more steps, or with more text in their schemas, are checked on the thread first. */
const SMALL_STEPS = 200;
const SMALL_SCHEMAS = 8_192;

export interface DefinitionCheck {
  readonly definition: Json;
  readonly maxSteps: number;
}

/** `checkDefinition` as a task of the worker pool. */
export const definitionCheck: WorkerTask<DefinitionCheck, readonly Issue[]> = {
  module: 'workflows/definition-check.js',
  name: 'checkDefinition',
};

/**
 * Every problem that a definition has in itself, its schemas included.
 *
 * @public loaded by its name
 */
export function checkDefinition({ definition, maxSteps }: DefinitionCheck): readonly Issue[] {
  const compiled = compileDefinition(definition, { maxSteps });
  if (!compiled.ok) return compiled.failure;
  return schemasOf(compiled.value.definition).flatMap(({ pointer, schema }) => {
    const result = compileSchema(schema);
    return result.ok ? [] : [{ pointer, code: 'schema.invalid', message: result.failure }];
  });
}

/** The schemas of a definition and where they stand. */
export function schemasOf({
  inputSchema,
  steps,
}: WorkflowDefinition): readonly { readonly pointer: string; readonly schema: Json }[] {
  const ofSteps = steps.map(({ outputSchema }, index) => ({
    pointer: `/steps/${index}/outputSchema`,
    schema: outputSchema,
  }));
  return [{ pointer: '/inputSchema', schema: inputSchema }, ...ofSteps].flatMap(({ pointer, schema }) =>
    schema === undefined ? [] : [{ pointer, schema }],
  );
}

/** Whether checking a definition could hold up the main loop. Looks at sizes only. */
export function isLarge(definition: unknown): boolean {
  if (!isJsonObject(definition)) return false;
  const steps = getOwn(definition, 'steps');
  const inputSchema = getOwn(definition, 'inputSchema');
  if (!Array.isArray(steps)) return sizeOf(inputSchema) > SMALL_SCHEMAS;
  if (steps.length > SMALL_STEPS) return true;
  const sizes = steps.map((step: Json) =>
    sizeOf(isJsonObject(step) ? getOwn(step, 'outputSchema') : undefined),
  );
  return sizes.reduce((sum, size) => sum + size, sizeOf(inputSchema)) > SMALL_SCHEMAS;
}

function sizeOf(schema: unknown): number {
  return schema === undefined ? 0 : JSON.stringify(schema).length;
}
