/** What is said of a step that is carried out more than once: for each item, or again and again. */
import { getOwn, type Json } from '../../kernel/json.js';
import type { CompiledForEach, CompiledRepeat, Graph } from './graph.js';
import type { StepReader } from './step-reader.js';

/** How often a step is repeated at most, where it does not say. */
const DEFAULT_MAX_ITERATIONS = 25;

/** The `forEach` of a step. */
export function readForEach(forEach: StepReader): CompiledForEach {
  const items = getOwn(forEach.json, 'items');
  return {
    items: Array.isArray(items) ? (items as readonly Json[]) : (forEach.expression('items') ?? []),
    maxConcurrency: forEach.number('maxConcurrency') ?? Infinity,
    batchSize: forEach.number('batchSize') ?? 1,
    toleratedFailureCount: forEach.number('toleratedFailureCount') ?? 0,
    toleratedFailurePercentage: forEach.number('toleratedFailurePercentage') ?? 0,
  };
}

/** The `repeat` of a step, around its compiled body. */
export function readRepeat(repeat: StepReader, body: Graph | undefined): CompiledRepeat {
  const until = repeat.condition('until');
  const maxDurationMs = repeat.number('maxDurationMs');
  return {
    ...(until && { until }),
    maxIterations: repeat.number('maxIterations') ?? DEFAULT_MAX_ITERATIONS,
    ...(maxDurationMs !== undefined && { maxDurationMs }),
    onExhausted: repeat.text('onExhausted') === 'continue' ? 'continue' : 'fail',
    ...(body && { body }),
  };
}
