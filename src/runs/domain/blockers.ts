/**
 * Why nothing happens: for a run and each unit of it that has not ended, what holds it back.
 *
 * Pure: the state, and facts that the state does not have (blocker.ts). Decided elsewhere: what is known of agents
 * (agent-blockers.ts), how facts are gathered (blocker.reader.ts).
 */
import { isoOf } from '../../kernel/time.js';
import { attemptBlockers, troubleOf } from './agent-blockers.js';
import type { Blocker, BlockerFacts, Holder, UnitBlockers } from './blocker.js';
import { openUnits } from './open-units.js';
import { isSettled, isTerminal } from './run.status.js';
import type { RunState } from './run.state.js';
import { needsPlace } from './steps/step-kinds.js';
import { findUnit, type Held, type Scope, type Unit, type Wait } from './unit.js';

/** How many holders, steps or assignees one reason lists. */
export const MAX_LISTED = 100;

/** What holds the run as a whole, and units of a page. */
export interface RunBlockers {
  readonly run: readonly Blocker[];
  readonly units: readonly UnitBlockers[];
  /** Whether units after these have not ended either. */
  readonly more: boolean;
}

/** Units that have not ended, from the `offset`th, at most `limit`; none of a run that has ended. */
export function blockersOf(
  state: RunState,
  facts: BlockerFacts,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): RunBlockers {
  if (isTerminal(state.status)) return { run: [], units: [], more: false };
  const run = blockersOfRun(state, facts);
  const open = openUnits(state).drop(offset);
  const units = open.take(limit + 1).toArray();
  const of = new UnitReasons(state, facts, run);
  return {
    run,
    units: units.slice(0, limit).map((unit) => ({
      ...{ stepId: unit.step.id, path: unit.path, status: unit.status },
      blockers: of.unit(unit),
    })),
    more: units.length > limit,
  };
}

/** What lets nothing of the run start. */
function blockersOfRun(state: RunState, facts: BlockerFacts): readonly Blocker[] {
  const blockers: Blocker[] = [];
  if (state.status === 'paused') blockers.push({ kind: 'pause', ...pauseOf(state) });
  if (state.status === 'cancelling') blockers.push(cancellingOf(state));
  if (!facts.isOwned && facts.isDue && state.status !== 'paused') blockers.push(...unownedOf(state, facts));
  if (facts.isolatedBehind.length > 0)
    blockers.push({ kind: 'isolation', heldBy: runsOf(facts.isolatedBehind) });
  return blockers;
}

function pauseOf({ pause }: RunState): Omit<Extract<Blocker, { readonly kind: 'pause' }>, 'kind'> {
  if (pause === undefined) return {};
  const { at, ...who } = pause;
  return { since: isoOf(at), ...who };
}

function cancellingOf({ ending, graceUntil, cancelReason: reason }: RunState): Blocker {
  const until = ending?.until ?? graceUntil;
  return { kind: 'cancelling', ...untilOf(until), ...(reason !== undefined && { reason }) };
}

/** It wants to be driven and nobody does: the process is full, others come first, or nobody has taken it up yet. */
function unownedOf({ status }: RunState, { process, queuedAhead }: BlockerFacts): readonly Blocker[] {
  const { limit, executing } = process;
  const isFull = executing.length >= limit;
  const slot: Blocker = { kind: 'slot', of: 'process', limit, heldBy: runsOf(executing) };
  const queue: Blocker = { kind: 'queue', ahead: queuedAhead };
  if (status === 'queued') return isFull ? [queue, slot] : [queue];
  return isFull ? [slot] : [{ kind: 'owner' }];
}

function runsOf(runIds: readonly string[]): readonly Holder[] {
  return runIds.slice(0, MAX_LISTED).map((runId) => ({ runId }));
}

function untilOf(until: number | undefined): { readonly until?: string } {
  return until === undefined ? {} : { until: isoOf(until) };
}

/** The reasons of units of one run at one moment. */
class UnitReasons {
  constructor(
    private readonly state: RunState,
    private readonly facts: BlockerFacts,
    private readonly ofRun: readonly Blocker[],
  ) {}

  unit(unit: Unit): readonly Blocker[] {
    switch (unit.status) {
      case 'pending':
        return this.pending(unit);
      case 'ready':
        return unit.skipReason === undefined ? this.starting(unit) : this.ofRun;
      case 'retrying':
        return this.retrying(unit);
      case 'waiting':
        return [this.waiting(unit)];
      default:
        return unit.held === undefined ? this.running(unit) : this.holding(unit, unit.held);
    }
  }

  private pending({ step, path }: Unit): readonly Blocker[] {
    const blockers: Blocker[] = [];
    if (step.isLast && this.state.ending === undefined) blockers.push({ kind: 'ending' });
    const { graph, units } = scopeAround(this.state, path);
    const open = step.dependencies
      .map((index) => units[index])
      .filter((unit) => unit !== undefined && !isSettled(unit.status)) as readonly Unit[];
    for (const unit of open.slice(0, MAX_LISTED))
      blockers.push({ kind: 'dependency', path: unit.path, status: unit.status });
    const read = [...(step.when?.references.steps.keys() ?? [])]
      .map((id) => units[graph.indexOf.get(id) ?? -1])
      .filter((unit) => unit !== undefined && open.includes(unit))
      .map((unit) => unit?.path ?? '');
    if (read.length > 0) blockers.push({ kind: 'condition', reads: read.slice(0, MAX_LISTED) });
    return blockers;
  }

