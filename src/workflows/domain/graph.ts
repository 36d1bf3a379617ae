/**
 * The compiled form of a definition: what the engine runs.
 *
 * Decided here: edges, what each expression may read, defaults of steps, and every problem of a definition at once.
 * Decided elsewhere: one field at a time (definition.schema.ts), expressions (expressions/), retry defaults
 * (retry-policy.ts), joins (join.ts), whether agents and schemas exist (workflow.service.ts).
 */
import { compileCel, type CompiledCel } from '../../expressions/cel.js';
import { describeProblem, type ExpressionProblem } from '../../expressions/problem.js';
import type { References } from '../../expressions/references.js';
import { compileValue, type CompiledValue } from '../../expressions/value.js';
import type { Issue } from '../../kernel/failure.js';
import type { fieldErrors } from '../../kernel/field.errors.js';
import { getOwn, isJsonObject, type Json, type JsonObject } from '../../kernel/json.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import type { TemplateProgram } from '../../templates/domain/parse.js';
import type { SchemaCheck } from '../../templates/domain/variable.js';
import { findCycles } from './cycles.js';
import type { definitionErrors } from './definition.errors.js';
import { listShapeIssues } from './definition-issues.js';
import {
  STEP_ID,
  type Join,
  type OnError,
  type StepDefinition,
  type WorkflowDefinition,
} from './definition.schema.js';
import { resolveRetry, type ResolvedRetryPolicy } from './retry-policy.js';

/** What the expressions of a step and of the run's output may read. */
export const DEFINITION_ROOTS: ReadonlySet<string> = new Set(['input', 'context', 'steps', 'run']);

/** The codes of a definition's problems. */
type IssueCode = keyof typeof definitionErrors | keyof typeof fieldErrors;

/** How many edges there may be for each step. */
const MAX_EDGES_PER_STEP = 50;
/** How many steps of a cycle a message names. */
const MAX_CYCLE_SHOWN = 50;

/** A definition, compiled. Immutable; all runs of the definition share it. */
export interface Graph {
  /** In the order of the definition. */
  readonly steps: readonly CompiledStep[];
  /** The index of a step by its id. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** Pairs of a step and one that it waits for. */
  readonly edgeCount: number;
  /** Absent: the definition names no output. */
  readonly output?: CompiledValue;
  /** Indexes of the steps that the output reads, ascending. */
  readonly outputReads: readonly number[];
}

/** One step, with its defaults and its place in the graph. */
export interface CompiledStep {
  readonly index: number;
  readonly id: string;
  readonly kind: 'agent';
  /** The step as it was sent. */
  readonly definition: StepDefinition;
  /** The key of the agent that it calls. */
  readonly agentKey: string;
  /** Indexes of the steps that it waits for: `dependsOn` and every step that its expressions read. Ascending. */
  readonly dependencies: readonly number[];
  /** Indexes of the steps that wait for it, ascending. */
  readonly dependents: readonly number[];
  /** Indexes of the steps that its expressions read, ascending. */
  readonly reads: readonly number[];
  readonly when?: CompiledCel;
  /** What the agent is given; `{}` where the definition gives nothing. The run's input is not passed by itself. */
  readonly input: CompiledValue;
  /** What its template is given; absent when it has no template. */
  readonly variables?: CompiledValue;
  /** Its template, once it is known which version that is: it is rendered and laid over the input. */
  readonly template?: StepTemplate;
  /** True when nothing has to be evaluated: no condition, no template, and an input without expressions. */
  readonly isConstant: boolean;
  readonly join: Join;
  readonly onError: OnError;
  readonly retry: ResolvedRetryPolicy;
  /** Whether the definition or the step gives a retry policy. */
  readonly hasPolicy: boolean;
  /** Limit of one attempt. */
  readonly timeoutMs?: number;
  /** Limit of all attempts together. */
  readonly totalTimeoutMs?: number;
}

