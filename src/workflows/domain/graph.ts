/**
 * The compiled form of a definition: what the engine runs.
 *
 * Decided here: what is known of a step and of a scope of steps. Decided elsewhere: how it is made of a definition
 * (scope-compiler.ts), what each kind does (kinds/), joins (join.ts).
 */
import type { CompiledCel } from '../../expressions/cel.js';
import type { CompiledValue } from '../../expressions/value.js';
import type { Json, JsonObject } from '../../kernel/json.js';
import type { ValueCheck } from './value-check.js';
import type { CompiledWrite } from './context-writes.js';
import type { Join, OnError, StepDefinition } from './definition.schema.js';
import type { StepWork } from './kinds/step-kinds.js';
import type { ResolvedRetryPolicy } from './retry-policy.js';

/** One scope of steps, compiled: the definition's own or the body of a loop. Immutable; all its runs share it. */
export interface Graph {
  /** In the order of the definition. */
  readonly steps: readonly CompiledStep[];
  /** The index of a step by its id. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** Pairs of a step of this scope and one that it waits for. */
  readonly edgeCount: number;
  /** Absent: the definition names no output. */
  readonly output?: CompiledValue;
  /** Indexes of the steps that run last, however the run ends; only the definition's own scope has some. */
  readonly lastSteps: readonly number[];
  /** The steps that the output reads. */
  readonly outputReads: Reads;
  /** Checks the output of the run; absent where it has no schema. */
  readonly outputCheck?: ValueCheck;
}

/** The steps that an expression reads. */
export interface Reads {
  /** Indexes of steps of the same scope, ascending. */
  readonly own: readonly number[];
  /** Steps of scopes around it. */
  readonly outer: readonly OuterRead[];
}

/** A step of a scope around. */
export interface OuterRead {
  /** How many scopes further out: 1 is the one in which the loop stands. */
  readonly up: number;
  readonly index: number;
}

/** What a step holds, from the outside in: a unit for each item, a unit for each iteration. */
export type Layer = 'items' | 'iterations';

/** One step, with its defaults and its place in the graph. */
export interface CompiledStep {
  /** Its place among the steps of its scope. */
  readonly index: number;
  readonly id: string;
  /** Its id after those of the loops around it: `polish/check`. Unique in the definition. */
  readonly key: string;
  /** JSON Pointer from the root of the definition. */
  readonly pointer: string;
  /** The step as it was sent. */
  readonly definition: StepDefinition;
  /** What it does. */
  readonly work: StepWork;
  readonly layers: readonly Layer[];
  /** Present when there is a layer `items`. */
  readonly forEach?: CompiledForEach;
  /** Present when there is a layer `iterations`. */
  readonly repeat?: CompiledRepeat;
  /** Indexes of the steps that it waits for: `dependsOn` and every step that its expressions read. Ascending. */
  readonly dependencies: readonly number[];
  /** Indexes of the steps that wait for it, ascending. */
  readonly dependents: readonly number[];
  /** The steps that its own expressions read; those of its body are the body's. */
  readonly reads: Reads;
  readonly when?: CompiledCel;
  /** True when nothing has to be evaluated: no condition, no layer, no template, an input without expressions. */
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
  /** The step that runs when this one has failed, by its index. */
  readonly caughtBy?: number;
  /** The steps whose failures it catches, by index; it runs only when one of them has failed. */
  readonly catches: readonly number[];
  /** Whether it runs after everything else, however the run ends. Only other such steps are its dependencies. */
  readonly isLast: boolean;
  /** What undoes it: calling an agent, under the id of the step. */
  readonly compensation?: CompiledStep;
  /** What it writes to the context each time that it has been carried out. */
  readonly writes: readonly CompiledWrite[];
  /** What a resolved input must satisfy. */
  readonly inputSchema?: JsonObject;
  /** Checks the resolved input; absent where it has no schema. */
  readonly inputCheck?: ValueCheck;
  /** Limit of the time for which it is ready and has no place; time in which the run does not execute does not count. */
  readonly queueTimeoutMs?: number;
  /** Limit between two parts that an attempt streams. */
  readonly idleTimeoutMs?: number;
  /** What a completed output must satisfy. */
  readonly outputSchema?: JsonObject;
  /** Checks a completed output; absent where it has no schema. */
  readonly outputCheck?: ValueCheck;
}

/** Carrying a step out once for each item, with its defaults. */
export interface CompiledForEach {
  /** An expression that gives a list, or the list. */
  readonly items: CompiledCel | readonly Json[];
  /** Items under way at once; Infinity where only the run's own limit holds. */
  readonly maxConcurrency: number;
  /** Elements of the list in one item; above 1 an item is a list itself. */
  readonly batchSize: number;
  readonly toleratedFailureCount: number;
  /** 0 to 100. */
  readonly toleratedFailurePercentage: number;
}

/** Repeating a step, with its defaults. */
export interface CompiledRepeat {
  /** Absent: it is repeated until it is exhausted. */
  readonly until?: CompiledCel;
  readonly maxIterations: number;
  /** Past it, counted from the start of the step, it is exhausted: no iteration goes on. */
  readonly maxDurationMs?: number;
  readonly onExhausted: 'fail' | 'continue';
  /** The steps of one iteration; absent when the step itself is repeated. */
  readonly body?: Graph;
}

/** Every step of a graph, those of bodies after the loop that they belong to. */
export function* allSteps(graph: Graph): Generator<CompiledStep> {
  for (const step of graph.steps) {
    yield step;
    if (step.repeat?.body !== undefined) yield* allSteps(step.repeat.body);
  }
}

/** The graph with every step, those of bodies too, made anew. */
export function mapSteps(graph: Graph, change: (step: CompiledStep) => CompiledStep): Graph {
  return {
    ...graph,
    steps: graph.steps.map((step) => {
      const changed = change(step);
      const { repeat } = changed;
      if (repeat?.body === undefined) return changed;
      return { ...changed, repeat: { ...repeat, body: mapSteps(repeat.body, change) } };
    }),
  };
}
