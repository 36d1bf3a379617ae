import { Injectable } from '@nestjs/common';

import { AppError, type Issue } from '../kernel/failure.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { Clock } from '../platform/clock/clock.js';
import { requireVersion } from '../platform/http/if-match.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { IdSource } from '../platform/ids/id.source.js';
import { RunService } from '../runs/run.service.js';
import { aim, fireRequested, pause, settle, type FireChange, type FirePlan } from './domain/fire-plan.js';
import type { Fire, FireOutcome } from './domain/fire.js';
import { instantsOf, listInstants } from './domain/next-fires.js';
import { parseRule, type WrittenRule } from './domain/rule.js';
import { scheduleErrors } from './domain/schedule.errors.js';
import type {
  Schedule,
  ScheduledRun,
  SchedulePolicy,
  ScheduleRule,
  ScheduleStatus,
} from './domain/schedule.js';
import { SCHEDULE_DUTY, ScheduleLoop } from './schedule.loop.js';
import { SchedulePlans } from './schedule-plans.js';
import { ScheduleStore } from './schedule.store.js';

/** A schedule as a person writes it. */
export interface WrittenSchedule {
  readonly name: string;
  readonly rule: WrittenRule;
  readonly policy: SchedulePolicy;
  readonly run: ScheduledRun;
}

/** Which schedule is to be changed, and the versions that may be the present one; any where none are named. */
export interface ScheduleEdit {
  readonly namespace: string;
  readonly id: string;
  readonly accepted?: readonly number[];
}

/** Instants to make up for, ends included. */
export interface Backfill {
  readonly from: number;
  readonly to: number;
  readonly overlap: 'buffer_all' | 'allow_all';
}

/** Fires of one backfill. */
const MAX_BACKFILL = 1_000;

/** Schedules: kept, read, and told by people to pause, go on, or fire beside their rule. */
@Injectable()
export class ScheduleService {
  constructor(
    private readonly store: ScheduleStore,
    private readonly plans: SchedulePlans,
    private readonly loop: ScheduleLoop,
    private readonly runs: RunService,
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly roster: DutyRoster,
  ) {}

  /**
   * Keeps a new schedule, which fires from then on unless it begins paused.
   *
   * @throws AppError `schedule.invalid`, and what starting its run would throw now
   */
  async create(
    namespace: string,
    written: WrittenSchedule,
    {
      id = this.ids.next('sch'),
      paused,
    }: { readonly id?: string; readonly paused?: { readonly note?: string } } = {},
  ): Promise<Schedule> {
    const now = this.clock.wall();
    const rule = requireRule(written.rule, now);
    await this.requireRun(namespace, written.run);
    const { name, policy, run } = written;
    const fresh = {
      id,
      namespace,
      name,
      version: 1,
      revision: 1,
      rule,
      policy,
      run,
      createdAt: now,
      updatedAt: now,
    };
    const schedule = aim(
      { ...fresh, ...(paused && { paused: { at: now, ...paused } }) },
      instantsOf(rule),
      now,
    );
    const settled = settle({ schedule, open: [] }, now).schedule;
    await this.store.create(settled);
    await this.loop.look();
    this.roster.tell(SCHEDULE_DUTY, id);
    return settled;
  }

  /** @throws AppError `schedule.not-found` */
  async get(namespace: string, id: string): Promise<Schedule> {
    const schedule = await this.store.find(namespace, id);
    if (schedule === undefined) throw notFound(id);
    return schedule;
  }

  /** Schedules of a namespace, newest first. */
  list(
    namespace: string,
    filter: { readonly status?: ScheduleStatus },
    page: PageRequest,
  ): Promise<Page<Schedule>> {
    return this.store.list(namespace, filter, page);
  }

  /**
   * Says anew what a schedule is. While its rule stays the same, what is due stays due; with another rule it fires from
   * now on. What waits goes on to wait.
   *
   * @throws AppError `schedule.not-found`, `version.stale`, `schedule.invalid`, and what starting its run would throw
   */
  async replace(
    edit: ScheduleEdit,
    { name, rule: writtenRule, policy, run }: WrittenSchedule,
  ): Promise<Schedule> {
    const { createdAt } = await this.get(edit.namespace, edit.id);
    const rule = requireRule(writtenRule, createdAt);
    await this.requireRun(edit.namespace, run);
    return this.edit(edit, (schedule, now) => {
      const replaced = { ...schedule, name, rule, policy, run };
      const isSameRule = JSON.stringify(schedule.rule) === JSON.stringify(rule);
      return isSameRule ? replaced : aim(replaced, instantsOf(rule), now);
    });
  }

  /** Fires nothing by its rule until it is resumed; runs go on. Pausing again replaces the note. */
  pause(edit: ScheduleEdit, note: string | undefined): Promise<Schedule> {
    return this.edit(edit, (schedule, now) => {
      const at = schedule.paused?.at ?? now;
      return pause(schedule, { at, ...(note !== undefined && { note }) });
    });
  }

  /** Fires again, from the next instant on: what passed meanwhile is not made up for, and not recorded. */
  resume(edit: ScheduleEdit): Promise<Schedule> {
    return this.edit(edit, (schedule, now) => {
      if (schedule.paused === undefined) return schedule;
      const { paused: _, ...rest } = schedule;
      return aim(rest, instantsOf(rest.rule), now);
    });
  }

  /** Fires now, beside the rule, paused or not. Answers the fire as it is once its run was started, if it was. */
  async trigger(namespace: string, id: string): Promise<Fire> {
    const request = this.ids.next('req');
    const fires = await this.request(namespace, id, (plan, now) =>
      fireRequested(plan, { cause: 'triggered', instants: [now], request }, now),
    );
    const [fire] = fires;
    if (fire === undefined) throw new Error('a trigger made no fire');
    return fire;
  }

