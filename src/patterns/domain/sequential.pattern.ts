/** Agents one after another, each of which sees what the one before has answered. */
import { z } from 'zod';

import type { Json, JsonObject } from '../../kernel/json.js';
import { Assembly, type CompiledPattern } from './assembly.js';
import { callSchemaWith, runFields, stepName, type Call } from './call.schema.js';
import { withPrevious } from './previous.js';

const MAX_STEPS = 100;

/** The schema of its parameters. */
export const sequentialSchema = z.strictObject({
  ...runFields,
  steps: z
    .array(callSchemaWith({ id: stepName.exactOptional().describe('`step1`, `step2` … without one.') }))
    .min(1)
    .max(MAX_STEPS)
    .describe(
      'In their order. Texts read `previous.output`, which for the first is the input of the run; a step that says ' +
        'nothing else is given that.',
    ),
  stopOnError: z
    .boolean()
    .exactOptional()
    .meta({ default: true })
    .describe('Whether the run fails with a step; else the next goes on, and sees null.'),
});

/** The output of the last step is that of the run. */
export function sequential(parameters: z.infer<typeof sequentialSchema>): CompiledPattern {
  const { steps: calls, stopOnError = true } = parameters;
  const assembly = new Assembly();
  const ids = calls.map(({ id }, index) => id ?? `step${index + 1}`);
  const steps = calls.map((call, index) => {
    const before = ids[index - 1];
    const options = {
      id: ids[index] ?? '',
      ...(before !== undefined && { dependsOn: [before] }),
      ...(!stopOnError && { onError: 'continue' as const }),
    };
    const input = before === undefined ? '{{ input }}' : `{{ steps.${before}.output }}`;
    return assembly.call(readingPrevious(call, before), `/steps/${index}`, options, { input });
  });
  return assembly.finish('sequential', parameters, {
    steps,
    output: `{{ steps.${ids.at(-1) ?? ''}.output }}`,
  });
}

function readingPrevious(call: Call, before: string | undefined): Call {
  const { prompt, input, template } = call;
  const text = (json: Json): Json => withPrevious(json, before);
  return {
    ...call,
    ...(prompt !== undefined && { prompt: text(prompt) as string }),
    ...(input !== undefined && { input: text(input) }),
    ...(template?.variables !== undefined && {
      template: { ...template, variables: text(template.variables) as JsonObject },
    }),
  };
}
