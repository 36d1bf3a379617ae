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
import type { Seen } from './seen.js';
import { written, type ContextWrite } from './context.js';
import { boundedValue, type Kept } from './kept.js';
import { nextAfter, outcomeOfItems, outcomeOfIterations } from './holdings.js';
import { located } from './located.js';
import type { Consequence, Resolution } from './run.commands.js';
import { runErrors } from './run.errors.js';
import { resolveWork } from './steps/step-kinds.js';
import { runsAbove } from './sub-run.js';
import { around, holdingOf, type HeldBody, type Scope, type Unit, type UnitRecord } from './unit.js';

/** Evaluates with the compiled expressions of the run's graph. */
export const evaluator: Evaluator = { resolve, consequence, close, output: outputOfRun };

/** How a ready unit goes on. What would be too large to keep is a failure. */
function resolve(seen: Seen, unit: Unit, now: number): Resolution {
  const resolution = resolutionOf(seen, unit, now);
  const value = valueIn(resolution);
  const bounded = value === undefined ? undefined : boundedValue(value);
  return bounded?.ok === false ? { kind: 'fail', failure: bounded.failure } : resolution;
}

function valueIn(resolution: Resolution): Json | undefined {
  switch (resolution.kind) {
    case 'start':
    case 'delegate':
    case 'hold':
      return resolution.input;
    case 'complete':
      return resolution.output;
    default:
      return undefined;
  }
}

function resolutionOf(seen: Seen, unit: Unit, now: number): Resolution {
  const { step, role } = unit;
  let scope: JsonObject | undefined;
  const scopeOnce = (): JsonObject => (scope ??= scopeSeenBy(seen, unit));
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
          keptSignal: (name) => keptSignal(seen, name),
          runsAbove: runsAbove(seen.state),
        })),
      );
  }
}

