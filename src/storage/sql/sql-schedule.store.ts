import { sql } from 'kysely';

import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { FirePlan } from '../../schedules/domain/fire-plan.js';
import type { Fire, FireOutcome } from '../../schedules/domain/fire.js';
import type { Schedule, ScheduleStatus } from '../../schedules/domain/schedule.js';
import { ScheduleStore, type DueSchedules, type ScheduleSave } from '../../schedules/schedule.store.js';
import { fireColumns, fireOf, scheduleColumns, scheduleOf } from './schedule-rows.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { ScheduleFiresTable, SchedulesTable } from './tables.js';

type OwnedSchedule = Pick<SchedulesTable, 'namespace' | 'id'>;
type ChangedColumns = Omit<SchedulesTable, 'namespace' | 'created_at'>;

export class SqlScheduleStore extends ScheduleStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly insertRow = this.database.prepare('schedule.insert', (p: Slots<SchedulesTable>) =>
    this.database.kysely.insertInto('schedules').values({
      ...{ id: p.id, namespace: p.namespace, name: p.name, status: p.status, workflow: p.workflow },
      ...{ version: p.version, revision: p.revision, body: p.body },
      ...{ next_at: p.next_at, last_at: p.last_at, wake_at: p.wake_at },
      ...{ created_at: p.created_at, updated_at: p.updated_at },
    }),
  );

  private readonly updateRow = this.database.prepare(
    'schedule.update',
    (p: Slots<ChangedColumns & { readonly seen: number }>) =>
      this.database.kysely
        .updateTable('schedules')
        .set({
          ...{ name: p.name, status: p.status, workflow: p.workflow },
          ...{ version: p.version, revision: p.revision, body: p.body },
          ...{ next_at: p.next_at, last_at: p.last_at, wake_at: p.wake_at },
          updated_at: p.updated_at,
        })
        .where('id', '=', p.id)
        .where('revision', '=', p.seen),
  );

  private readonly upsertFire = this.database.prepare('schedule.put-fire', (p: Slots<ScheduleFiresTable>) =>
    this.database.kysely
      .insertInto('schedule_fires')
      .values({
        ...{ id: p.id, schedule_id: p.schedule_id, namespace: p.namespace },
        ...{ scheduled_at: p.scheduled_at, fired_at: p.fired_at },
        ...{ outcome: p.outcome, is_open: p.is_open, body: p.body },
      })
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((row) => ({
          fired_at: row.ref('excluded.fired_at'),
          outcome: row.ref('excluded.outcome'),
          is_open: row.ref('excluded.is_open'),
          body: row.ref('excluded.body'),
        })),
      ),
  );

  private readonly forgetFires = this.database.prepare(
    'schedule.forget-fires',
    (p: Slots<{ readonly schedule_id: string; readonly keep_from: number }>) =>
      this.database.kysely
        .deleteFrom('schedule_fires')
        .where('schedule_id', '=', p.schedule_id)
        .where('fired_at', '<', p.keep_from)
        .where('is_open', '=', 0),
  );

  private readonly findRow = this.database.prepare('schedule.find', (p: Slots<OwnedSchedule>) =>
    this.database.kysely
      .selectFrom('schedules')
      .selectAll()
      .where('id', '=', p.id)
      .where('namespace', '=', p.namespace),
  );

  private readonly findAnyRow = this.database.prepare(
    'schedule.find-any',
    (p: Slots<{ readonly id: string }>) =>
      this.database.kysely.selectFrom('schedules').selectAll().where('id', '=', p.id),
  );

  private readonly openFires = this.database.prepare(
    'schedule.open-fires',
    (p: Slots<{ readonly schedule_id: string }>) =>
      this.database.kysely
        .selectFrom('schedule_fires')
        .selectAll()
        .where('schedule_id', '=', p.schedule_id)
        .where('is_open', '=', sql.lit(1))
        .orderBy('scheduled_at')
        .orderBy('id'),
  );

  private readonly dueRows = this.database.prepare(
    'schedule.due',
    (p: Slots<{ readonly now: number; readonly limit: number }>) =>
      this.database.kysely
        .selectFrom('schedules')
        .select('id')
        .where('wake_at', '<=', p.now)
        .orderBy('wake_at')
        .limit(p.limit),
  );

  private readonly nextWake = this.database.prepare(
    'schedule.next-wake',
    (p: Slots<{ readonly now: number }>) =>
      this.database.kysely
        .selectFrom('schedules')
        .select('wake_at')
        .where('wake_at', '>', p.now)
        .orderBy('wake_at')
        .limit(1),
  );

  private readonly openSchedules = this.database.prepare('schedule.open', () =>
    this.database.kysely
      .selectFrom('schedule_fires')
      .select('schedule_id')
      .distinct()
      .where('is_open', '=', sql.lit(1)),
  );

  private readonly withinRows = this.database.prepare(
    'schedule.fires-within',
    (p: Slots<{ readonly schedule_id: string; readonly from: number; readonly to: number }>) =>
      this.database.kysely
        .selectFrom('schedule_fires')
        .selectAll()
        .where('schedule_id', '=', p.schedule_id)
        .where('scheduled_at', '>=', p.from)
        .where('scheduled_at', '<=', p.to),
  );

  private readonly deleteRow = this.database.prepare('schedule.delete', (p: Slots<OwnedSchedule>) =>
    this.database.kysely.deleteFrom('schedules').where('id', '=', p.id).where('namespace', '=', p.namespace),
  );

  private readonly deleteFires = this.database.prepare(
    'schedule.delete-fires',
    (p: Slots<{ readonly schedule_id: string }>) =>
      this.database.kysely.deleteFrom('schedule_fires').where('schedule_id', '=', p.schedule_id),
  );

  override async create(schedule: Schedule): Promise<void> {
    await this.database.write({ statements: [this.insertRow.bind(scheduleColumns(schedule))] });
  }

  override async find(namespace: string, id: string): Promise<Schedule | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ namespace, id }));
    return row && scheduleOf(row);
  }

  override async findPlan(id: string): Promise<FirePlan | undefined> {
    const [row] = await this.database.read(this.findAnyRow.bind({ id }));
    if (row === undefined) return undefined;
    const fires = await this.database.read(this.openFires.bind({ schedule_id: id }));
    return { schedule: scheduleOf(row), open: fires.map(fireOf) };
  }

  override async save({ schedule, fires, seen, keepFrom }: ScheduleSave): Promise<boolean> {
    const { id, namespace } = schedule;
    const { held } = await this.database.write({
      statements: [
        this.updateRow.guard({ ...scheduleColumns(schedule), seen }),
        ...fires.map((fire) => this.upsertFire.bind(fireColumns(namespace, fire))),
        this.forgetFires.bind({ schedule_id: id, keep_from: keepFrom }),
      ],
    });
    return held;
  }

  override async due(now: number, limit: number): Promise<DueSchedules> {
    const [due, [next]] = await Promise.all([
      this.database.read(this.dueRows.bind({ now, limit })),
      this.database.read(this.nextWake.bind({ now })),
    ]);
    const nextWakeAt = next?.wake_at ?? undefined;
    return { ids: due.map(({ id }) => id), ...(nextWakeAt !== undefined && { nextWakeAt }) };
  }

  override async listOpen(): Promise<readonly string[]> {
    const rows = await this.database.read(this.openSchedules.bind({}));
    return rows.map(({ schedule_id }) => schedule_id);
  }

  override async list(
    namespace: string,
    { status }: { readonly status?: ScheduleStatus },
    { limit, cursor }: PageRequest,
  ): Promise<Page<Schedule>> {
    const below = cursor === undefined ? undefined : decodeCursor(cursor);
    if (cursor !== undefined && below === undefined) return { items: [] };
    let query = this.database.kysely
      .selectFrom('schedules')
      .selectAll()
      .where('namespace', '=', namespace)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (status !== undefined) query = query.where('status', '=', status);
    if (below !== undefined) query = query.where('id', '<', below);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(scheduleOf), limit, ({ id }) => id);
  }

  override async listFires(
    scheduleId: string,
    { outcome }: { readonly outcome?: FireOutcome },
    { limit, cursor }: PageRequest,
  ): Promise<Page<Fire>> {
    const below = cursor === undefined ? undefined : placeOf(cursor);
    if (cursor !== undefined && below === undefined) return { items: [] };
    let query = this.database.kysely
      .selectFrom('schedule_fires')
      .selectAll()
      .where('schedule_id', '=', scheduleId)
      .orderBy('scheduled_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (outcome !== undefined) query = query.where('outcome', '=', outcome);
    if (below !== undefined)
      query = query.where(sql<boolean>`(scheduled_at, id) < (${below.at}, ${below.id})`);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(fireOf), limit, ({ scheduledAt, id }) => `${scheduledAt} ${id}`);
  }

  override async firesWithin(scheduleId: string, from: number, to: number): Promise<readonly Fire[]> {
    const rows = await this.database.read(this.withinRows.bind({ schedule_id: scheduleId, from, to }));
    return rows.map(fireOf);
  }

  override async startersOf(
    namespace: string,
    workflows: readonly string[],
    limit: number,
  ): Promise<readonly string[]> {
    if (workflows.length === 0) return [];
    const query = this.database.kysely
      .selectFrom('schedules')
      .select('id')
      .where('namespace', '=', namespace)
      .where('workflow', 'in', [...workflows])
      .limit(limit);
    return (await this.database.read(statementOf(query))).map(({ id }) => id);
  }

  override async delete(namespace: string, id: string): Promise<boolean> {
    const { held } = await this.database.write({
      statements: [this.deleteRow.guard({ namespace, id }), this.deleteFires.bind({ schedule_id: id })],
    });
    return held;
  }
}

function placeOf(cursor: string): { readonly at: number; readonly id: string } | undefined {
  const [, at, id] = /^(-?\d{1,15}) (.+)$/.exec(decodeCursor(cursor) ?? '') ?? [];
  return at === undefined || id === undefined ? undefined : { at: Number(at), id };
}
