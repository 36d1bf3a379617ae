/** Agents side by side. */
import { z } from 'zod';

import { fromEntries, type Json } from '../../kernel/json.js';
import { Assembly, type CompiledPattern } from './assembly.js';
import { callSchemaWith, runFields, stepName } from './call.schema.js';

const MAX_BRANCHES = 1_000;

const { maxParallelSteps, ...otherFields } = runFields;

/** The schema of its parameters. */
export const parallelSchema = z.strictObject({
  ...otherFields,
  branches: z
    .array(callSchemaWith({ id: stepName.exactOptional().describe('`branch1`, `branch2` … without one.') }))
    .min(1)
    .max(MAX_BRANCHES)
    .describe('A branch that says nothing else is given the input of the run.'),
  maxConcurrency: maxParallelSteps.describe('How many branches may be under way at once.'),
  failure: z
    .enum(['fail_fast', 'settle'])
    .exactOptional()
    .meta({ default: 'fail_fast' })
    .describe(
      '`fail_fast`: the run fails with the first branch. `settle`: it waits for all and tells of each.',
    ),
});

/** Answers outputs by branch; with `settle`, each branch as `{ status, output, error }`. */
export function parallel(parameters: z.infer<typeof parallelSchema>): CompiledPattern {
  const { branches, maxConcurrency, failure = 'fail_fast' } = parameters;
  const assembly = new Assembly();
  const settles = failure === 'settle';
  const steps = branches.map((call, index) => {
    const options = { id: call.id ?? `branch${index + 1}`, ...(settles && { onError: 'continue' as const }) };
    return assembly.call(call, `/branches/${index}`, options, { input: '{{ input }}' });
  });
  const output = fromEntries(
    steps.map(({ id }) => [id, settles ? outcomeOf(id) : `{{ steps.${id}.output }}`]),
  );
  return assembly.finish(
    'parallel',
    { ...parameters, ...(maxConcurrency !== undefined && { maxParallelSteps: maxConcurrency }) },
    { steps, output },
  );
}

function outcomeOf(id: string): Json {
  return {
    status: `{{ steps.${id}.status }}`,
    output: `{{ steps.${id}.output }}`,
    error: `{{ steps.${id}.error }}`,
  };
}
