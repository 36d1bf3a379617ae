/** An agent picks who does a task, among candidates that are described to it. */
import { z } from 'zod';

import { pickOf, quoted, ranOf } from './answer.js';
import { Assembly, type CompiledPattern } from './assembly.js';
import { callSchema, callSchemaWith, runFields, stepName, text } from './call.schema.js';
import { patternErrors } from './pattern.errors.js';

const MAX_CANDIDATES = 50;

/** The schema of its parameters. */
export const routerSchema = z
  .strictObject({
    ...runFields,
    task: text.describe('What is to be done, in Liquid.'),
    router: callSchema.describe('Who picks. Without more it is asked for the name of a candidate.'),
    candidates: z
      .array(
        callSchemaWith({
          name: stepName.describe('What the router answers.'),
          description: text.describe('What the router is told about the candidate.'),
        }),
      )
      .min(1)
      .max(MAX_CANDIDATES)
      .describe('Without more, the candidate that is picked is given the task as its prompt.'),
    default: stepName
      .exactOptional()
      .describe('The candidate that does it when the router picks none. The run fails without it.'),
  })
  .refine(
    ({ candidates, default: name }) => name === undefined || candidates.some((one) => one.name === name),
    {
      error: 'expected the name of a candidate',
      path: ['default'],
    },
  );

/** Answers `{ candidate, output }`. */
export function router(parameters: z.infer<typeof routerSchema>): CompiledPattern {
  const { task, router: picker, candidates, default: otherwise } = parameters;
  const assembly = new Assembly();
  const names = candidates.map(({ name }) => name);
  const listed = candidates.map(({ name, description }) => `- ${name}: ${description}`).join('\n');
  const prompt =
    `Pick who does the task.\n\nTask: ${task}\n\nCandidates:\n${listed}\n\n` +
    'Answer with the name of one candidate and nothing else.';
  const picked = pickOf('steps.route.output', names, 'mentioned');
  const pick =
    otherwise === undefined ? picked : `cel.bind(p, ${picked}, p == null ? dyn(${quoted(otherwise)}) : p)`;
  const { code } = patternErrors['pattern.pick-unknown'];
  const unknown = {
    id: 'unknown',
    kind: 'fail',
    when: 'steps.pick.output == null',
    code,
    message: `expected one of ${names.join(', ')}, got {{ steps.route.output | json }}`,
  } as const;
  const steps = [
    assembly.call(picker, '/router', { id: 'route' }, { input: { prompt }, from: '/task' }),
    assembly.compute('pick', pick, '/router'),
    ...(otherwise === undefined ? [assembly.from(unknown, '/router')] : []),
    ...candidates.map((candidate, index) => {
      const { name } = candidate;
      const options = { id: name, when: `steps.pick.output == ${quoted(name)}` };
      const fallback = { input: { prompt: task }, from: '/task' };
      return assembly.call(candidate, `/candidates/${index}`, options, fallback);
    }),
    assembly.compute(
      'result',
      ranOf(
        'candidate',
        names.map((name) => ({ name, id: name })),
      ),
      '/candidates',
      {
        join: 'all_settled',
      },
    ),
  ];
  return assembly.finish('router', parameters, { steps, output: '{{ steps.result.output }}' });
}
