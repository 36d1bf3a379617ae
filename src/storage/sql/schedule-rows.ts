/** Schedules and fires as rows: what is looked for in columns, the rest as JSON. */
import type { Fire } from '../../schedules/domain/fire.js';
import { statusOf, type Schedule } from '../../schedules/domain/schedule.js';
import type { ScheduleFiresTable, SchedulesTable } from './tables.js';

type ScheduleBody = Pick<Schedule, 'rule' | 'policy' | 'run' | 'paused'>;
type FireBody = Omit<Fire, 'id' | 'scheduleId' | 'scheduledAt' | 'firedAt' | 'outcome' | 'isOpen'>;

export function scheduleColumns(schedule: Schedule): SchedulesTable {
  const { id, namespace, name, version, revision, rule, policy, run, paused } = schedule;
  const { workflow } = run;
  const key = workflow?.['id'] ?? workflow?.['name'];
  const body: ScheduleBody = { rule, policy, run, ...(paused && { paused }) };
  return {
    ...{ id, namespace, name, version, revision, status: statusOf(schedule), body: JSON.stringify(body) },
    workflow: typeof key === 'string' ? key : null,
    next_at: schedule.nextAt ?? null,
    last_at: schedule.lastAt ?? null,
    wake_at: schedule.wakeAt ?? null,
    created_at: schedule.createdAt,
    updated_at: schedule.updatedAt,
  };
}

export function scheduleOf(row: SchedulesTable): Schedule {
  const { id, namespace, name, version, revision } = row;
  return {
    ...{ id, namespace, name, version, revision },
    ...(JSON.parse(row.body) as ScheduleBody),
    ...(row.next_at !== null && { nextAt: row.next_at }),
    ...(row.last_at !== null && { lastAt: row.last_at }),
    ...(row.wake_at !== null && { wakeAt: row.wake_at }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function fireColumns(namespace: string, fire: Fire): ScheduleFiresTable {
  const { id, scheduleId, scheduledAt, firedAt, outcome, isOpen, ...body } = fire;
  return {
    ...{ id, namespace, schedule_id: scheduleId, scheduled_at: scheduledAt, fired_at: firedAt, outcome },
    is_open: isOpen ? 1 : 0,
    body: JSON.stringify(body satisfies FireBody),
  };
}

export function fireOf(row: ScheduleFiresTable): Fire {
  const { id, schedule_id: scheduleId, scheduled_at: scheduledAt, fired_at: firedAt, outcome } = row;
  const isOpen = row.is_open === 1;
  return {
    ...{ id, scheduleId, scheduledAt, firedAt, outcome, isOpen },
    ...(JSON.parse(row.body) as FireBody),
  };
}
