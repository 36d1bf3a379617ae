import type { NewTask, Task, TaskOutcome } from '../../src/agents/domain/task.js';
import type { Failure } from '../../src/kernel/failure.js';
import { aTask } from '../support/a-task.js';
import { SHORT_MS, useRecord, type RecordEngine } from './record-scene.js';

const LOST: Failure = { code: 'task.heartbeat-lost', kind: 'upstream', message: 'lost', retryable: true };
const DONE: TaskOutcome = { status: 'completed', output: { text: 'Good day', __proto__: null } };

/** What every `TaskStore` promises. */
export function taskStoreContract(engine: RecordEngine): void {
  describe(`TaskStore on ${engine.name}`, () => {
    const scene = useRecord(engine);

    const add = (fields: Partial<NewTask> = {}): Promise<Task> => scene.stores.tasks.create(aTask(fields));
    const lease = (...tokenHashes: readonly string[]): Promise<readonly Task[]> =>
      scene.stores.tasks.lease({ namespace: 'default', agentKey: 'translator', tokenHashes });
    const find = async (id: string): Promise<Task> => {
      const task = await scene.stores.tasks.find('default', id);
      if (task === undefined) throw new Error(`There is no task ${id}.`);
      return task;
    };

    it('adds a task to the queue and finds it as it was given', async () => {
      const wanted = aTask({ runId: 'run_1', stepId: 'a[2]', input: { constructor: 1, text: '„€"' } });

      const task = await scene.stores.tasks.create(wanted);

      expect(task).toEqual({ ...wanted, status: 'queued', deliveries: 0 });
      expect(await scene.stores.tasks.find('default', wanted.id)).toEqual(task);
      expect(await scene.stores.tasks.find('other', wanted.id)).toBeUndefined();
    });

    it('finds the open tasks of a run', async () => {
      const queued = await add({ runId: 'run_1', lineage: 'a', createdAt: 1 });
      await add({ runId: 'run_2', lineage: 'b' });
      await add({ runId: 'run_1', lineage: 'c', namespace: 'other' });
      const cancelled = await add({ runId: 'run_1', lineage: 'd' });
      await scene.stores.tasks.cancel('default', cancelled.id);

      const open = await scene.stores.tasks.openOf('default', 'run_1');
      expect(open).toEqual([queued]);
      expect(await scene.stores.tasks.openOf('default', 'run_9')).toEqual([]);
    });

    it('answers the task of a lineage again, open or ended, until it was cancelled', async () => {
      const first = await add({ lineage: 'a' });
      const open = await add({ lineage: 'a' });
      await lease('h1');
      await scene.stores.tasks.end('default', 'h1', DONE);
      const ended = await add({ lineage: 'a' });
      const [other, foreign] = [await add({ lineage: 'b' }), await add({ lineage: 'a', namespace: 'other' })];
      await scene.stores.tasks.cancel('default', other.id);
      const again = await add({ lineage: 'b' });

      expect([open.id, ended.id, ended.outcome]).toEqual([first.id, first.id, DONE]);
      expect(new Set([first.id, other.id, foreign.id, again.id]).size).toBe(4);
    });

    it('adds one task of a lineage for callers at once', async () => {
      const tasks = await Promise.all(Array.from({ length: 20 }, () => add({ lineage: 'a' })));

      expect(new Set(tasks.map(({ id }) => id)).size).toBe(1);
    });

    it('leases the oldest tasks of an agent, one for each token', async () => {
      const [first, second, third] = [await add(), await add(), await add()];
      await add({ agentKey: 'reviewer' });
      await add({ namespace: 'other' });

      const leased = await lease('h1', 'h2');
      const now = await scene.stores.now();

      expect(
        leased.map(({ id, tokenHash, status, deliveries }) => [id, tokenHash, status, deliveries]),
      ).toEqual([
        [first.id, 'h1', 'leased', 1],
        [second.id, 'h2', 'leased', 1],
      ]);
      expect(leased[0]?.leaseUntil).toBeGreaterThan(now + 30_000);
      expect((await lease('h3', 'h4')).map(({ id }) => id)).toEqual([third.id]);
      expect(await lease('h5')).toEqual([]);
    });

    it('hands no task to two callers at once', async () => {
      const tasks = await Promise.all(Array.from({ length: 40 }, () => add()));
      const asked = Array.from({ length: 20 }, (_, n) => lease(`a${n}`, `b${n}`, `c${n}`));

      const taken = (await Promise.all(asked)).flat().map(({ id }) => id);
      for (let rest = await lease('r0'); rest.length > 0; rest = await lease(`r${taken.length}`))
        taken.push(...rest.map(({ id }) => id));

      expect(taken.toSorted()).toEqual(tasks.map(({ id }) => id).toSorted());
    });

    it('puts back what nobody took, as if it had not been handed out', async () => {
      const task = await add();
      await lease('h1');

      await scene.stores.tasks.release('default', ['h1', 'unknown']);

      expect(await find(task.id)).toEqual(task);
      expect(await scene.stores.tasks.findByToken('default', 'h1')).toBeUndefined();
    });

    it('extends a lease from the present on', async () => {
      await add();
      const [leased] = await lease('h1');
      await scene.passTime(SHORT_MS);

      const extended = await scene.stores.tasks.extend('default', 'h1');

      expect(extended?.leaseUntil).toBeGreaterThanOrEqual((leased?.leaseUntil ?? 0) + SHORT_MS);
      expect(await scene.stores.tasks.extend('other', 'h1')).toBeUndefined();
      expect(await scene.stores.tasks.extend('default', 'unknown')).toBeUndefined();
    });

    it.each<TaskOutcome>([DONE, { status: 'failed', failure: LOST }])(
      'ends a task once: %j',
      async (outcome) => {
        const { id } = await add();
        await lease('h1');

        expect(await scene.stores.tasks.end('other', 'h1', outcome)).toBe(false);
        expect(await scene.stores.tasks.end('default', 'h1', outcome)).toBe(true);
        expect(await scene.stores.tasks.end('default', 'h1', { status: 'completed', output: 2 })).toBe(false);

        const task = await find(id);
        expect(task).toMatchObject({ status: outcome.status, outcome });
        expect(task.endedAt).toBeGreaterThan(0);
        expect(await scene.stores.tasks.findByToken('default', 'h1')).toEqual(task);
      },
    );

    it('cancels what is queued or leased, and nothing else', async () => {
      const [first, second, third] = [await add(), await add(), await add()];
      await lease('h1', 'h2');
      await scene.stores.tasks.end('default', 'h2', DONE);
      const { tasks } = scene.stores;

      expect(await tasks.cancel('other', first.id)).toBe(false);
      expect(await Promise.all([first, second, third].map(({ id }) => tasks.cancel('default', id)))).toEqual([
        true,
        false,
        true,
      ]);
      expect(await tasks.cancel('default', first.id)).toBe(false);
      expect(await tasks.findByToken('default', 'h1')).toMatchObject({ status: 'cancelled' });
      expect(await tasks.end('default', 'h1', DONE)).toBe(false);
      expect(await tasks.extend('default', 'h1')).toBeUndefined();
      expect(await lease('h3')).toEqual([]);
    });

    it('refuses a token whose lease has run out, looked at or not', async () => {
      await add({ heartbeatTimeoutMs: SHORT_MS });
      await lease('h1');
      await scene.passTime(SHORT_MS);

      expect(await scene.stores.tasks.extend('default', 'h1')).toBeUndefined();
      expect(await scene.stores.tasks.end('default', 'h1', DONE)).toBe(false);
    });

    it('takes back leases that ran out: into the queue, or failed after the last delivery', async () => {
      const short = { heartbeatTimeoutMs: SHORT_MS };
      const [first, second] = [await add(short), await add({ ...short, maxDeliveries: 1 })];
      const third = await add();
      await lease('h1', 'h2', 'h3');
      expect((await scene.stores.tasks.expire(LOST)).requeued).toEqual([]);
      await scene.passTime(SHORT_MS);

      const { requeued, failed, nextInMs } = await scene.stores.tasks.expire(LOST);

      expect(requeued).toEqual([{ ...first, deliveries: 1 }]);
      expect(failed).toMatchObject([{ id: second.id, status: 'failed', outcome: { failure: LOST } }]);
      expect(nextInMs).toBeGreaterThan(30_000);
      expect(await find(third.id)).toMatchObject({ status: 'leased' });
      expect(await scene.stores.tasks.findByToken('default', 'h1')).toBeUndefined();
      expect(await lease('h4')).toMatchObject([{ id: first.id, deliveries: 2, tokenHash: 'h4' }]);
    });

    it('has no next look when nothing is leased', async () => {
      await add();

      expect(await scene.stores.tasks.expire(LOST)).toEqual({ requeued: [], failed: [] });
    });

    it('deletes what ended before a time, in bounded numbers', async () => {
      const ended = [await add(), await add(), await add()];
      const open = await add();
      await lease('h1', 'h2', 'h3');
      for (const hash of ['h1', 'h2', 'h3']) await scene.stores.tasks.end('default', hash, DONE);
      await scene.passTime(2);
      const now = await scene.stores.now();

      expect(await scene.stores.tasks.purge(now - 600_000, 10)).toBe(0);
      expect(await scene.stores.tasks.purge(now, 2)).toBe(2);
      expect(await scene.stores.tasks.purge(now, 2)).toBe(1);

      const found = await Promise.all(
        [...ended, open].map(({ id }) => scene.stores.tasks.find('default', id)),
      );
      expect(found.map((task) => task?.status)).toEqual([undefined, undefined, undefined, 'queued']);
    });
  });
}
