/**
 * Evaluating what a definition says: conditions, inputs and the run's output.
 *
 * Decided here: what an expression may see. A step sees the steps that its own expressions mention and nothing else
 * of the run. Decided elsewhere: the languages (expressions/), when something is evaluated (plan.ts).
 */
import { evaluateCondition } from '../../expressions/cel.js';
import { evaluateValue } from '../../expressions/value.js';
import type { Failure } from '../../kernel/failure.js';
import { fromEntries, setOwn, type Json, type JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import { renderProgram, type RenderedTemplate } from '../../templates/domain/render.js';
import type { CompiledStep } from '../../workflows/domain/graph.js';
import type { Evaluator } from './advance.js';
import type { Resolution } from './run.commands.js';
import type { RunState, StepState } from './run.state.js';

/** Evaluates with the compiled expressions of the run's graph. */
export const evaluator: Evaluator = { resolve: resolveStep, output: evaluateOutput };

function resolveStep(state: RunState, step: StepState): Resolution {
  const compiled = state.graph.steps[step.index];
  if (compiled === undefined) throw new RangeError(`the graph has no step ${String(step.index)}`);
  if (compiled.isConstant) return startWith(compiled.input.json);
  return resolveWith(compiled, scopeOf(state, compiled.reads));
}

function resolveWith(compiled: CompiledStep, scope: JsonObject): Resolution {
  const { when } = compiled;
  if (when !== undefined) {
    const holds = evaluateCondition(when, scope);
    if (!holds.ok) return { kind: 'fail', failure: located(holds.failure, 'when') };
    if (!holds.value) return { kind: 'skip', reason: 'condition-false' };
  }
  const input = evaluateValue(compiled.input, scope);
  if (!input.ok) return { kind: 'fail', failure: located(input.failure, 'input') };
  if (compiled.variables === undefined) return startWith(input.value);
  const rendered = renderTemplate(compiled, scope);
  if (!rendered.ok) return { kind: 'fail', failure: located(rendered.failure, 'template') };
  return startWith({ ...(input.value as JsonObject), ...promptOf(rendered.value) });
}

function renderTemplate(
  { id, template, variables }: CompiledStep,
  scope: JsonObject,
): Result<RenderedTemplate> {
  if (template === undefined || variables === undefined) throw new TypeError(`step ${id} has no template`);
  const values = evaluateValue(variables, scope);
  return values.ok ? renderProgram(template.program, values.value as JsonObject, template.check) : values;
}

/** A text as `prompt`; a chat as `messages`, with what the system says apart, as agents take it. */
function promptOf(rendered: RenderedTemplate): JsonObject {
  if (rendered.kind === 'text') return { prompt: rendered.text };
  const said = rendered.messages.filter(({ role }) => role === 'system').map(({ content }) => content);
  const messages = rendered.messages.filter(({ role }) => role !== 'system');
  return {
    messages: messages.map((message) => ({ ...message })),
    ...(said.length > 0 && { system: said.join('\n\n') }),
  };
}

function startWith(input: Json): Resolution {
  return { kind: 'start', input };
}

/** Without an `output` of its own a run answers the outputs of the steps that nothing depends on, by id. */
function evaluateOutput(state: RunState): Result<Json> {
  const { output, outputReads } = state.graph;
  if (output === undefined) return ok(outputsOfLeaves(state));
  const value = evaluateValue(output, scopeOf(state, outputReads));
  return value.ok ? value : fail(located(value.failure, 'output'));
}

function outputsOfLeaves(state: RunState): Json {
  const leaves = state.graph.steps.filter(({ dependents }) => dependents.length === 0);
  return fromEntries(leaves.map(({ id, index }) => [id, state.steps[index]?.output ?? null] as const));
}

function scopeOf(state: RunState, reads: readonly number[]): JsonObject {
  const steps = {};
  for (const index of reads) {
    const step = state.steps[index];
    if (step !== undefined) setOwn(steps, state.graph.steps[index]?.id ?? '', viewOfStep(step));
  }
  const { queued, runId } = state;
  return {
    input: queued.input,
    context: state.context,
    steps,
    run: { id: runId, createdAt: isoOf(state.createdAt), tags: queued.options.tags },
  };
}

/** What an expression sees of a step. The output of a step that did not complete reads as null. */
function viewOfStep({ status, output, failure }: StepState): Json {
  const error = status === 'failed' && failure !== undefined ? errorOf(failure) : null;
  return { status, output: output ?? null, error };
}

function errorOf({ code, message }: Failure): Json {
  return { code, message };
}

function located(failure: Failure, field: 'when' | 'input' | 'template' | 'output'): Failure {
  return { ...failure, message: `${field}: ${failure.message}`, details: { ...failure.details, field } };
}
