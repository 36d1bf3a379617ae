/** Running a workflow: an attempt whose work is a run of its own, for which the unit waits without a place. */
import { evaluateValue } from '../../../expressions/value.js';
import { failureOf } from '../../../kernel/failure.js';
import { definitionErrors } from '../../../workflows/domain/definition.errors.js';
import { located } from '../located.js';
import { runErrors } from '../run.errors.js';
import type { EngineKind } from './step-kind.js';

/** How many runs may be above a run. */
export const MAX_RUNS_ABOVE = 10;

export const workflowStep: EngineKind<'workflow'> = {
  needsPlace: false,
  resolve({ reference, input, inputCheck }, resolving) {
    const { scope, runsAbove } = resolving();
    if (runsAbove >= MAX_RUNS_ABOVE) return { kind: 'fail', failure: tooDeep(reference) };
    const value = evaluateValue(input, scope);
    if (!value.ok) return { kind: 'fail', failure: located(value.failure, 'input') };
    const issues = inputCheck?.(value.value) ?? [];
    if (issues.length === 0) return { kind: 'delegate', input: value.value };
    const message = `the input does not satisfy the inputSchema of workflow ${reference}`;
    return { kind: 'fail', failure: failureOf(definitionErrors['input.invalid'], message, { issues }) };
  },
};

function tooDeep(reference: string): ReturnType<typeof failureOf> {
  const message = `${MAX_RUNS_ABOVE} runs are above this one, so it runs no other: does workflow ${reference} run itself?`;
  return failureOf(runErrors['workflow.too-deep'], message);
}
