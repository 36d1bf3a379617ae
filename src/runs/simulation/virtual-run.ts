/**
 * A run on a virtual clock, driven by the decider that drives every run; agents, signals and approvals are mocks.
 *
 * Decided here: when things come, and when the process dies. Decided elsewhere: what happens to the run (domain/).
 * Nothing waits for real time, and nothing is kept.
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { Heap } from '../../kernel/heap.js';
import type { Graph } from '../../workflows/domain/graph.js';
import { advance } from '../domain/advance.js';
import { deadlineOf } from '../domain/attempt-deadline.js';
import { evaluator } from '../domain/evaluate.js';
import { replay } from '../domain/evolve.js';
import { ALL_INLINE } from '../domain/kept.js';
import { markInvoked, nextWakeAt, plannedInvocations } from '../domain/plan.js';
import type { Delivery, RunCommand } from '../domain/run.commands.js';
import type { Invocation } from '../domain/run.effects.js';
import { runErrors } from '../domain/run.errors.js';
import type { RunEvent, RunEventOf } from '../domain/run.events.js';
import { DEATHS_UNTIL_ALONE, initialState, liveUnit, type RunState } from '../domain/run.state.js';
import { isTerminal } from '../domain/run.status.js';
import type { Unit } from '../domain/unit.js';
import { subRunIdOf } from '../engine/sub-run-rows.js';
import type { Mock } from './mock.schema.js';
import type { Mocks } from './mocks.js';

/** When the process dies. */
export type CrashAfter = 'none' | 'every';

/** What a run is simulated with. */
export interface VirtualRunOptions {
  readonly queued: RunEventOf<'run.queued'>;
  readonly graph: Graph;
  readonly mocks: Mocks;
  readonly crashAfter: CrashAfter;
}

/** Something that comes at a time. */
interface Coming {
  readonly at: number;
  readonly order: number;
  /** The life of the process that waits for it; absent where it comes from outside. */
  readonly epoch?: number;
  readonly command: (at: number) => RunCommand;
}

/** Back-offs are as long as they can be: the same simulation comes to the same. */
const NO_JITTER = 1;

export class VirtualRun {
  readonly log: RunEvent[];
  /** How often the process has died. */
  crashes = 0;
  private current: RunState;
  private now: number;
  private epoch = 1;
  private order = 0;
  private readonly coming = new Heap<Coming>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  constructor(private readonly options: VirtualRunOptions) {
    const { queued, graph } = options;
    this.log = [queued];
    this.current = initialState(queued, graph);
    this.now = Date.parse(queued.at);
  }

  get state(): RunState {
    return this.current;
  }

  /**
   * Takes the next turn.
   *
   * @returns false when the run has ended, or waits for something that never comes
   */
  step(): boolean {
    if (isTerminal(this.current.status)) return false;
    if (this.log.length === 1) {
      this.turn([{ type: 'begin', at: this.now }]);
      return true;
    }
    const commands = this.nextCommands();
    if (commands !== undefined) this.turn(commands);
    return commands !== undefined;
  }

  /** What comes next, at its time; none where a timer of the run is due first. */
  private nextCommands(): readonly RunCommand[] | undefined {
    const wakeAt = nextWakeAt(this.current, this.now);
    for (let next = this.coming.peek(); next !== undefined; next = this.coming.peek()) {
      if (wakeAt !== undefined && wakeAt < next.at) break;
      this.coming.pop();
      if (next.epoch !== undefined && next.epoch !== this.epoch) continue; // its process has died
      this.now = Math.max(this.now, next.at);
      return [next.command(this.now)];
    }
    if (wakeAt === undefined) return undefined;
    this.now = Math.max(this.now, wakeAt);
    return [];
  }

  /** One append, and the death of the process after it where that is asked for. */
  private turn(commands: readonly RunCommand[]): void {
    if (!this.append(commands) || this.options.crashAfter === 'none') return;
    // Going on like that, without any outcome between, would rightly end the run as poisoned.
    if (isTerminal(this.current.status) || this.current.deaths >= DEATHS_UNTIL_ALONE) return;
    this.crashes += 1;
    this.epoch += 1;
    this.current = replay(this.log, this.options.graph);
    const at = this.now;
    this.append([
      { type: 'recover', at, epoch: this.epoch },
      { type: 'begin', at },
    ]);
  }