/** The template of a step, ready to be rendered. */
export interface StepTemplate {
  readonly program: TemplateProgram;
  /** What JSON Schemas of variables are checked with. */
  readonly check: SchemaCheck;
}

export interface CompiledDefinition {
  /** The definition as it was sent, the same object. */
  readonly definition: WorkflowDefinition;
  readonly graph: Graph;
}

export interface DefinitionLimits {
  readonly maxSteps: number;
}

/**
 * Compiles a definition, in time linear in its steps and edges.
 *
 * @param json as it was sent; it is kept, and must not be changed afterwards
 * @returns the graph, or every problem with its JSON Pointer from the root of the definition. Of a definition with
 *   too many steps only that is said.
 */
export function compileDefinition(
  json: unknown,
  limits: DefinitionLimits,
): Result<CompiledDefinition, readonly Issue[]> {
  const steps = stepsOf(json);
  if (steps.length > limits.maxSteps) {
    const message = `a definition has at most ${limits.maxSteps} steps, this one has ${steps.length}`;
    return fail([issueAt('/steps', 'definition.too-many-steps', message)]);
  }
  const compiler = new DefinitionCompiler(isJsonObject(json) ? json : {}, steps);
  const issues = [...listShapeIssues(json), ...compiler.check()];
  if (issues.length > 0) return fail(issues);
  const definition = json as WorkflowDefinition;
  return ok({ definition, graph: compiler.graphOf(definition) });
}

/** What could be understood of one step, whatever else is wrong with the definition. */
interface Draft {
  readonly when?: CompiledCel;
  readonly input?: CompiledValue;
  readonly variables?: CompiledValue;
  readonly reads: readonly number[];
  readonly dependencies: readonly number[];
}

const NO_INPUT = compiled({});

class DefinitionCompiler {
  readonly #issues: Issue[] = [];
  readonly #indexOf = new Map<string, number>();
  #drafts: readonly Draft[] = [];
  #output: { readonly value?: CompiledValue; readonly reads: readonly number[] } = { reads: [] };

  constructor(
    private readonly json: JsonObject,
    private readonly steps: readonly Json[],
  ) {}

  /** Compiles what can be compiled. Answers with everything that is wrong beyond the shape. */
  check(): readonly Issue[] {
    this.#readIds();
    this.#drafts = this.steps.map((step, index) => this.#readStep(isJsonObject(step) ? step : {}, index));
    const output = this.#compileValue(this.json, '', 'output');
    this.#output = { ...(output && { value: output }), reads: this.#stepsIn(output, '/output') };
    this.#checkRetry(this.json, '');
    this.#checkEdges();
    return this.#issues;
  }