  /** It would start: what lets nothing start, a place that is taken, an agent that would refuse. */
  private starting(unit: Unit): readonly Blocker[] {
    if (this.ofRun.length > 0) return this.ofRun;
    return [...this.placeOf(unit), ...troubleOf(unit, this.facts)];
  }

  private placeOf(unit: Unit): readonly Blocker[] {
    const { frontier, queued, runId } = this.state;
    const limit = queued.options.maxParallelSteps;
    if (!needsPlace(unit) || frontier.open.size < limit) return [];
    const heldBy = [...frontier.open].slice(0, MAX_LISTED).map(({ path }) => ({ runId, path }));
    return [{ kind: 'slot', of: 'run', limit, heldBy, ...untilOf(this.queueEndOf(unit)) }];
  }

  /** When a unit without a place fails, by the clock of the run. */
  private queueEndOf({ status, dueAt }: Unit): number | undefined {
    const { runningSince, runningMs } = this.state;
    if (status !== 'ready' || dueAt === undefined || runningSince === undefined) return undefined;
    return runningSince + dueAt - runningMs;
  }

  private retrying(unit: Unit): readonly Blocker[] {
    const { dueAt, failure } = unit;
    if (dueAt === undefined || dueAt <= this.facts.now) return this.starting(unit);
    const timer: Blocker = {
      kind: 'timer',
      of: 'backoff',
      until: isoOf(dueAt),
      ...(failure !== undefined && { failure: failure.code }),
    };
    return [timer, ...this.ofRun, ...troubleOf(unit, this.facts)];
  }

  private waiting(unit: Unit): Blocker {
    const { wait } = unit;
    if (wait === undefined) return { kind: 'owner' };
    const until = wait.until === undefined ? {} : { until: wait.until };
    switch (wait.for) {
      case 'timer':
        return { kind: 'timer', of: 'wait', until: wait.until ?? isoOf(this.facts.now) };
      case 'signal':
        return { kind: 'signal', name: wait.name ?? '', ...until };
      case 'approval':
        return approvalOf(unit, wait);
      case 'task':
        return { kind: 'task', ...this.taskOf(unit, wait), ...until };
      case 'run':
        return {
          kind: 'run',
          ...(this.facts.runs.get(unit.path) ?? { runId: wait.ref ?? '' }),
          ...until,
        };
    }
  }

  private taskOf({ path }: Unit, { ref = '' }: Wait): Omit<Extract<Blocker, { kind: 'task' }>, 'kind'> {
    const task = this.facts.tasks.get(path);
    if (task === undefined) return { id: ref };
    const { id, agent, status, deliveries, since } = task;
    return { id, agent, status, deliveries, since: isoOf(since) };
  }

  private running(unit: Unit): readonly Blocker[] {
    const isIdle = !this.facts.isOwned && this.ofRun.length > 0 && this.state.status !== 'paused';
    return isIdle ? this.ofRun : attemptBlockers(this.state, unit, this.facts);
  }

  private holding({ step }: Unit, held: Held): readonly Blocker[] {
    const blockers: Blocker[] = [{ kind: 'held', of: held.kind, ...countsOf(held) }];
    if (held.kind !== 'items' || held.made >= held.total) return blockers;
    const limit = step.forEach?.maxConcurrency ?? Infinity;
    if (held.live.size < limit) return blockers;
    const { runId } = this.state;
    const heldBy = [...held.live.values()].slice(0, MAX_LISTED).map(({ path }) => ({ runId, path }));
    return [...blockers, { kind: 'slot', of: 'step', limit, heldBy }];
  }
}

function countsOf(held: Held): { readonly total: number; readonly ended: number } {
  switch (held.kind) {
    case 'items':
      return { total: held.total, ended: held.ended.size };
    case 'iterations':
      return {
        total: held.ended.length + (held.live === undefined ? 0 : 1),
        ended: held.ended.length,
      };
    case 'body': {
      const { completed, failed, skipped, cancelled } = held.scope.counts;
      return { total: held.scope.units.length, ended: completed + failed + skipped + cancelled };
    }
  }
}

function approvalOf({ approval }: Unit, { ref, until }: Wait): Blocker {
  const id = approval?.id ?? ref;
  const { assignees, prompt } = approval ?? {};
  return {
    kind: 'approval',
    ...(id !== undefined && { id }),
    ...(assignees !== undefined && { assignees: assignees.slice(0, MAX_LISTED) }),
    ...(prompt !== undefined && { prompt }),
    ...(until !== undefined && { until }),
  };
}

/** The scope that a step stands in. */
function scopeAround({ root }: RunState, path: string): Pick<Scope, 'graph' | 'units'> {
  const slash = path.lastIndexOf('/');
  const outer = slash === -1 ? undefined : findUnit(root, path.slice(0, slash));
  return outer?.held?.kind === 'body' ? (outer.held.scope as Scope) : root;
}
