/**
 * Schedules and their fires.
 *
 * Decided here: a schedule and its fires change together or not at all, and only from the revision that whoever
 * changes them has seen. So of several schedulers on one record one decides an instant, and the others see that.
 * Decided elsewhere: what changes (domain/fire-plan.ts).
 */
import type { Page, PageRequest } from '../kernel/page.js';
import type { FireChange, FirePlan } from './domain/fire-plan.js';
import type { Fire, FireOutcome } from './domain/fire.js';
import type { Schedule, ScheduleStatus } from './domain/schedule.js';

/** Schedules that need a look. */
export interface DueSchedules {
  /** Most overdue first. */
  readonly ids: readonly string[];
  /** When the next one does that does not yet; absent when there is none. */
  readonly nextWakeAt?: number;
}

/** A change, and what it was made from. */
export interface ScheduleSave extends Pick<FireChange, 'schedule' | 'fires'> {
  /** The revision that was read; `schedule.revision` is the one after it. */
  readonly seen: number;
  /** Fires of this schedule that are settled and were looked at before this time are forgotten. */
  readonly keepFrom: number;
}

export abstract class ScheduleStore {
  /** Keeps a new schedule. */
  abstract create(schedule: Schedule): Promise<void>;

  /** The schedule, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, id: string): Promise<Schedule | undefined>;

  /** A schedule of any namespace with its open fires, oldest first. What is read later may be newer. */
  abstract findPlan(id: string): Promise<FirePlan | undefined>;

  /** Writes the schedule and puts its fires, if it is still at the revision that was seen; tells whether it was. */
  abstract save(change: ScheduleSave): Promise<boolean>;

  /** Schedules of all namespaces whose `wakeAt` has come. */
  abstract due(now: number, limit: number): Promise<DueSchedules>;

  /** Schedules of all namespaces that have open fires, in no order. */
  abstract listOpen(): Promise<readonly string[]>;

  /** Schedules of a namespace, newest first. A cursor that is not one of ours gives an empty page. */
  abstract list(
    namespace: string,
    filter: { readonly status?: ScheduleStatus },
    page: PageRequest,
  ): Promise<Page<Schedule>>;

  /** Fires of a schedule, latest instant first. A cursor that is not one of ours gives an empty page. */
  abstract listFires(
    scheduleId: string,
    filter: { readonly outcome?: FireOutcome },
    page: PageRequest,
  ): Promise<Page<Fire>>;

  /** The fires of a schedule whose instants lie in a span, ends included, in no order. */
  abstract firesWithin(scheduleId: string, from: number, to: number): Promise<readonly Fire[]>;

  /** Ids of schedules of a namespace that start a workflow by one of these ids or names. */
  abstract startersOf(
    namespace: string,
    workflows: readonly string[],
    limit: number,
  ): Promise<readonly string[]>;

  /** Removes a schedule with its fires; tells whether it was there. */
  abstract delete(namespace: string, id: string): Promise<boolean>;
}
