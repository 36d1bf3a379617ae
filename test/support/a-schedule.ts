import { instantsOf } from '../../src/schedules/domain/next-fires.js';
import type { Fire } from '../../src/schedules/domain/fire.js';
import { settle, aim } from '../../src/schedules/domain/fire-plan.js';
import type { Schedule, SchedulePolicy } from '../../src/schedules/domain/schedule.js';

let made = 0;

/** What a test says of a schedule; the rest is ordinary. */
export type ScheduleFields = Partial<Omit<Schedule, 'policy'>> & {
  readonly policy?: Partial<SchedulePolicy>;
};

/** A schedule that fires every 10 s from 10,000 on, as it is at 0. */
export function aSchedule({ policy, ...fields }: ScheduleFields = {}): Schedule {
  const schedule: Schedule = {
    id: `sch_${String(++made).padStart(32, '0')}`,
    namespace: 'default',
    name: 'every ten seconds',
    version: 1,
    revision: 1,
    rule: { kind: 'interval', intervalMs: 10_000, anchorAt: 10_000 },
    policy: { jitterMs: 0, overlap: 'skip', catchUpWindowMs: 60_000, pauseOnFailure: false, ...policy },
    run: { definition: { steps: [] } },
    createdAt: 0,
    updatedAt: 0,
    ...fields,
  };
  const aimed = schedule.nextAt === undefined ? aim(schedule, instantsOf(schedule.rule), 0) : schedule;
  return settle({ schedule: aimed, open: [] }, 0).schedule;
}

/** A fire of a schedule that was decided when it was due. */
export function aFire(schedule: Pick<Schedule, 'id'>, scheduledAt: number, fields: Partial<Fire> = {}): Fire {
  const id = `${schedule.id}:${String(scheduledAt)}:scheduled`;
  const fire: Fire = {
    ...{ id, scheduleId: schedule.id, cause: 'scheduled', scheduledAt, firedAt: scheduledAt },
    ...{ outcome: 'started', isOpen: false },
  };
  return { ...fire, ...fields };
}
