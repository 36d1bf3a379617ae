import { WorkerPool, type WorkerTask } from '../../src/platform/lifecycle/worker-pool.js';

function taskOf<I, O>(name: string): WorkerTask<I, O> {
  return { module: '../test/support/worker-tasks.mjs', name };
}

const double = taskOf<number, number>('double');

describe('the worker pool', () => {
  const pool = new WorkerPool();

  afterAll(() => pool.onModuleDestroy());

  it('runs tasks in order', async () => {
    expect(await Promise.all([1, 2, 3].map((n) => pool.run(double, n)))).toEqual([2, 4, 6]);
  });

  it('passes failures on, and tells bugs apart', async () => {
    await expect(pool.run(taskOf('refuse'), null)).rejects.toMatchObject({
      failure: { code: 'test.refused' },
    });
    await expect(pool.run(taskOf('fail'), null)).rejects.toThrow('a bug');
    await expect(pool.run(taskOf('nothing'), null)).rejects.toThrow('exports no task "nothing"');
  });

  it.each([
    ['time', 'spin', 200],
    ['memory', 'hoard', 60_000],
  ])(
    'ends a task beyond its %s, and goes on with those that wait',
    async (_, name, timeoutMs) => {
      const heavy = pool.run(taskOf(name), null, timeoutMs);
      const next = pool.run(double, 21);

      await expect(heavy).rejects.toMatchObject({ failure: { code: 'check.limit-exceeded' } });
      expect(await next).toBe(42);
    },
    90_000,
  );

  it('refuses what waits when it closes', async () => {
    const closing = new WorkerPool();
    const runs = Promise.allSettled([closing.run(taskOf('spin'), null), closing.run(double, 1)]);
    await closing.onModuleDestroy();
    const refused = { status: 'rejected', reason: { failure: { code: 'service.unavailable' } } };

    expect(await runs).toMatchObject([refused, refused]);
    await expect(closing.run(double, 1)).rejects.toMatchObject(refused.reason);
  });
});