  /** The graph of a definition in which nothing is wrong. */
  graphOf(definition: WorkflowDefinition): Graph {
    const dependents = reverse(this.#drafts.map((draft) => draft.dependencies));
    const steps = definition.steps.map((step, index) =>
      compileStep(definition, step, { ...this.#draftAt(index), index, dependents: dependents[index] ?? [] }),
    );
    const { value, reads } = this.#output;
    return {
      steps,
      indexOf: this.#indexOf,
      edgeCount: this.#countEdges(),
      ...(value && { output: value }),
      outputReads: reads,
    };
  }

  #readIds(): void {
    for (const [index, step] of this.steps.entries()) {
      const id = isJsonObject(step) ? getOwn(step, 'id') : undefined;
      if (typeof id !== 'string' || !STEP_ID.test(id)) continue;
      const first = this.#indexOf.get(id);
      if (first === undefined) this.#indexOf.set(id, index);
      else this.#add(`/steps/${index}/id`, 'step.duplicate-id', `step ${first} has the id "${id}" already`);
    }
  }

  #readStep(step: JsonObject, index: number): Draft {
    const pointer = `/steps/${index}`;
    const when = this.#compileCondition(step, pointer);
    const input = this.#compileValue(step, pointer, 'input');
    const variables = this.#compileVariables(step, pointer, input);
    const read = [
      ...this.#resolve(when?.references, `${pointer}/when`),
      ...this.#stepsIn(input, `${pointer}/input`),
      ...this.#stepsIn(variables, `${pointer}/template/variables`),
    ];
    this.#checkRetry(step, pointer);
    return {
      ...(when && { when }),
      ...(input && { input }),
      ...(variables && { variables }),
      reads: ascending(read),
      dependencies: ascending([...read, ...this.#readDependencies(step, pointer)]),
    };
  }

  #compileCondition(step: JsonObject, pointer: string): CompiledCel | undefined {
    const when = getOwn(step, 'when');
    if (typeof when !== 'string' || when === '') return undefined;
    const result = compileCel(when, { roots: DEFINITION_ROOTS, result: 'bool' });
    if (result.ok) return result.value;
    this.#addProblem(`${pointer}/when`, result.failure);
    return undefined;
  }

  /** The variables of a step's template. What the template gives is laid over the input, which is then an object. */
  #compileVariables(step: JsonObject, pointer: string, input?: CompiledValue): CompiledValue | undefined {
    const template = getOwn(step, 'template');
    if (!isJsonObject(template)) return undefined;
    if (input !== undefined && !isJsonObject(input.json)) {
      this.#add(`${pointer}/input`, 'field.invalid', 'beside a template the input is an object');
    }
    return this.#compileValue(template, `${pointer}/template`, 'variables') ?? NO_INPUT;
  }

  #compileValue(
    holder: JsonObject,
    pointer: string,
    field: 'input' | 'output' | 'variables',
  ): CompiledValue | undefined {
    const json = getOwn(holder, field);
    if (json === undefined) return undefined;
    const result = compileValue(json, { roots: DEFINITION_ROOTS });
    if (result.ok) return result.value;
    for (const problem of result.failure) this.#addProblem(`${pointer}/${field}${problem.pointer}`, problem);
    return undefined;
  }

  #readDependencies(step: JsonObject, pointer: string): readonly number[] {
    const ids = getOwn(step, 'dependsOn');
    if (!Array.isArray(ids)) return [];
    return (ids as readonly Json[]).flatMap((id, position) => {
      if (typeof id !== 'string' || !STEP_ID.test(id)) return [];
      const index = this.#indexOf.get(id);
      if (index !== undefined) return [index];
      this.#add(`${pointer}/dependsOn/${position}`, 'step.unknown-dependency', `there is no step "${id}"`);
      return [];
    });
  }

  #stepsIn(value: CompiledValue | undefined, pointer: string): readonly number[] {
    const texts = value?.texts ?? [];
    return ascending(texts.flatMap((text) => this.#resolve(text.references, `${pointer}${text.pointer}`)));
  }

  #resolve(references: References | undefined, pointer: string): readonly number[] {
    return [...(references?.steps.keys() ?? [])].flatMap((id) => {
      const index = this.#indexOf.get(id);
      if (index !== undefined) return [index];
      this.#add(pointer, 'reference.unknown-step', `there is no step "${id}"`);
      return [];
    });
  }

  /** A policy whose first delay is above its largest is a mistake, seen only together with the defaults. */
  #checkRetry(holder: JsonObject, pointer: string): void {
    const own = retryOf(holder);
    if (own === undefined) return;
    const { initialIntervalMs, maxIntervalMs } = resolveRetry(retryOf(this.json), own);
    if (initialIntervalMs <= maxIntervalMs) return;
    const message = `initialIntervalMs is ${initialIntervalMs}, more than maxIntervalMs, which is ${maxIntervalMs}`;
    this.#add(`${pointer}/retry`, 'field.invalid', message);
  }

  #checkEdges(): void {
    const edges = this.#countEdges();
    const maxEdges = MAX_EDGES_PER_STEP * this.#drafts.length;
    if (edges > maxEdges) {
      const message = `${this.#drafts.length} steps have at most ${maxEdges} dependencies, these have ${edges}`;
      this.#add('/steps', 'definition.too-many-edges', message);
    }
    for (const cycle of findCycles(this.#drafts.map((draft) => draft.dependencies))) this.#addCycle(cycle);
  }

  #addCycle(cycle: readonly number[]): void {
    const [first = 0] = cycle;
    const ids = [...cycle, first].map((index) => idOf(this.steps[index]));
    const shown =
      ids.length <= MAX_CYCLE_SHOWN ? ids : [...ids.slice(0, MAX_CYCLE_SHOWN - 1), '…', ...ids.slice(-1)];
    this.#add(
      `/steps/${first}`,
      'graph.cycle',
      `each of these steps waits for the next: ${shown.join(' → ')}`,
    );
  }

  #countEdges(): number {
    return this.#drafts.reduce((count, draft) => count + draft.dependencies.length, 0);
  }

  #draftAt(index: number): Draft {
    const draft = this.#drafts[index];
    if (draft === undefined) throw new RangeError(`there is no step ${index}`);
    return draft;
  }

  #add(pointer: string, code: IssueCode, message: string): void {
    this.#issues.push(issueAt(pointer, code, message));
  }

  #addProblem(pointer: string, problem: ExpressionProblem): void {
    this.#issues.push({ pointer, code: problem.code, message: describeProblem(problem) });
  }
}

