/**
 * Evaluating what a definition says: conditions, lists, what a step does, and outputs.
 *
 * Decided here: what an expression may see. A step sees the steps that its own expressions mention and nothing else
 * of the run. Decided elsewhere: the languages (expressions/), what a kind does with it (steps/), when something is
 * evaluated (plan.ts).
 */
import { evaluateCel, evaluateCondition } from '../../expressions/cel.js';
import { evaluateValue } from '../../expressions/value.js';
import { failureOf, type Failure, type Issue } from '../../kernel/failure.js';
import { fromEntries, setOwn, type Json, type JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import { definitionErrors } from '../../workflows/domain/definition.errors.js';
import type { CompiledForEach, CompiledStep, Reads } from '../../workflows/domain/graph.js';
import { MAX_ROUNDS } from '../../workflows/domain/step-fields.schema.js';
import type { Evaluator } from './advance.js';
import { written, type ContextWrite } from './context.js';
import { nextAfter, outcomeOfItems, outcomeOfIterations } from './holdings.js';
import { located } from './located.js';
import type { Consequence, Resolution } from './run.commands.js';
import { runErrors } from './run.errors.js';
import type { RunState } from './run.state.js';
import { resolveWork } from './steps/step-kinds.js';
import { runsAbove } from './sub-run.js';
import { around, holdingOf, type HeldBody, type Scope, type Unit, type UnitRecord } from './unit.js';

/** Evaluates with the compiled expressions of the run's graph. */
export const evaluator: Evaluator = { resolve, consequence, close, output: outputOfRun };

function resolve(state: RunState, unit: Unit, now: number): Resolution {
  const { step, role } = unit;
  let scope: JsonObject | undefined;
  const scopeOnce = (): JsonObject => (scope ??= scopeSeenBy(state, unit));
  if (step.when !== undefined && role === 'step') {
    const holds = evaluateCondition(step.when, scopeOnce());
    if (!holds.ok) return { kind: 'fail', failure: located(holds.failure, 'when') };
    if (!holds.value) return { kind: 'skip', reason: 'condition-false' };
  }
  switch (holdingOf(unit)) {
    case 'items':
      return step.forEach === undefined ? { kind: 'hold' } : resolveItems(step.forEach, scopeOnce);
    case 'iterations':
    case 'body':
      return { kind: 'hold' };
    case undefined:
      return withCheckedInput(
        step,
        resolveWork(step.work, () => ({
          scope: scopeOnce(),
          now,
          keptSignal: (name) => state.signals.get(name)?.[0],
          runsAbove: runsAbove(state),
        })),
      );
  }
}

/** An input that its schema refuses is a failure that is not tried again. */
function withCheckedInput({ inputCheck }: CompiledStep, resolution: Resolution): Resolution {
  const isGiven = resolution.kind === 'start' || resolution.kind === 'delegate';
  if (inputCheck === undefined || !isGiven) return resolution;
  const issues = inputCheck(resolution.input);
  return issues.length === 0 ? resolution : { kind: 'fail', failure: inputInvalid(issues) };
}

/** The list that a step maps over, with the number of its items. */
function resolveItems({ items, batchSize }: CompiledForEach, scope: () => JsonObject): Resolution {
  const list = 'program' in items ? evaluateCel(items, scope()) : ok<Json>(items);
  if (!list.ok) return { kind: 'fail', failure: located(list.failure, 'forEach.items') };
  const { value } = list;
  if (!Array.isArray(value)) return { kind: 'fail', failure: notAList(value) };
  const { length } = value as readonly Json[];
  if (length > MAX_ROUNDS) return { kind: 'fail', failure: tooManyItems(length) };
  return { kind: 'hold', input: value, items: Math.ceil(length / batchSize) };
}

function notAList(value: Json): Failure {
  const shown = JSON.stringify(value).slice(0, 100);
  return failureOf(runErrors['map.items-invalid'], `forEach.items: expected a list, got ${shown}`, {
    details: { field: 'forEach.items' },
  });
}

function tooManyItems(length: number): Failure {
  const message = `a step maps over at most ${MAX_ROUNDS} elements, this list has ${length}`;
  return failureOf(runErrors['map.too-many-items'], message, { details: { length, limit: MAX_ROUNDS } });
}

/**
 * What follows from the output of a unit; undefined when nothing has to be evaluated. Of a step that maps or is
 * repeated it follows from each item or iteration, not from what they come to together.
 */
function consequence(state: RunState, unit: Unit, output: Json, now: number): Consequence | undefined {
  const { step, depth } = unit;
  if (depth < step.layers.length) return undefined;
  const refused = refusedOutput(unit, output);
  if (refused !== undefined) return { failure: refused };
  const { repeat } = step;
  if (repeat === undefined && step.writes.length === 0) return undefined;
  let scope: JsonObject | undefined;
  const scopeOnce = (): JsonObject => (scope ??= { ...scopeOf(state, unit, step.reads), output });
  const writes = writesOf(state, step, scopeOnce);
  if (!writes.ok) return { failure: writes.failure };
  const made = writes.value.length === 0 ? {} : { writes: writes.value };
  if (repeat === undefined) return made;
  const holds = repeat.until === undefined ? ok(false) : evaluateCondition(repeat.until, scopeOnce());
  if (!holds.ok) return { failure: located(holds.failure, 'repeat.until') };
  return { ...made, next: nextAfter(unit, holds.value, now) };
}

/** Why an output is none; what comes of an attempt was checked before it was reported. */
function refusedOutput(unit: Unit, output: Json): Failure | undefined {
  const { outputCheck } = unit.step;
  const isChecked = unit.status === 'running' && holdingOf(unit) === undefined;
  if (outputCheck === undefined || isChecked) return undefined;
  const issues = outputCheck(output);
  if (issues.length === 0) return undefined;
  const message = `the output does not satisfy the outputSchema of the step: ${listed(issues)}`;
  return failureOf(runErrors['step.output-invalid'], message, { issues });
}

/** What a unit writes to the context, each write on top of the one before. */
function writesOf(
  state: RunState,
  { writes }: CompiledStep,
  scope: () => JsonObject,
): Result<readonly ContextWrite[]> {
  const evaluated: ContextWrite[] = [];
  let { context } = state;
  for (const { path, reducer, value } of writes) {
    const result = evaluateValue(value, scope());
    if (!result.ok) return fail(located(result.failure, `writes.${path}`));
    const write = { path, value: result.value, reducer };
    const after = written(context, write);
    if (!after.ok) return after;
    context = after.value;
    evaluated.push(write);
  }
  return ok(evaluated);
}

/** The outcome of a unit from what it held. */
function close(state: RunState, unit: Unit): Result<Json> {
  const { held } = unit;
  switch (held?.kind) {
    case 'items':
      return outcomeOfItems(unit, held);
    case 'iterations':
      return outcomeOfIterations(unit, held);
    case 'body':
      return outcomeOfBody(state, unit, held);
    case undefined:
      throw new TypeError(`${unit.path} holds nothing that could be closed`);
  }
}

function outcomeOfBody(state: RunState, unit: Unit, { scope }: HeldBody): Result<Json> {
  if (scope.fatal !== undefined) return fail(scope.fatal);
  const value = outputOf(scope, (reads) => scopeOf(state, unit, reads, scope));
  return value.ok ? value : fail(located(value.failure, 'repeat.body.output'));
}

function outputOfRun(state: RunState): Result<Json> {
  const value = outputOf(state.root, (reads) => ({
    ...scopeOfRun(state),
    steps: stepsIn(state.root, reads),
  }));
  if (!value.ok) return fail(located(value.failure, 'output'));
  const issues = state.root.graph.outputCheck?.(value.value) ?? [];
  return issues.length === 0 ? value : fail(outputInvalid(issues));
}

function outputInvalid(issues: readonly Issue[]): Failure {
  const message = `the output does not satisfy the outputSchema: ${listed(issues)}`;
  return failureOf(runErrors['run.output-invalid'], message, { issues });
}

function inputInvalid(issues: readonly Issue[]): Failure {
  const message = `the input does not satisfy the inputSchema of the step: ${listed(issues)}`;
  return failureOf(definitionErrors['input.invalid'], message, { issues });
}

function listed(issues: readonly Issue[]): string {
  return issues
    .map(({ pointer, message }) => `${pointer} ${message}`.trim())
    .join('; ')
    .slice(0, 500);
}

/** Without an `output` of its own a scope answers the outputs of the steps that nothing depends on, by id. */
function outputOf({ graph, units }: Scope, scopeWith: (reads: Reads) => JsonObject): Result<Json> {
  if (graph.output !== undefined) return evaluateValue(graph.output, scopeWith(graph.outputReads));
  const leaves = graph.steps.filter(({ dependents, isLast }) => dependents.length === 0 && !isLast);
  return ok(fromEntries(leaves.map(({ id, index }) => [id, units[index]?.output ?? null] as const)));
}

/** What undoes a unit sees what that has seen, and its output. */
function scopeSeenBy(state: RunState, unit: Unit): JsonObject {
  const { undoes } = unit;
  if (undoes === undefined) return scopeOf(state, unit, unit.step.reads);
  return { ...scopeOf(state, undoes, undoes.step.reads), output: undoes.output ?? null };
}

/** What the expressions of a unit see: the run, the steps that they read, the item and the iteration around it. */
function scopeOf(state: RunState, unit: Unit, reads: Reads, scope: Scope = unit.scope): JsonObject {
  return { ...scopeOfRun(state), steps: stepsIn(scope, reads), ...itemOf(unit), ...iterationOf(unit) };
}

function scopeOfRun(state: RunState): JsonObject {
  const { queued, runId, context, ending } = state;
  const end = ending && { status: ending.status, error: ending.failure ? errorOf(ending.failure) : null };
  const started = { id: runId, createdAt: isoOf(state.createdAt), tags: queued.options.tags };
  const run = end === undefined ? started : { ...started, end };
  return { input: queued.input, context, run };
}

function stepsIn(scope: Scope, { own, outer }: Reads): JsonObject {
  const steps = {};
  for (const index of own) addStep(steps, scope.units[index]);
  for (const { up, index } of outer) addStep(steps, scopeAbove(scope, up)?.units[index]);
  return steps;
}

function addStep(steps: { [id: string]: Json }, unit: Unit | undefined): void {
  if (unit !== undefined) setOwn(steps, unit.step.id, viewOf(unit));
}

function scopeAbove(scope: Scope, up: number): Scope | undefined {
  let at: Scope | undefined = scope;
  for (let level = 0; level < up; level += 1) at = at?.holder?.scope;
  return at;
}

/** What an expression sees of a step. The output of a step that did not complete reads as null. */
function viewOf({ status, output, failure }: UnitRecord): Json {
  const error = status === 'failed' && failure !== undefined ? errorOf(failure) : null;
  return { status, output: output ?? null, error };
}

function errorOf({ code, message }: Failure): Json {
  return { code, message };
}

/** The nearest item around a unit, or itself. A batch is a list. */
function itemOf(unit: Unit): JsonObject {
  const item = nearest(unit, 'item');
  if (item?.holder === undefined) return {};
  const list = item.holder.input as readonly Json[];
  const batchSize = item.step.forEach?.batchSize ?? 1;
  const index = item.number;
  if (batchSize === 1) return { item: list[index] ?? null, index };
  return { item: list.slice(index * batchSize, (index + 1) * batchSize), index };
}

/** The nearest iteration around a unit, or itself, and the output of the one before. */
function iterationOf(unit: Unit): JsonObject {
  const iteration = nearest(unit, 'iteration');
  const held = iteration?.holder?.held;
  if (iteration === undefined || held?.kind !== 'iterations') return {};
  return { iteration: iteration.number, previous: held.ended[iteration.number - 1]?.output ?? null };
}

function nearest(unit: Unit, role: Unit['role']): Unit | undefined {
  for (let at: Unit | undefined = unit; at !== undefined; at = around(at)) if (at.role === role) return at;
  return undefined;
}
