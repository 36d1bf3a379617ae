/** Checking a large definition on the thread for heavy checks. */
import type { Issue } from '../kernel/failure.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../kernel/json.js';
import { compileSchema } from '../platform/json-schema/compile-schema.js';
import type { WorkerTask } from '../platform/lifecycle/worker-pool.js';
import { compileDefinition } from './domain/compile-definition.js';
import { stepsIn } from './domain/definition-references.js';
import { definitionErrors } from './domain/definition.errors.js';

/** Definitions with more steps, or with more text in their schemas, are checked on the thread first. */
const SMALL_STEPS = 200;
const SMALL_SCHEMAS = 8_192;
/** The fields of a definition and of its steps that hold a JSON Schema. */
const SCHEMA_FIELDS = ['inputSchema', 'outputSchema', 'form'];

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
  if (!compiled.ok && isTooLong(compiled.failure)) return compiled.failure;
  const ofSchemas = schemasOf(definition).flatMap(({ pointer, schema }) => {
    const result = compileSchema(schema);
    return result.ok ? [] : [{ pointer, code: 'schema.invalid', message: result.failure }];
  });
  return compiled.ok ? ofSchemas : [...compiled.failure, ...ofSchemas];
}

function isTooLong(issues: readonly Issue[]): boolean {
  return issues.some(({ code }) => code === definitionErrors['definition.too-many-steps'].code);
}

/** The schemas of a definition and where they stand, as far as they are objects. */
export function schemasOf(
  json: unknown,
): readonly { readonly pointer: string; readonly schema: JsonObject }[] {
  const holders = [{ step: json, pointer: '' }, ...stepsIn(json)];
  return holders.flatMap(({ step, pointer }) =>
    SCHEMA_FIELDS.flatMap((field) => {
      const schema = isJsonObject(step) ? getOwn(step, field) : undefined;
      return isJsonObject(schema) ? [{ pointer: `${pointer}/${field}`, schema }] : [];
    }),
  );
}

/** Whether checking a definition could hold up the main loop. Looks at sizes only. */
export function isLarge(definition: unknown): boolean {
  if (!isJsonObject(definition)) return false;
  const steps = getOwn(definition, 'steps');
  if (Array.isArray(steps) && steps.length > SMALL_STEPS) return true;
  const lengths = schemasOf(definition).map(({ schema }) => JSON.stringify(schema).length);
  return lengths.reduce((sum, length) => sum + length, 0) > SMALL_SCHEMAS;
}
