import { createHash } from 'node:crypto';

import { Injectable, Logger } from '@nestjs/common';

import { AppError, failureOf, type Failure } from '../kernel/failure.js';
import { makeRunIdAt } from '../kernel/ids.js';
import { Clock } from '../platform/clock/clock.js';
import { httpErrors } from '../platform/http/http.errors.js';
import { RunControlService } from '../runs/run-control.service.js';
import { RunReader } from '../runs/run.reader.js';
import { RunService } from '../runs/run.service.js';
import {
  lookAt,
  noteStarts,
  workOf,
  type FirePlan,
  type RunState,
  type StartOutcome,
} from './domain/fire-plan.js';
import type { Fire } from './domain/fire.js';
import { instantsOf } from './domain/next-fires.js';
import type { Schedule } from './domain/schedule.js';
import { SchedulePlans } from './schedule-plans.js';

/** How many rows of runs are read at a time. */
const MAX_ROWS = 200;

/** What is known of the runs of a plan. */
interface KnownRuns {
  readonly states: ReadonlyMap<string, RunState>;
  readonly lastSeqs: ReadonlyMap<string, number>;
}

/** One schedule that is being attended to. */
interface Lane {
  isAsked: boolean;
  done: Promise<void>;
}

/**
 * Brings schedules up to date and does what they ask for: starts runs, cancels those that a later one replaces, and
 * follows those whose end matters.
 *
 * Everything may happen twice and is done once: a run's id follows from its fire, and a fire is kept before its run
 * is started.
 */
@Injectable()
export class FireExecutor {
  private readonly logger = new Logger(FireExecutor.name);
  private readonly lanes = new Map<string, Lane>();
  private readonly followed = new Set<string>();
  /** Runs are followed from `begin` to `end`. */
  private leave: Pick<AbortController, 'signal' | 'abort'> = {
    signal: AbortSignal.abort(),
    abort: () => undefined,
  };
  private onChange: (error?: unknown) => void = () => undefined;

  constructor(
    private readonly plans: SchedulePlans,
    private readonly runs: RunService,
    private readonly control: RunControlService,
    private readonly reader: RunReader,
    private readonly clock: Clock,
  ) {}

  /** @param onChange called when a schedule was attended to because a run ended, with an error when that failed */
  begin(onChange: (error?: unknown) => void): void {
    this.leave = new AbortController();
    this.onChange = onChange;
  }

  /** Follows no run any more, and resolves when what is under way has ended. */
  async end(): Promise<void> {
    this.leave.abort();
    await Promise.allSettled([...this.lanes.values()].map(({ done }) => done));
  }

  /**
   * Does what a schedule asks for now. Resolves when nothing is left to do until its `wakeAt`, a change, or the end of
   * a run that is followed from then on.
   */
  async attend(scheduleId: string): Promise<void> {
    const known = this.lanes.get(scheduleId);
    if (known !== undefined) {
      known.isAsked = true;
      return known.done;
    }
    const lane: Lane = { isAsked: true, done: Promise.resolve() };
    this.lanes.set(scheduleId, lane);
    lane.done = this.attendWhileAsked(scheduleId, lane);
    return lane.done;
  }

  private async attendWhileAsked(scheduleId: string, lane: Lane): Promise<void> {
    try {
      while (lane.isAsked) {
        lane.isAsked = false;
        while (await this.attendOnce(scheduleId));
      }
    } finally {
      this.lanes.delete(scheduleId); // in the same turn as the last look at `isAsked`
    }
  }

