/**
 * A run driven by hand: the domain's own functions, a clock that a test steps, and outcomes that a function gives.
 *
 * No engine, no store, no promise: what the log would hold is `appends`, one entry for each turn.
 */
import type { Failure } from '../../src/kernel/failure.js';
import type { Json } from '../../src/kernel/json.js';
import { advance, type Advance } from '../../src/runs/domain/advance.js';
import { evaluator } from '../../src/runs/domain/evaluate.js';
import { replay } from '../../src/runs/domain/evolve.js';
import { ALL_INLINE, type Contents } from '../../src/runs/domain/kept.js';
import { nextWakeAt, plannedInvocations, markInvoked } from '../../src/runs/domain/plan.js';
import type { RunCommand } from '../../src/runs/domain/run.commands.js';
import type { RunEvent, RunEventOf } from '../../src/runs/domain/run.events.js';
import { initialState, inOrder, type RunState } from '../../src/runs/domain/run.state.js';
import { isTerminal } from '../../src/runs/domain/run.status.js';
import type { HeldRecord, ScopeRecord, Unit, UnitRecord } from '../../src/runs/domain/unit.js';
import { compileDefinition } from '../../src/workflows/domain/compile-definition.js';
import type { Graph } from '../../src/workflows/domain/graph.js';
import type { SimulatedBlobs } from './simulated-blobs.js';

export const RUN_ID = 'run_00000000000070008000000000000001';

/** How an attempt of a unit ends. It may depend on how often the unit has failed, never on how often it was tried. */
export type Script = (path: string, failures: number) => Ending;

export type Ending =
  | { readonly output: Json }
  | { readonly failure: Failure }
  /** The attempt is closed; somebody outside delivers what the script says of its path and `!`. */
  | { readonly taskId: string };

export interface OpenAttempt {
  readonly path: string;
  readonly attempt: number;
  readonly failures: number;
}

/** Compiles a definition that the test knows to be good. */
export function graphOf(definition: unknown): Graph {
  const compiled = compileDefinition(definition, { maxSteps: 100_000 });
  if (compiled.ok) return compiled.value.graph;
  throw new Error(`not a definition: ${JSON.stringify(compiled.failure)}`);
}

/** Event 1 of a run. */
export function queuedEvent(
  definition: unknown,
  options: Partial<RunEventOf<'run.queued'>['data']['options']> = {},
): RunEventOf<'run.queued'> {
  return {
    runId: RUN_ID,
    seq: 1,
    type: 'run.queued',
    at: new Date(0).toISOString(),
    data: {
      schemaVersion: 1,
      flags: [],
      definition: definition as RunEventOf<'run.queued'>['data']['definition'],
      manifest: { agents: {} },
      input: {},
      context: {},
      options: { priority: 50, tags: [], timeoutMs: 3_600_000, maxParallelSteps: 5, ...options },
    },
  };
}

export class SimulatedRun {
  readonly appends: (readonly RunEvent[])[];
  readonly open = new Map<string, OpenAttempt>();
  /** Every attempt that was to be carried out, in order. */
  readonly invoked: (Pick<OpenAttempt, 'path' | 'attempt'> & { readonly generation: number })[] = [];
  state: RunState;
  now: number;
  private epoch: number;
  private readonly blobs: SimulatedBlobs | undefined;

  constructor(
    readonly graph: Graph,
    log: readonly RunEvent[],
    { now = 0, epoch = 1, blobs }: { now?: number; epoch?: number; blobs?: SimulatedBlobs } = {},
  ) {
    this.now = now;
    this.epoch = epoch;
    this.blobs = blobs;
    this.appends = [log];
    this.state =
      log.length === 1 ? initialState(log[0] as RunEventOf<'run.queued'>, graph) : replay(log, graph);
  }

  static of(
    definition: unknown,
    options: Partial<RunEventOf<'run.queued'>['data']['options']> = {},
  ): SimulatedRun {
    return new SimulatedRun(graphOf(definition), [queuedEvent(definition, options)]);
  }

  /** A fork of a run of this graph that has these events. Its log begins with `forked`. */
  static forkOf(graph: Graph, history: readonly RunEvent[], forked: RunEventOf<'run.forked'>): SimulatedRun {
    const run = new SimulatedRun(graph, history, { now: Date.parse(forked.at) });
    run.appends.splice(0, Infinity, [forked]);
    run.state = replay([forked], graph, history);
    return run;
  }

  get contents(): Contents {
    return this.blobs ?? ALL_INLINE;
  }

  get events(): readonly RunEvent[] {
    return this.appends.flat();
  }

  get hasEnded(): boolean {
    return isTerminal(this.state.status);
  }

  /** A new owner takes the log up. */
  takeUp(): readonly RunEvent[] {
    this.open.clear();
    this.epoch += 1;
    const at = this.now;
    return this.turn([
      { type: 'recover', at, epoch: this.epoch },
      { type: 'begin', at },
    ]);
  }

  /** One turn: the commands, and everything that follows from them. */
  turn(commands: readonly RunCommand[]): readonly RunEvent[] {
    const { events, isCut } = this.advance(commands);
    if (events.length > 0) this.appends.push(events);
    this.settle(events);
    return isCut ? [...events, ...this.turn([])] : events;
  }