  /** False when nothing came of it. */
  private append(commands: readonly RunCommand[]): boolean {
    const { now } = this;
    const { events, isCut } = advance(this.current, {
      commands,
      contents: ALL_INLINE,
      evaluator,
      now,
      starts: () => 'all',
      subRunId: (lineage) => subRunIdOf(this.current.runId, lineage),
    });
    this.log.push(...events);
    for (const invocation of plannedInvocations(this.current)) this.call(invocation);
    markInvoked(this.current);
    for (const event of events) this.await(event);
    if (isCut) this.append([]);
    return events.length > 0;
  }

  /** An agent is called: its mock answers, or its time is up before. */
  private call({ path, attempt, unit }: Invocation): void {
    const mock = this.options.mocks.find(unit) ?? echoOf(unit);
    const { delayMs = 0 } = mock;
    const outcome = outcomeOf(mock);
    const overAt = this.overAt(unit);
    if (overAt !== undefined && overAt < this.now + delayMs) {
      const failure = failureOf(runErrors['step.timed-out'], 'the attempt took longer than its time limit');
      this.come(overAt, (at) => ({ type: 'fail', at, path, attempt, failure, random: NO_JITTER }));
      return;
    }
    this.come(this.now + delayMs, (at) =>
      outcome.status === 'completed'
        ? { type: 'complete', at, path, attempt, output: outcome.output }
        : { type: 'fail', at, path, attempt, failure: outcome.failure, random: NO_JITTER },
    );
  }

  private overAt(unit: Unit): number | undefined {
    const { idleTimeoutMs } = unit.step;
    const limits = [deadlineOf(unit)?.at, idleTimeoutMs === undefined ? undefined : this.now + idleTimeoutMs];
    const found = limits.filter((at) => at !== undefined);
    return found.length === 0 ? undefined : Math.min(...found);
  }

  /** A unit begins to wait: what it waits for comes from outside, and outlives the process. */
  private await(event: RunEvent): void {
    if (!event.type.endsWith('.waiting') || event.stepId === undefined) return;
    const unit = liveUnit(this.current, event.path ?? event.stepId);
    if (unit?.wait?.seq !== event.seq || unit.wait.for === 'timer') return;
    const mock = this.options.mocks.find(unit) ?? (unit.wait.for === 'run' ? echoOf(unit) : undefined);
    if (mock === undefined) return;
    const at = this.now + (mock.delayMs ?? 0);
    this.coming.push({ at, order: this.nextOrder(), command: commandFor(unit, mock) });
  }

  private come(at: number, command: (at: number) => RunCommand): void {
    this.coming.push({ at, order: this.nextOrder(), epoch: this.epoch, command });
  }

  private nextOrder(): number {
    this.order += 1;
    return this.order;
  }
}

/** What ends the wait of a unit. */
function commandFor({ path, wait, approval }: Unit, mock: Mock): (at: number) => RunCommand {
  const seq = wait?.seq ?? 0;
  if (approval !== undefined && 'decision' in mock) {
    const { decision, data = null } = mock;
    return (at) => ({ type: 'answer', at, path, approval: approval.id, decision, data });
  }
  const outcome = outcomeOf(mock);
  if (wait?.for === 'signal' && outcome.status === 'completed')
    return (at) => ({ type: 'signal', at, name: wait.name ?? '', data: outcome.output });
  return (at) => ({ type: 'deliver', at, path, wait: seq, outcome, random: NO_JITTER });
}

/** What answers where there is no mock. */
function echoOf({ input = null }: Unit): Mock {
  return { output: ALL_INLINE.read(input) };
}

function outcomeOf(mock: Mock): Delivery {
  if ('output' in mock) return { status: 'completed', output: mock.output };
  if ('failure' in mock) return { status: 'failed', failure: failureOfMock(mock.failure) };
  return { status: 'completed', output: { decision: mock.decision, data: mock.data ?? null } };
}

function failureOfMock({
  code,
  message = 'the mock failed',
  retryable = false,
}: Extract<Mock, { readonly failure: unknown }>['failure']): Failure {
  return { code, kind: 'upstream', message, retryable };
}