function keptSignal({ state, contents }: Seen, name: string): Json | undefined {
  const kept = state.signals.get(name)?.[0];
  return kept === undefined ? undefined : contents.read(kept);
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
function consequence(seen: Seen, unit: Unit, kept: Kept, now: number): Consequence | undefined {
  const { step, depth } = unit;
  if (depth < step.layers.length) return undefined;
  const output = seen.contents.read(kept);
  const refused = refusedOutput(unit, output);
  if (refused !== undefined) return { failure: refused };
  const { repeat } = step;
  if (repeat === undefined && step.writes.length === 0) return undefined;
  let scope: JsonObject | undefined;
  const scopeOnce = (): JsonObject => (scope ??= { ...scopeOf(seen, unit, step.reads), output });
  const writes = writesOf(seen, step, scopeOnce);
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
  { state }: Seen,
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
function close(seen: Seen, unit: Unit): Result<Kept> {
  const { held } = unit;
  switch (held?.kind) {
    case 'items':
      return bounded(outcomeOfItems(unit, held, seen.contents));
    case 'iterations':
      return outcomeOfIterations(unit, held);
    case 'body':
      return bounded(outcomeOfBody(seen, unit, held));
    case undefined:
      throw new TypeError(`${unit.path} holds nothing that could be closed`);
  }
}

/** A value that is small enough to be kept. */
function bounded(value: Result<Json>): Result<Json> {
  return value.ok ? boundedValue(value.value) : value;
}

function outcomeOfBody(seen: Seen, unit: Unit, { scope }: HeldBody): Result<Json> {
  if (scope.fatal !== undefined) return fail(scope.fatal);
  const value = outputOf(seen, scope, (reads) => scopeOf(seen, unit, reads, scope));
  return value.ok ? value : fail(located(value.failure, 'repeat.body.output'));
}

function outputOfRun(seen: Seen): Result<Json> {
  const { root } = seen.state;
  const value = outputOf(seen, root, (reads) => ({ ...scopeOfRun(seen), steps: stepsIn(seen, root, reads) }));
  if (!value.ok) return fail(located(value.failure, 'output'));
  const issues = root.graph.outputCheck?.(value.value) ?? [];
  return issues.length === 0 ? bounded(value) : fail(outputInvalid(issues));
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
function outputOf(
  { contents }: Seen,
  { graph, units }: Scope,
  scopeWith: (reads: Reads) => JsonObject,
): Result<Json> {
  if (graph.output !== undefined) return evaluateValue(graph.output, scopeWith(graph.outputReads));
  const leaves = graph.steps.filter(({ dependents, isLast }) => dependents.length === 0 && !isLast);
  const outputs = leaves.map(({ id, index }) => [id, contents.read(units[index]?.output ?? null)] as const);
  return ok(fromEntries(outputs));
}

/** What undoes a unit sees what that has seen, and its output. */
function scopeSeenBy(seen: Seen, unit: Unit): JsonObject {
  const { undoes } = unit;
  if (undoes === undefined) return scopeOf(seen, unit, unit.step.reads);
  return { ...scopeOf(seen, undoes, undoes.step.reads), output: seen.contents.read(undoes.output ?? null) };
}

/** What the expressions of a unit see: the run, the steps that they read, the item and the iteration around it. */
function scopeOf(seen: Seen, unit: Unit, reads: Reads, scope: Scope = unit.scope): JsonObject {
  const steps = stepsIn(seen, scope, reads);
  return { ...scopeOfRun(seen), steps, ...itemOf(seen, unit), ...iterationOf(seen, unit) };
}

function scopeOfRun({ state }: Seen): JsonObject {
  const { queued, runId, context, ending } = state;
  const end = ending && { status: ending.status, error: ending.failure ? errorOf(ending.failure) : null };
  const started = { id: runId, createdAt: isoOf(state.createdAt), tags: queued.options.tags };
  const run = end === undefined ? started : { ...started, end };
  return { input: queued.input, context, run };
}

function stepsIn(seen: Seen, scope: Scope, { own, outer }: Reads): JsonObject {
  const steps = {};
  const units = [
    ...own.map((index) => scope.units[index]),
    ...outer.map(({ up, index }) => scopeAbove(scope, up)?.units[index]),
  ];
  for (const unit of units) if (unit !== undefined) setOwn(steps, unit.step.id, viewOf(seen, unit));
  return steps;
}

function scopeAbove(scope: Scope, up: number): Scope | undefined {
  let at: Scope | undefined = scope;
  for (let level = 0; level < up; level += 1) at = at?.holder?.scope;
  return at;
}

/** What an expression sees of a step. The output of a step that did not complete reads as null. */
function viewOf({ contents }: Seen, { status, output, failure }: UnitRecord): Json {
  const error = status === 'failed' && failure !== undefined ? errorOf(failure) : null;
  return { status, output: contents.read(output ?? null), error };
}

function errorOf({ code, message }: Failure): Json {
  return { code, message };
}

/** The nearest item around a unit, or itself. A batch is a list. */
function itemOf({ contents }: Seen, unit: Unit): JsonObject {
  const item = nearest(unit, 'item');
  if (item?.holder === undefined) return {};
  const list = (contents.read(item.holder.input ?? null) ?? []) as readonly Json[];
  const batchSize = item.step.forEach?.batchSize ?? 1;
  const index = item.number;
  if (batchSize === 1) return { item: list[index] ?? null, index };
  return { item: list.slice(index * batchSize, (index + 1) * batchSize), index };
}

/** The nearest iteration around a unit, or itself, and the output of the one before. */
function iterationOf({ contents }: Seen, unit: Unit): JsonObject {
  const iteration = nearest(unit, 'iteration');
  const held = iteration?.holder?.held;
  if (iteration === undefined || held?.kind !== 'iterations') return {};
  const previous = contents.read(held.ended[iteration.number - 1]?.output ?? null);
  return { iteration: iteration.number, previous };
}

function nearest(unit: Unit, role: Unit['role']): Unit | undefined {
  for (let at: Unit | undefined = unit; at !== undefined; at = around(at)) if (at.role === role) return at;
  return undefined;
}