  /** What is missing is loaded, and the turn goes on. */
  private advance(commands: readonly RunCommand[]): Pick<Advance, 'events' | 'isCut'> {
    const events: RunEvent[] = [];
    for (let left = commands; ;) {
      const turn = advance(this.state, {
        commands: left,
        evaluator,
        contents: this.contents,
        now: this.now,
        starts: () => 'all',
        subRunId: (lineage) => `run_of ${lineage}`,
      });
      events.push(...turn.events);
      if (turn.missing.length === 0) {
        this.blobs?.settle(events);
        return { events, isCut: turn.isCut };
      }
      this.blobs?.load(turn.missing);
      left = left.slice(turn.refusals.length);
    }
  }

  /** Reports how an open attempt ended. */
  report({ path, attempt }: OpenAttempt, ending: Ending): readonly RunEvent[] {
    return this.turn([this.reportOf({ path, attempt }, ending)]);
  }

  reportOf({ path, attempt }: Pick<OpenAttempt, 'path' | 'attempt'>, ending: Ending): RunCommand {
    const at = this.now;
    if ('taskId' in ending) return { type: 'suspend', at, path, attempt, for: 'task', ref: ending.taskId };
    if ('output' in ending) return { type: 'complete', at, path, attempt, output: ending.output };
    return { type: 'fail', at, path, attempt, failure: ending.failure, random: 0.5 };
  }

  /**
   * Goes on to the end: each time the attempt that `choose` picks ends as the script says.
   *
   * @param choose an index into the open attempts, which stand in the order in which they started
   */
  finish(script: Script, choose: (count: number) => number = () => 0): void {
    for (let turns = 0; !this.hasEnded; turns += 1) {
      if (turns > 10_000) throw new Error(`the run does not end: ${this.state.status}`);
      this.step(script, choose);
    }
  }

  /** One outcome, or the next timer when nothing is open. */
  step(script: Script, choose: (count: number) => number = () => 0): void {
    this.now += 1;
    const attempts = [...this.open.values()];
    const tasks = inOrder(this.state.frontier.waiting).filter(isDoneElsewhere);
    const choice = choose(attempts.length + tasks.length);
    const [attempt, task] = [attempts[choice], tasks[choice - attempts.length]];
    if (attempt !== undefined) {
      this.report(attempt, script(attempt.path, attempt.failures));
      return;
    }
    if (task !== undefined) {
      this.deliver(task, script(`${task.path}!`, task.failures));
      return;
    }
    if (this.turn([]).length > 0) return;
    const wakeAt = nextWakeAt(this.state, this.now);
    if (wakeAt === undefined) throw new Error(`nothing can move the run: ${this.state.status}`);
    this.now = Math.max(this.now, wakeAt);
    this.turn([]);
  }

  /** Delivers what a unit waits for. */
  deliver({ path, wait }: Unit, ending: Ending): readonly RunEvent[] {
    if ('taskId' in ending) throw new Error(`a delivery to ${path} that waits again`);
    const outcome =
      'output' in ending
        ? ({ status: 'completed', output: ending.output } as const)
        : ({ status: 'failed', failure: ending.failure } as const);
    return this.turn([{ type: 'deliver', at: this.now, path, wait: wait?.seq ?? 0, outcome, random: 0.5 }]);
  }

  private settle(events: readonly RunEvent[]): void {
    for (const { type, stepId, path = stepId } of events) {
      if (path !== undefined && !type.endsWith('.started')) this.open.delete(path);
    }
    for (const { path, attempt, unit } of plannedInvocations(this.state)) {
      this.open.set(path, { path, attempt, failures: unit.failures });
      this.invoked.push({ path, attempt, generation: unit.generation });
    }
    markInvoked(this.state);
  }
}

/** Whether somebody outside delivers what a unit waits for: a worker, or a sub-run. */
function isDoneElsewhere({ wait }: Unit): boolean {
  return wait?.for === 'task' || wait?.for === 'run';
}

/** What two states must have in common to be the same: everything but where heaps keep stale entries. */
export function essenceOf(state: RunState): unknown {
  const { frontier, root, undoable, compensations, ending, ...rest } = state;
  const paths = (units: ReadonlySet<Unit>): readonly string[] => inOrder(units).map(({ path }) => path);
  return {
    ...rest,
    artifacts: [...rest.artifacts],
    givenUp: [...rest.givenUp],
    attemptsBefore: [...rest.attemptsBefore],
    undoable: [...undoable.keys()],
    compensations: [...compensations.values()].map(unitEssence),
    ending: ending && { ...ending, toUndo: ending.toUndo.map(({ path }) => path) },
    root: scopeEssence(root),
    open: paths(frontier.open),
    skips: paths(frontier.skips),
    waiting: paths(frontier.waiting),
    subRuns: paths(frontier.subRuns),
    closing: paths(frontier.closing),
    readyCount: frontier.readyCount,
  };
}

function scopeEssence({ graph: _, units, ...rest }: ScopeRecord): unknown {
  return { ...rest, holder: undefined, units: units.map(unitEssence) };
}

function unitEssence({ held, step: _, ...unit }: UnitRecord): unknown {
  return { ...unit, scope: undefined, holder: undefined, undoes: undefined, held: held && heldEssence(held) };
}

function heldEssence(held: HeldRecord): unknown {
  switch (held.kind) {
    case 'items':
      return {
        ...held,
        newest: held.newest?.path,
        again: [...held.again.values()].map(unitEssence),
        live: [...held.live.values()].map(unitEssence),
        ended: [...held.ended.values()].map(unitEssence),
      };
    case 'iterations':
      return { ...held, live: held.live && unitEssence(held.live), ended: held.ended.map(unitEssence) };
    case 'body':
      return { ...held, scope: scopeEssence(held.scope) };
  }
}
