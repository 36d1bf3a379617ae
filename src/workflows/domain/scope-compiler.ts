/**
 * Compiling one scope of steps: the definition's own or the body of a loop.
 *
 * Decided here: edges, what each expression may read, defaults of steps, and every problem beyond the shape of fields.
 * Decided elsewhere: one field at a time (step-fields.schema.ts, kinds/), expressions (expressions/), retry defaults
 * (retry-policy.ts), whether agents and schemas exist (workflow.service.ts).
 */
import type { References } from '../../expressions/references.js';
import type { Issue } from '../../kernel/failure.js';
import { getOwn, isJsonObject, pointerToken, type Json, type JsonObject } from '../../kernel/json.js';
import { isContextPath, PATH_EXPECTED, readWrites, type CompiledWrite } from './context-writes.js';
import { findCycles } from './cycles.js';
import type { StepDefinition } from './definition.schema.js';
import type { CompiledStep, Graph, OuterRead } from './graph.js';
import { kindOf } from './implied-kind.js';
import { readAgent } from './kinds/agent.step.js';
import { STEP_READERS, type StepKind, type StepWork } from './kinds/step-kinds.js';
import { readForEach, readRepeat } from './repetition.js';
import { ascending, joined, NO_READS, NONE, NOTHING, ReadSet } from './read-set.js';
import { resolveRetry } from './retry-policy.js';
import { STEP_ID } from './step-fields.schema.js';
import { flowOf, optionalOf } from './step-flow.js';
import { StepReader } from './step-reader.js';
import { findWriteConflicts, type PlacedWrite } from './write-conflicts.js';

/** What every expression of a definition may read. */
const DEFINITION_ROOTS: ReadonlySet<string> = new Set(['input', 'context', 'steps', 'run']);
const ITEM_ROOTS = ['item', 'index'];
const ITERATION_ROOTS = ['iteration', 'previous'];

/** How many edges there may be for each step. */
const MAX_EDGES_PER_STEP = 50;
/** How many steps of a cycle a message names. */
const MAX_CYCLE_SHOWN = 50;

/** Where a scope stands in its definition; absent for the definition's own. */
interface Surroundings {
  readonly outer: ScopeCompiler;
  readonly pointer: string;
  /** The key of the loop, with a slash. */
  readonly keyPrefix: string;
  readonly roots: ReadonlySet<string>;
}

/** Where a step stands, and what its work may read. */
interface Place {
  readonly index: number;
  readonly pointer: string;
  readonly key: string;
  readonly roots: ReadonlySet<string>;
}

export class ScopeCompiler {
  readonly issues: Issue[];
  /** Steps of scopes around that this one reads. */
  readonly outerReads = new ReadSet();
  /** What steps of this scope write, those of bodies included. */
  readonly writes: PlacedWrite[] = [];
  readonly #steps: readonly Json[];
  readonly #indexOf = new Map<string, number>();
  /** The steps whose failures a step catches, by its index. */
  readonly #catchesOf = new Map<number, readonly number[]>();
  /** The steps that wait for a step, by its index: each is added as it is read, so they are ascending. */
  readonly #dependentsOf: readonly number[][];
  readonly #pointer: string;
  readonly #keyPrefix: string;
  readonly #roots: ReadonlySet<string>;

  constructor(
    private readonly json: JsonObject,
    private readonly around?: Surroundings,
  ) {
    this.#steps = stepsOf(json);
    this.#dependentsOf = this.#steps.map(() => []);
    this.issues = around?.outer.issues ?? [];
    this.#pointer = around?.pointer ?? '';
    this.#keyPrefix = around?.keyPrefix ?? '';
    this.#roots = around?.roots ?? DEFINITION_ROOTS;
  }

