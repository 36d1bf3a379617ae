/** An agent for each item, and one that makes one of their answers: at once, or in groups as a tree. */
import { z } from 'zod';

import type { StepDefinition } from '../../workflows/domain/definition.schema.js';
import { expression, json, MAX_ROUNDS } from '../../workflows/domain/step-fields.schema.js';
import { Assembly, loop, type CompiledPattern } from './assembly.js';
import { callSchema, runFields } from './call.schema.js';

const MAX_CONCURRENCY = 1_000;

/** The schema of its parameters. */
export const mapReduceSchema = z.strictObject({
  ...runFields,
  items: z.union([expression, z.array(json).max(MAX_ROUNDS)]).describe('A list, or CEL that gives one.'),
  map: callSchema.describe(
    'Called for each item; texts read `item` and `index`. Given the item without more.',
  ),
  reduce: callSchema.describe(
    'Called with a list of answers, which texts read as `item`. Given the list without more.',
  ),
  maxConcurrency: z.int().min(1).max(MAX_CONCURRENCY).exactOptional(),
  toleratedFailureCount: z
    .int()
    .min(0)
    .exactOptional()
    .meta({ default: 0 })
    .describe('How many items may fail; they are left out.'),
  fanIn: z
    .int()
    .min(2)
    .max(MAX_ROUNDS)
    .exactOptional()
    .describe(
      'How many answers are reduced at once; the results are reduced again until one is left. All without it.',
    ),
});

type Parameters = z.infer<typeof mapReduceSchema>;

/** Answers the last answer of `reduce`; null when there were no items. */
export function mapReduce(parameters: Parameters): CompiledPattern {
  const { items, map, maxConcurrency, toleratedFailureCount, fanIn } = parameters;
  const assembly = new Assembly();
  const limit = maxConcurrency === undefined ? {} : { maxConcurrency };
  const forEach = { items, ...limit, ...(toleratedFailureCount !== undefined && { toleratedFailureCount }) };
  const mapped = assembly.call(map, '/map', { id: 'map', forEach }, { input: '{{ item }}' });
  assembly.from(mapped, '/map', {
    '/input/prompt': '/map/prompt',
    '/forEach/items': '/items',
    '/forEach': '',
  });
  const answers = assembly.compute('answers', answersOf(toleratedFailureCount), '/map');
  const reduced = fanIn === undefined ? atOnce(assembly, parameters) : asTree(assembly, parameters, fanIn);
  return assembly.finish('map-reduce', parameters, {
    steps: [mapped, answers, reduced],
    output: '{{ steps.reduce.output | first }}',
  });
}

/** What failed reads as null. */
function answersOf(toleratedFailureCount = 0): string {
  return toleratedFailureCount === 0 ? 'steps.map.output' : 'steps.map.output.filter(o, o != null)';
}

function atOnce(assembly: Assembly, { reduce }: Parameters): StepDefinition {
  const forEach = { items: 'size(steps.answers.output) == 0 ? [] : [steps.answers.output]' };
  return assembly.call(reduce, '/reduce', { id: 'reduce', forEach }, { input: '{{ item }}' });
}

/** Each iteration reduces groups of the answers before; the last has one group. */
function asTree(assembly: Assembly, { reduce, maxConcurrency }: Parameters, fanIn: number): StepDefinition {
  const forEach = {
    items: 'iteration == 0 ? steps.answers.output : previous',
    batchSize: fanIn,
    ...(maxConcurrency !== undefined && { maxConcurrency }),
  };
  const combine = assembly.call(reduce, '/reduce', { id: 'combine', forEach }, { input: '{{ item }}' });
  return loop('reduce', {
    until: 'size(output) <= 1',
    maxIterations: Math.ceil(Math.log(MAX_ROUNDS) / Math.log(fanIn)),
    body: { steps: [combine], output: '{{ steps.combine.output }}' },
  });
}
