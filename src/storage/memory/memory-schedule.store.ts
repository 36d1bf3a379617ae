import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { FirePlan } from '../../schedules/domain/fire-plan.js';
import type { Fire, FireOutcome } from '../../schedules/domain/fire.js';
import { statusOf, type Schedule, type ScheduleStatus } from '../../schedules/domain/schedule.js';
import { ScheduleStore, type DueSchedules, type ScheduleSave } from '../../schedules/schedule.store.js';

export class MemoryScheduleStore extends ScheduleStore {
  private readonly schedules = new Map<string, Schedule>();
  private readonly fires = new Map<string, Fire>();

  override create(schedule: Schedule): Promise<void> {
    this.schedules.set(schedule.id, schedule);
    return Promise.resolve();
  }

  override find(namespace: string, id: string): Promise<Schedule | undefined> {
    const found = this.schedules.get(id);
    return Promise.resolve(found?.namespace === namespace ? found : undefined);
  }

  override findPlan(id: string): Promise<FirePlan | undefined> {
    const schedule = this.schedules.get(id);
    return Promise.resolve(
      schedule && { schedule, open: this.ofSchedule(id).filter(({ isOpen }) => isOpen) },
    );
  }

  override save({ schedule, fires, seen, keepFrom }: ScheduleSave): Promise<boolean> {
    if (this.schedules.get(schedule.id)?.revision !== seen) return Promise.resolve(false);
    this.schedules.set(schedule.id, schedule);
    for (const fire of fires) this.fires.set(fire.id, fire);
    for (const { id, isOpen, firedAt } of this.ofSchedule(schedule.id))
      if (!isOpen && firedAt < keepFrom) this.fires.delete(id);
    return Promise.resolve(true);
  }

  override due(now: number, limit: number): Promise<DueSchedules> {
    const wakes = [...this.schedules.values()]
      .flatMap(({ id, wakeAt }) => (wakeAt === undefined ? [] : [{ id, wakeAt }]))
      .toSorted((a, b) => a.wakeAt - b.wakeAt);
    const next = wakes.find(({ wakeAt }) => wakeAt > now);
    const ids = wakes.filter(({ wakeAt }) => wakeAt <= now).map(({ id }) => id);
    return Promise.resolve({ ids: ids.slice(0, limit), ...(next && { nextWakeAt: next.wakeAt }) });
  }

  override listOpen(): Promise<readonly string[]> {
    const open = [...this.fires.values()].filter(({ isOpen }) => isOpen);
    return Promise.resolve([...new Set(open.map(({ scheduleId }) => scheduleId))]);
  }

  override list(
    namespace: string,
    { status }: { readonly status?: ScheduleStatus },
    { limit, cursor }: PageRequest,
  ): Promise<Page<Schedule>> {
    const below = cursor === undefined ? '~' : decodeCursor(cursor);
    const found = [...this.schedules.values()]
      .filter((one) => one.namespace === namespace && below !== undefined && one.id < below)
      .filter((one) => status === undefined || statusOf(one) === status)
      .toSorted((a, b) => (a.id < b.id ? 1 : -1));
    return Promise.resolve(pageOf(found.slice(0, limit + 1), limit, ({ id }) => id));
  }

  override listFires(
    scheduleId: string,
    { outcome }: { readonly outcome?: FireOutcome },
    { limit, cursor }: PageRequest,
  ): Promise<Page<Fire>> {
    const below = cursor === undefined ? '~' : decodeCursor(cursor);
    const found = this.ofSchedule(scheduleId)
      .filter((fire) => below !== undefined && keyOf(fire) < below)
      .filter((fire) => outcome === undefined || fire.outcome === outcome)
      .toReversed();
    return Promise.resolve(pageOf(found.slice(0, limit + 1), limit, keyOf));
  }

  override firesWithin(scheduleId: string, from: number, to: number): Promise<readonly Fire[]> {
    const fires = this.ofSchedule(scheduleId);
    return Promise.resolve(fires.filter(({ scheduledAt }) => scheduledAt >= from && scheduledAt <= to));
  }

  override startersOf(
    namespace: string,
    workflows: readonly string[],
    limit: number,
  ): Promise<readonly string[]> {
    const found = [...this.schedules.values()].filter(({ namespace: own, run: { workflow } }) =>
      [workflow?.['id'], workflow?.['name']].some(
        (key) => own === namespace && typeof key === 'string' && workflows.includes(key),
      ),
    );
    return Promise.resolve(found.slice(0, limit).map(({ id }) => id));
  }

  override delete(namespace: string, id: string): Promise<boolean> {
    if (this.schedules.get(id)?.namespace !== namespace) return Promise.resolve(false);
    for (const fire of this.ofSchedule(id)) this.fires.delete(fire.id);
    return Promise.resolve(this.schedules.delete(id));
  }

  private ofSchedule(id: string): readonly Fire[] {
    const fires = [...this.fires.values()].filter(({ scheduleId }) => scheduleId === id);
    return fires.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}

/** Sorts by instant. */
function keyOf({ scheduledAt, id }: Fire): string {
  return `${String(scheduledAt).padStart(16, '0')} ${id}`;
}