  /** Compiles what can be compiled; what is wrong is added to `issues`. */
  compile(): Graph {
    this.#readIds();
    this.#readCatches();
    const steps = this.#steps.map((step, index) => this.#readStep(isJsonObject(step) ? step : {}, index));
    const outputReads = new ReadSet();
    const output = this.#readerOf(this.json, this.#pointer, outputReads).value('output');
    this.#keep(outputReads);
    if (this.around === undefined) this.#checkDefinition();
    const edgeCount = steps.reduce((count, { dependencies }) => count + dependencies.length, 0);
    this.#checkEdges(steps, edgeCount);
    const lastSteps = steps.filter(({ isLast }) => isLast).map(({ index }) => index);
    if (outputReads.own.some((index) => steps[index]?.isLast === true)) this.#refuseOutput();
    return {
      steps,
      indexOf: this.#indexOf,
      edgeCount,
      lastSteps,
      ...(output && { output }),
      outputReads: outputReads.reads,
    };
  }

  #refuseOutput(): void {
    const message = 'the output reads a step that runs after it is known';
    this.#add(`${this.#pointer}/output`, 'step.finally-depended-on', message);
  }

  /** Where a step is, seen from a scope so many levels further in. */
  find(id: string, up: number): OuterRead | undefined {
    const index = this.#indexOf.get(id);
    return index === undefined ? this.around?.outer.find(id, up + 1) : { up, index };
  }

  #readIds(): void {
    for (const [index, step] of this.#steps.entries()) {
      const id = idOf(step);
      if (!STEP_ID.test(id)) continue;
      const first = this.#indexOf.get(id);
      const pointer = `${this.#pointer}/steps/${index}/id`;
      if (first !== undefined)
        this.#add(pointer, 'step.duplicate-id', `step ${first} has the id "${id}" already`);
      else if (this.around?.outer.find(id, 1) !== undefined)
        this.#add(pointer, 'step.duplicate-id', `a step around this loop has the id "${id}" already`);
      else this.#indexOf.set(id, index);
    }
  }

  /** A step that catches failures waits for the steps that they may come from. */
  #readCatches(): void {
    for (const [index, step] of this.#steps.entries()) {
      const id = isJsonObject(step) ? getOwn(step, 'catch') : undefined;
      if (typeof id !== 'string' || !STEP_ID.test(id)) continue;
      const caughtBy = this.#indexOf.get(id);
      const pointer = `${this.#pointer}/steps/${index}/catch`;
      if (caughtBy === undefined) this.#add(pointer, 'step.unknown-dependency', `there is no step "${id}"`);
      else this.#catchesOf.set(caughtBy, [...(this.#catchesOf.get(caughtBy) ?? []), index]);
    }
  }

  /** What every step has comes first in it: an object that begins as a copy of others is slow to make and large. */
  #readStep(json: JsonObject, index: number): CompiledStep {
    const reads = new ReadSet();
    const writesBefore = this.writes.length;
    const pointer = `${this.#pointer}/steps/${index}`;
    const reader = this.#readerOf(json, pointer, reads);
    const id = idOf(json);
    const key = `${this.#keyPrefix}${id}`;
    const roots = rootsInside(json, this.#roots);
    const when = reader.condition('when');
    const body = this.#readBody(json, { index, pointer, key, roots });
    const rounds = readRounds(reader, roots, body?.graph);
    const layers = layersOf(rounds);
    const work = workOf(roots === this.#roots ? reader : reader.with(roots));
    const writes = this.#readWrites(reader, index, roots);
    if (rounds.forEach !== undefined) this.#checkMappedWrites(writesBefore);
    const compensation = this.#readCompensation(reader, index, roots);
    this.#checkRetry(json, pointer);
    this.#keep(reads);
    const catches = this.#catchesOf.get(index) ?? NONE;
    const isLast = this.#readLast(json, pointer);
    const named = joined(joined(catches, reads.own), body?.reads.own ?? NONE);
    const dependencies = this.#waitFor(json, { index, pointer, named, isLast });
    return {
      index,
      id,
      key,
      pointer,
      definition: json as unknown as StepDefinition,
      work,
      layers,
      dependencies,
      dependents: this.#dependentsOf[index] ?? NONE,
      reads: reads.reads,
      isConstant: when === undefined && layers.length === 0 && isConstant(work),
      ...flowOf(json as unknown as StepDefinition, this.#root()),
      catches,
      writes,
      isLast,
      ...this.#caughtBy(json),
      ...(when && { when }),
      ...rounds,
      ...optionalOf(json),
      ...compensation,
    };
  }

  #caughtBy(step: JsonObject): Pick<CompiledStep, 'caughtBy'> {
    const caughtBy = this.#indexOf.get(textOf(step, 'catch'));
    return caughtBy === undefined ? NOTHING : { caughtBy };
  }

  /** The steps in a loop, and which steps of this scope they read. */
  #readBody(
    step: JsonObject,
    { index, pointer, key, roots }: Place,
  ): { readonly graph: Graph; readonly reads: ReadSet } | undefined {
    const body = bodyOf(step);
    if (body === undefined) return undefined;
    const inner = { outer: this, pointer: `${pointer}/repeat/body`, keyPrefix: `${key}/`, roots };
    const compiler = new ScopeCompiler(body, inner);
    const graph = compiler.compile();
    const reads = new ReadSet();
    for (const read of compiler.outerReads.outer) reads.add({ ...read, up: read.up - 1 });
    this.#keep(reads);
    for (const write of compiler.writes) this.writes.push({ ...write, index });
    return { graph, reads };
  }

  #readWrites(step: StepReader, index: number, roots: ReadonlySet<string>): readonly CompiledWrite[] {
    if (getOwn(step.json, 'writes') === undefined) return NONE;
    const reader = step.inner('writes', withRoots(roots, ['output']));
    if (reader === undefined) return NONE;
    const writes = readWrites(reader, this.#root());
    for (const { path, keys, reducer } of writes)
      this.writes.push({ index, path, keys, reducer, pointer: `${reader.pointer}/${pointerToken(path)}` });
    return writes;
  }

  #readLast(step: JsonObject, pointer: string): boolean {
    if (getOwn(step, 'finally') !== true) return false;
    if (this.around === undefined) return true;
    this.#add(`${pointer}/finally`, 'field.invalid', 'a step of a body can not run after everything else');
    return false;
  }

  /** What undoes a step: it may read what the step may, and its output. */
  #readCompensation(
    step: StepReader,
    index: number,
    roots: ReadonlySet<string>,
  ): Pick<CompiledStep, 'compensation'> {
    if (getOwn(step.json, 'compensate') === undefined) return NOTHING;
    const reader = step.inner('compensate', withRoots(roots, ['output']));
    if (reader === undefined) return NOTHING;
    const definition = step.json as unknown as StepDefinition;
    const { retry, hasPolicy } = flowOf(definition, this.#root());
    const { timeoutMs, totalTimeoutMs } = optionalOf(step.json);
    return {
      compensation: {
        index,
        id: idOf(step.json),
        key: `${this.#keyPrefix}${idOf(step.json)}~compensate`,
        pointer: reader.pointer,
        definition,
        work: readAgent(reader),
        ...{ retry, hasPolicy, join: 'none_failed', onError: 'continue', isLast: false, isConstant: false },
        ...{
          layers: NONE,
          dependencies: NONE,
          dependents: NONE,
          catches: NONE,
          writes: NONE,
          reads: NO_READS,
        },
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(totalTimeoutMs !== undefined && { totalTimeoutMs }),
      },
    };
  }

  /** The steps that a step waits for: those that it names by its expressions, and those that it states. */
  #waitFor(
    json: JsonObject,
    {
      index,
      pointer,
      named,
      isLast,
    }: { index: number; pointer: string; named: readonly number[]; isLast: boolean },
  ): readonly number[] {
    const all = ascending(joined(this.#readDependencies(json, pointer), named));
    const dependencies = isLast ? all.filter((dependency) => this.#isLast(dependency)) : all;
    if (!isLast) this.#refuseWaitingForLast(json, pointer, dependencies);
    for (const dependency of dependencies) this.#dependentsOf[dependency]?.push(index);
    return dependencies;
  }

  #isLast(index: number): boolean {
    const step = this.around === undefined ? this.#steps[index] : undefined;
    return isJsonObject(step) && getOwn(step, 'finally') === true;
  }

  /** What runs last has nothing to wait for but its like, and nothing else waits for it. */
  #refuseWaitingForLast(json: JsonObject, pointer: string, dependencies: readonly number[]): void {
    const caughtBy = this.#indexOf.get(textOf(json, 'catch'));
    const last = [...dependencies, ...(caughtBy === undefined ? NONE : [caughtBy])].find((one) =>
      this.#isLast(one),
    );
    if (last === undefined) return;
    const message = `step "${idOf(this.#steps[last])}" runs after everything else: nothing can wait for it`;
    this.#add(pointer, 'step.finally-depended-on', message);
  }

  /** Items have no order: none may replace what another has written. */
  #checkMappedWrites(from: number): void {
    for (const { reducer, path, pointer } of this.writes.slice(from)) {
      if (reducer !== 'replace') continue;
      const message = `each item would replace "${path}": give it a reducer in contextReducers`;
      this.#add(pointer, 'context.write-conflict', message);
    }
  }

  #readerOf(json: JsonObject, pointer: string, reads: ReadSet): StepReader {
    return new StepReader(json, pointer, this.#roots, {
      reads: (references, at) => {
        this.#resolve(references, at, reads);
      },
      problem: (at, code, message) => {
        this.#add(at, code, message);
      },
    });
  }

  #resolve(references: References, pointer: string, reads: ReadSet): void {
    for (const id of references.steps.keys()) {
      const found = this.find(id, 0);
      if (found !== undefined) reads.add(found);
      else this.#add(pointer, 'reference.unknown-step', `there is no step "${id}"`);
    }
  }

  #keep(reads: ReadSet): void {
    for (const read of reads.outer) this.outerReads.add(read);
  }

  #readDependencies(step: JsonObject, pointer: string): readonly number[] {
    const ids = getOwn(step, 'dependsOn');
    if (!Array.isArray(ids)) return NONE;
    const found: number[] = [];
    for (const [position, id] of (ids as readonly Json[]).entries()) {
      const index = typeof id === 'string' ? this.#indexOf.get(id) : undefined;
      if (index !== undefined) found.push(index);
      else if (typeof id === 'string' && STEP_ID.test(id))
        this.#add(`${pointer}/dependsOn/${position}`, 'step.unknown-dependency', `there is no step "${id}"`);
    }
    return found;
  }

  #root(): JsonObject {
    return this.around === undefined ? this.json : this.around.outer.#root();
  }

  /** What is said of the definition as a whole. */
  #checkDefinition(): void {
    this.#checkRetry(this.json, '');
    const reducers = getOwn(this.json, 'contextReducers');
    for (const path of isJsonObject(reducers) ? Object.keys(reducers) : [])
      if (!isContextPath(path))
        this.#add(`/contextReducers/${pointerToken(path)}`, 'field.invalid', PATH_EXPECTED);
  }

  /** A policy whose first delay is above its largest is a mistake, seen only together with the defaults. */
  #checkRetry(holder: JsonObject, pointer: string): void {
    const own = intervalsOf(holder);
    if (own === undefined) return;
    const { initialIntervalMs, maxIntervalMs } = resolveRetry(intervalsOf(this.#root()), own);
    if (initialIntervalMs <= maxIntervalMs) return;
    const message = `initialIntervalMs is ${initialIntervalMs}, more than maxIntervalMs, which is ${maxIntervalMs}`;
    this.#add(`${pointer}/retry`, 'field.invalid', message);
  }

  #checkEdges(steps: readonly CompiledStep[], edges: number): void {
    const maxEdges = MAX_EDGES_PER_STEP * steps.length;
    if (edges > maxEdges) {
      const message = `${steps.length} steps have at most ${maxEdges} dependencies, these have ${edges}`;
      this.#add(`${this.#pointer}/steps`, 'definition.too-many-edges', message);
    }
    const dependencies = steps.map((step) => step.dependencies);
    const cycles = findCycles(dependencies);
    for (const cycle of cycles) this.#addCycle(cycle);
    if (cycles.length > 0) return;
    for (const phase of [false, true])
      this.#checkWrites(
        this.writes.filter(({ index }) => steps[index]?.isLast === phase),
        dependencies,
      );
  }

  #checkWrites(writes: readonly PlacedWrite[], dependencies: readonly (readonly number[])[]): void {
    for (const { write, other } of findWriteConflicts(writes, dependencies)) {
      const message =
        `"${write.path}" is written and step "${idOf(this.#steps[other.index])}" writes "${other.path}", ` +
        'neither before the other: make one depend on the other, or give the path a reducer in contextReducers';
      this.#add(write.pointer, 'context.write-conflict', message);
    }
  }

  #addCycle(cycle: readonly number[]): void {
    const [first = 0] = cycle;
    const ids = [...cycle, first].map((index) => idOf(this.#steps[index]));
    const shown =
      ids.length <= MAX_CYCLE_SHOWN ? ids : [...ids.slice(0, MAX_CYCLE_SHOWN - 1), '…', ...ids.slice(-1)];
    const message = `each of these steps waits for the next: ${shown.join(' → ')}`;
    this.#add(`${this.#pointer}/steps/${first}`, 'graph.cycle', message);
  }

  #add(pointer: string, code: string, message: string): void {
    this.issues.push({ pointer, code, message });
  }
}