function compileStep(
  definition: WorkflowDefinition,
  step: StepDefinition,
  {
    index,
    when,
    input = NO_INPUT,
    variables,
    reads,
    dependencies,
    dependents,
  }: Draft & { index: number; dependents: readonly number[] },
): CompiledStep {
  const { id, agent, timeoutMs, totalTimeoutMs } = step;
  return {
    index,
    id,
    kind: 'agent',
    definition: step,
    agentKey: typeof agent === 'string' ? agent : agent.key,
    dependencies,
    dependents,
    reads,
    ...(when && { when }),
    input,
    ...(variables && { variables }),
    isConstant: when === undefined && variables === undefined && input.program === undefined,
    join: step.join ?? 'none_failed',
    onError: step.onError ?? 'fail',
    retry: resolveRetry(definition.retry, step.retry),
    hasPolicy: (definition.retry ?? step.retry) !== undefined,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(totalTimeoutMs !== undefined && { totalTimeoutMs }),
  };
}

/** Per step, the steps that have it among their dependencies, ascending. */
function reverse(dependencies: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const dependents = dependencies.map((): number[] => []);
  for (const [index, list] of dependencies.entries()) {
    for (const dependency of list) dependents[dependency]?.push(index);
  }
  return dependents;
}

function stepsOf(json: unknown): readonly Json[] {
  const steps = isJsonObject(json) ? getOwn(json, 'steps') : undefined;
  return Array.isArray(steps) ? (steps as readonly Json[]) : [];
}

function idOf(step: Json | undefined): string {
  const id = isJsonObject(step) ? getOwn(step, 'id') : undefined;
  return typeof id === 'string' ? id : '';
}

/** The intervals of a retry policy as far as they are numbers. */
function retryOf(holder: JsonObject): { initialIntervalMs?: number; maxIntervalMs?: number } | undefined {
  const retry = getOwn(holder, 'retry');
  if (!isJsonObject(retry)) return undefined;
  const initialIntervalMs = getOwn(retry, 'initialIntervalMs');
  const maxIntervalMs = getOwn(retry, 'maxIntervalMs');
  return {
    ...(typeof initialIntervalMs === 'number' && { initialIntervalMs }),
    ...(typeof maxIntervalMs === 'number' && { maxIntervalMs }),
  };
}

function ascending(indexes: readonly number[]): readonly number[] {
  return [...new Set(indexes)].sort((left, right) => left - right);
}

function compiled(json: Json): CompiledValue {
  const result = compileValue(json);
  if (!result.ok) throw new TypeError('a value without templates has no problems');
  return result.value;
}

function issueAt(pointer: string, code: IssueCode, message: string): Issue {
  return { pointer, code, message };
}