  /** Answers whether there is more to do at once. */
  private async attendOnce(scheduleId: string): Promise<boolean> {
    let known: KnownRuns = { states: new Map(), lastSeqs: new Map() };
    const plan = await this.plans.change(scheduleId, async (seen, now) => {
      known = await this.runsOf(seen);
      return lookAt(seen, { runs: known.states, next: instantsOf(seen.schedule.rule), now });
    });
    if (plan === undefined) return false;
    const { schedule } = plan;
    const { start, cancel, follow } = workOf(plan, this.clock.wall());
    for (const runId of follow) this.follow(schedule, runId, known.lastSeqs.get(runId) ?? 0);
    await Promise.all([
      this.startAll(schedule, start),
      ...cancel.map((runId) => this.cancel(schedule, runId)),
    ]);
    return start.length > 0 || (schedule.wakeAt ?? Infinity) <= this.clock.wall();
  }

  private async runsOf({ schedule, open }: FirePlan): Promise<KnownRuns> {
    const ids = open.flatMap(({ outcome, runId }) =>
      outcome === 'started' && runId !== undefined ? [runId] : [],
    );
    const states = new Map<string, RunState>(ids.map((id) => [id, 'gone']));
    const lastSeqs = new Map<string, number>();
    for (let from = 0; from < ids.length; from += MAX_ROWS) {
      const rows = await this.reader.rows(schedule.namespace, ids.slice(from, from + MAX_ROWS));
      for (const { id, summary, lastSeq } of rows) {
        states.set(id, summary.status);
        lastSeqs.set(id, lastSeq);
      }
    }
    return { states, lastSeqs };
  }

  private async startAll(schedule: Schedule, fires: readonly Fire[]): Promise<void> {
    if (fires.length === 0) return;
    const outcomes = await Promise.all(
      fires.map(async (fire) => [fire.id, await this.start(schedule, fire)] as const),
    );
    await this.plans.change(schedule.id, (plan, now) => noteStarts(plan, new Map(outcomes), now));
  }

  private async start({ id, namespace, run }: Schedule, fire: Fire): Promise<StartOutcome> {
    const runId = runIdOf(fire);
    const tags = [...new Set([...(run.tags ?? []), `schedule:${id}`])];
    try {
      await this.runs.startAs(runId, { ...run, namespace, tags });
      return { outcome: 'started', runId };
    } catch (error) {
      return { outcome: 'failed', failure: this.failureOf(error, fire) };
    }
  }

  /** What is no failure may be over soon. */
  private failureOf(error: unknown, { id: fireId }: Fire): Failure {
    if (AppError.is(error)) return error.failure;
    this.logger.error({ msg: 'a scheduled run could not be started', fireId, err: error });
    return failureOf(httpErrors['internal.error'], 'Something broke while the run was started', {
      retryable: true,
    });
  }

  private async cancel({ namespace, id }: Schedule, runId: string): Promise<void> {
    try {
      const reason = `a later fire of schedule ${id} takes its place`;
      await this.control.send(namespace, runId, { type: 'cancel', reason });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  private follow(schedule: Schedule, runId: string, afterSeq: number): void {
    if (this.followed.has(runId) || this.leave.signal.aborted) return;
    this.followed.add(runId);
    void this.attendAtEnd(schedule, runId, afterSeq);
  }

  private async attendAtEnd({ id, namespace }: Schedule, runId: string, afterSeq: number): Promise<void> {
    const { signal } = this.leave;
    try {
      await this.whenEnded({ namespace, runId, afterSeq, signal });
      this.followed.delete(runId);
      if (signal.aborted) return;
      await this.attend(id);
      this.onChange();
    } catch (error) {
      this.followed.delete(runId);
      if (!signal.aborted) this.onChange(error);
    }
  }

  private async whenEnded(options: Parameters<RunReader['follow']>[0]): Promise<void> {
    const items = this.reader.follow(options)[Symbol.asyncIterator]();
    try {
      while ((await items.next()).done !== true);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** The run of a fire: its time is that of the fire, and what the fire stands for tells it from all others. */
function runIdOf({ id, firedAt }: Fire): string {
  return makeRunIdAt(firedAt, createHash('sha256').update(id).digest('hex'));
}

function isGone(error: unknown): boolean {
  return AppError.is(error) && error.failure.code === 'run.not-found';
}