/** The steps of a scope as far as they are a list. */
export function stepsOf(scope: unknown): readonly Json[] {
  const steps = isJsonObject(scope) ? getOwn(scope, 'steps') : undefined;
  return Array.isArray(steps) ? (steps as readonly Json[]) : [];
}

/** The body of a step, where it has one. */
export function bodyOf(step: unknown): JsonObject | undefined {
  const repeat = isJsonObject(step) ? getOwn(step, 'repeat') : undefined;
  const body = isJsonObject(repeat) ? getOwn(repeat, 'body') : undefined;
  return isJsonObject(body) ? body : undefined;
}

type Rounds = Pick<CompiledStep, 'forEach' | 'repeat'>;

/** How often a step is carried out. */
function readRounds(reader: StepReader, roots: ReadonlySet<string>, body: Graph | undefined): Rounds {
  const forEach = reader.inner('forEach');
  const repeat =
    getOwn(reader.json, 'repeat') === undefined
      ? undefined
      : reader.inner('repeat', withRoots(roots, ['output']));
  if (forEach === undefined && repeat === undefined) return NOTHING;
  return {
    ...(forEach && { forEach: readForEach(forEach) }),
    ...(repeat && { repeat: readRepeat(repeat, body) }),
  };
}

/** What a step holds, from the outside in. */
function layersOf({ forEach, repeat }: Rounds): CompiledStep['layers'] {
  if (forEach === undefined && repeat === undefined) return NONE;
  return [...(forEach ? (['items'] as const) : []), ...(repeat ? (['iterations'] as const) : [])];
}