  /**
   * Fires for every instant of a span that has started no run yet: those that were missed or skipped, and those before
   * the schedule was made. Asked twice, it fires once.
   *
   * @throws AppError `schedule.not-found`, `schedule.backfill-too-large`
   */
  async backfill(namespace: string, id: string, { from, to, overlap }: Backfill): Promise<readonly Fire[]> {
    return this.request(namespace, id, async (plan, now) => {
      const { rule, nextAt = Infinity } = plan.schedule;
      const end = Math.min(to, now, nextAt - 1);
      const instants = listInstants(instantsOf(rule), { after: from - 1, to: end, limit: MAX_BACKFILL + 1 });
      if (instants.length > MAX_BACKFILL) throw tooLarge();
      const taken = new Set(
        (await this.store.firesWithin(id, from, end)).filter(isTaken).map(({ scheduledAt }) => scheduledAt),
      );
      const free = instants.filter((instant) => !taken.has(instant));
      return fireRequested(plan, { cause: 'backfilled', instants: free, overlap }, now);
    });
  }

  /** The next instants of a schedule, without jitter; those from now on where it is paused. */
  async preview(namespace: string, id: string, count: number): Promise<readonly number[]> {
    const { rule, nextAt } = await this.get(namespace, id);
    const after = nextAt === undefined ? this.clock.wall() : nextAt - 1;
    return listInstants(instantsOf(rule), { after, limit: count });
  }

  /** What became of its instants, latest first. @throws AppError `schedule.not-found` */
  async fires(
    namespace: string,
    id: string,
    filter: { readonly outcome?: FireOutcome },
    page: PageRequest,
  ): Promise<Page<Fire>> {
    await this.get(namespace, id);
    return this.store.listFires(id, filter, page);
  }

  /** Removes a schedule and its fires. Its runs go on. @throws AppError `schedule.not-found` */
  async delete(namespace: string, id: string): Promise<void> {
    if (!(await this.store.delete(namespace, id))) throw notFound(id);
  }

  /** A change that a person made: it counts as a version unless it changes nothing. */
  private async edit(
    { namespace, id, accepted }: ScheduleEdit,
    decide: (schedule: Schedule, now: number) => Schedule,
  ): Promise<Schedule> {
    const change = await this.plans.change(id, ({ schedule, open }, now) => {
      requireNamespace(schedule, namespace);
      requireVersion(accepted, schedule.version);
      const decided = decide(schedule, now);
      const isSame = JSON.stringify(decided) === JSON.stringify(schedule);
      const edited = isSame ? schedule : { ...decided, version: schedule.version + 1, updatedAt: now };
      return settle({ schedule: edited, open }, now);
    });
    if (change === undefined) throw notFound(id);
    await this.attend(id);
    return change.schedule;
  }

  /** The fires that a request made, as they are once they were attended to. */
  private async request(
    namespace: string,
    id: string,
    decide: (plan: FirePlan, now: number) => Promise<FireChange> | FireChange,
  ): Promise<readonly Fire[]> {
    const change = await this.plans.change(id, (plan, now) => {
      requireNamespace(plan.schedule, namespace);
      return decide(plan, now);
    });
    if (change === undefined) throw notFound(id);
    await this.attend(id);
    const instants = change.fires.map(({ scheduledAt }) => scheduledAt);
    const present = await this.store.firesWithin(id, Math.min(...instants), Math.max(...instants));
    const asked = new Set(change.fires.map((fire) => fire.id));
    return present.filter((fire) => asked.has(fire.id)).toSorted((a, b) => a.scheduledAt - b.scheduledAt);
  }

  /** Here at once, so that the answer can tell of it; whoever has the duty goes on with it. */
  private async attend(id: string): Promise<void> {
    await this.loop.attend(id);
    this.roster.tell(SCHEDULE_DUTY, id);
  }

  /** What would refuse a run now refuses the schedule, at its place in the body. */
  private async requireRun(namespace: string, run: ScheduledRun): Promise<void> {
    try {
      await this.runs.require({ ...run, namespace });
    } catch (error) {
      if (!AppError.is(error) || error.failure.issues === undefined) throw error;
      throw new AppError({ ...error.failure, issues: below('/run', error.failure.issues) });
    }
  }
}

function requireRule(written: WrittenRule, anchorAt: number): ScheduleRule {
  const rule = parseRule(written, anchorAt);
  if (rule.ok) return rule.value;
  const [first] = rule.failure;
  throw AppError.of(scheduleErrors['schedule.invalid'], first?.message ?? '', { issues: rule.failure });
}

function below(pointer: string, issues: readonly Issue[]): readonly Issue[] {
  return issues.map((issue) => ({ ...issue, pointer: `${pointer}${issue.pointer}` }));
}

/** Whether an instant needs nobody to make up for it. */
function isTaken({ cause, outcome }: Fire): boolean {
  if (cause === 'backfilled') return true;
  return cause === 'scheduled' && (outcome === 'started' || outcome === 'starting' || outcome === 'buffered');
}

function requireNamespace(schedule: Schedule, namespace: string): void {
  if (schedule.namespace !== namespace) throw notFound(schedule.id);
}

function notFound(id: string): AppError {
  return AppError.of(scheduleErrors['schedule.not-found'], `There is no schedule ${id}.`);
}

function tooLarge(): AppError {
  return AppError.of(
    scheduleErrors['schedule.backfill-too-large'],
    `The time span has more than ${MAX_BACKFILL} instants. Take a shorter one, then the rest`,
  );
}
