import type { FireChange } from '../../src/schedules/domain/fire-plan.js';
import type { Fire } from '../../src/schedules/domain/fire.js';
import type { Schedule } from '../../src/schedules/domain/schedule.js';
import { aFire, aSchedule } from '../support/a-schedule.js';
import { useRecord, type RecordEngine } from './record-scene.js';

export function scheduleStoreContract(engine: RecordEngine): void {
  describe(`ScheduleStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    async function kept(fields: Parameters<typeof aSchedule>[0] = {}): Promise<Schedule> {
      const schedule = aSchedule(fields);
      await scene.stores.schedules.create(schedule);
      return schedule;
    }

    function save(
      schedule: Schedule,
      fires: readonly Fire[],
      more: { readonly seen?: number; readonly keepFrom?: number } = {},
    ): Promise<boolean> {
      const next: Pick<FireChange, 'schedule' | 'fires'> = {
        schedule: { ...schedule, revision: schedule.revision + 1 },
        fires,
      };
      return scene.stores.schedules.save({ ...next, seen: schedule.revision, keepFrom: 0, ...more });
    }

    it('finds a schedule as it was kept, in its namespace only', async () => {
      const plain = await kept();
      const full = await kept({
        paused: { at: 5, note: 'why' },
        lastAt: 7,
        rule: { kind: 'cron', cron: '0 0 * * *', timezone: 'Europe/Berlin', startAt: 1, endAt: 2 },
        run: { workflow: { name: 'w' }, input: { constructor: 1, ü: '💡' }, tags: ['a'], priority: 3 },
      });

      expect(await scene.stores.schedules.find('default', plain.id)).toEqual(plain);
      expect(await scene.stores.schedules.find('default', full.id)).toEqual(full);
      expect(await scene.stores.schedules.find('other', plain.id)).toBeUndefined();
    });

    it('saves a change with its fires from the revision that was seen, and only from that', async () => {
      const schedule = await kept();
      const fire = aFire(schedule, 10_000, { outcome: 'starting', isOpen: true });

      expect(await save({ ...schedule, name: 'new', nextAt: 20_000 }, [fire])).toBe(true);
      expect(await save({ ...schedule, name: 'late' }, [aFire(schedule, 20_000)])).toBe(false);
      expect(await save(schedule, [fire], { seen: 3 })).toBe(false);

      const plan = await scene.stores.schedules.findPlan(schedule.id);
      expect(plan).toEqual({
        schedule: { ...schedule, name: 'new', nextAt: 20_000, revision: 2 },
        open: [fire],
      });
      expect(await scene.stores.schedules.firesWithin(schedule.id, 0, 99_999)).toEqual([fire]);
    });

    it('lets one of many change it, whoever that is', async () => {
      const schedule = await kept();
      const tries = Array.from({ length: 8 }, (_, index) =>
        save({ ...schedule, name: `by ${index}` }, [aFire(schedule, 10_000 + index)]),
      );

      expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
      expect(await scene.stores.schedules.firesWithin(schedule.id, 0, 99_999)).toHaveLength(1);
    });

    it('puts a fire again over what it was', async () => {
      const schedule = await kept();
      const starting = aFire(schedule, 10_000, { outcome: 'starting', isOpen: true });
      const failed = aFire(schedule, 10_000, {
        ...{ outcome: 'failed', firedAt: 10_005, tries: 2, reason: 'r', untilAt: 1 },
        failure: { code: 'queue.full', kind: 'limited', message: 'm', retryable: true },
      });
      await save(schedule, [starting]);
      await save({ ...schedule, revision: 2 }, [failed]);

      expect(await scene.stores.schedules.findPlan(schedule.id)).toMatchObject({ open: [] });
      expect(await scene.stores.schedules.firesWithin(schedule.id, 10_000, 10_000)).toEqual([failed]);
    });

    it('gives open fires oldest first, and tells which schedules have some', async () => {
      const [schedule, other] = [await kept(), await kept()];
      const open = [30_000, 10_000, 200_000].map((at) => aFire(schedule, at, { isOpen: true }));
      await save(schedule, [...open, aFire(schedule, 20_000)]);
      await save(other, [aFire(other, 10_000)]);

      const plan = await scene.stores.schedules.findPlan(schedule.id);
      expect(plan?.open.map(({ scheduledAt }) => scheduledAt)).toEqual([10_000, 30_000, 200_000]);
      expect(await scene.stores.schedules.listOpen()).toEqual([schedule.id]);
    });

    it('forgets settled fires that were looked at long ago', async () => {
      const schedule = await kept();
      const old = { firedAt: 4 };
      await save(schedule, [aFire(schedule, 1, old), aFire(schedule, 2, { ...old, isOpen: true })]);
      await save({ ...schedule, revision: 2 }, [aFire(schedule, 3, { firedAt: 5 })], { keepFrom: 5 });

      const left = await scene.stores.schedules.firesWithin(schedule.id, 0, 99);
      expect(left.map(({ scheduledAt }) => scheduledAt).toSorted((a, b) => a - b)).toEqual([2, 3]);
    });

    it('tells which schedules are due, most overdue first, and when the next one is', async () => {
      const [late, later, soon] = [
        await kept({ nextAt: 100 }),
        await kept({ nextAt: 50, namespace: 'other' }),
        await kept({ nextAt: 300 }),
      ];
      await kept({ paused: { at: 0 } });

      expect(await scene.stores.schedules.due(100, 9)).toEqual({ ids: [later.id, late.id], nextWakeAt: 300 });
      expect(await scene.stores.schedules.due(100, 1)).toEqual({ ids: [later.id], nextWakeAt: 300 });
      expect(await scene.stores.schedules.due(300, 9)).toEqual({ ids: [later.id, late.id, soon.id] });
    });

    it('lists schedules newest first, by status, page by page', async () => {
      const all = [await kept(), await kept({ paused: { at: 1 } }), await kept()];
      await kept({ namespace: 'other' });
      const { schedules } = scene.stores;
      const first = await schedules.list('default', {}, { limit: 2 });
      const rest = await schedules.list('default', {}, { limit: 2, cursor: first.nextCursor ?? '' });

      expect([...first.items, ...rest.items]).toEqual(all.toReversed());
      expect(rest.nextCursor).toBeUndefined();
      expect((await schedules.list('default', { status: 'paused' }, { limit: 9 })).items).toEqual([all[1]]);
      expect(await schedules.list('default', {}, { limit: 9, cursor: '!' })).toEqual({ items: [] });
    });

    it('lists fires latest instant first, by outcome, page by page', async () => {
      const schedule = await kept();
      const other = await kept();
      const at = [999, 1_000, 20_000];
      await save(schedule, [
        ...at.map((instant) => aFire(schedule, instant)),
        aFire(schedule, 1_000, { id: `${schedule.id}:1000:triggered:a`, outcome: 'skipped' }),
      ]);
      await save(other, [aFire(other, 5)]);
      const { schedules } = scene.stores;
      const first = await schedules.listFires(schedule.id, {}, { limit: 2 });
      const rest = await schedules.listFires(schedule.id, {}, { limit: 2, cursor: first.nextCursor ?? '' });

      const listed = [...first.items, ...rest.items].map(({ scheduledAt, outcome }) => [
        scheduledAt,
        outcome,
      ]);
      expect(listed).toEqual([
        [20_000, 'started'],
        [1_000, 'skipped'],
        [1_000, 'started'],
        [999, 'started'],
      ]);
      expect(
        (await schedules.listFires(schedule.id, { outcome: 'skipped' }, { limit: 9 })).items,
      ).toHaveLength(1);
      expect(await schedules.listFires(schedule.id, {}, { limit: 9, cursor: '!' })).toEqual({ items: [] });
    });

    it('finds who starts a workflow, by id or name', async () => {
      const [byId, byName] = [
        await kept({ run: { workflow: { id: 'wf_1' } } }),
        await kept({ run: { workflow: { name: 'welcome', label: 'production' } } }),
      ];
      await kept({ run: { workflow: { id: 'wf_1' } }, namespace: 'other' });
      await kept();
      const { schedules } = scene.stores;

      const found = await schedules.startersOf('default', ['wf_1', 'welcome'], 9);
      expect(found.toSorted()).toEqual([byId.id, byName.id].toSorted());
      expect(await schedules.startersOf('default', ['wf_1', 'welcome'], 1)).toHaveLength(1);
      expect(await schedules.startersOf('default', [], 9)).toEqual([]);
    });

    it('deletes a schedule once with its fires, and keeps nothing of a change that comes later', async () => {
      const schedule = await kept();
      await save(schedule, [aFire(schedule, 1, { isOpen: true })]);
      const { schedules } = scene.stores;

      expect(await schedules.delete('other', schedule.id)).toBe(false);
      expect(await schedules.delete('default', schedule.id)).toBe(true);
      expect(await schedules.delete('default', schedule.id)).toBe(false);
      expect(await save({ ...schedule, revision: 2 }, [aFire(schedule, 2)])).toBe(false);
      expect(await schedules.findPlan(schedule.id)).toBeUndefined();
      expect(await schedules.firesWithin(schedule.id, 0, 9)).toEqual([]);
    });
  });
}