/** Reads what a step does; one of an unknown kind, which the shape refuses, as one that calls an agent. */
function workOf(reader: StepReader): StepWork {
  const kind = kindOf(reader.json);
  return STEP_READERS[Object.hasOwn(STEP_READERS, kind) ? (kind as StepKind) : 'agent'](reader);
}

function isConstant(work: StepWork): boolean {
  return work.kind === 'agent' && work.variables === undefined && work.input.program === undefined;
}

/** What the expressions of a step's work may read beside those around it. */
function rootsInside(step: JsonObject, around: ReadonlySet<string>): ReadonlySet<string> {
  const inItem = getOwn(step, 'forEach') === undefined ? around : withRoots(around, ITEM_ROOTS);
  return getOwn(step, 'repeat') === undefined ? inItem : withRoots(inItem, ITERATION_ROOTS);
}

function withRoots(roots: ReadonlySet<string>, more: readonly string[]): ReadonlySet<string> {
  return new Set([...roots, ...more]);
}

function idOf(step: Json | undefined): string {
  return isJsonObject(step) ? textOf(step, 'id') : '';
}

function textOf(json: JsonObject, field: string): string {
  const text = getOwn(json, field);
  return typeof text === 'string' ? text : '';
}

/** The intervals of a retry policy as far as they are numbers. */
function intervalsOf(holder: JsonObject): { initialIntervalMs?: number; maxIntervalMs?: number } | undefined {
  const retry = getOwn(holder, 'retry');
  if (!isJsonObject(retry)) return undefined;
  const initialIntervalMs = getOwn(retry, 'initialIntervalMs');
  const maxIntervalMs = getOwn(retry, 'maxIntervalMs');
  return {
    ...(typeof initialIntervalMs === 'number' && { initialIntervalMs }),
    ...(typeof maxIntervalMs === 'number' && { maxIntervalMs }),
  };
}
