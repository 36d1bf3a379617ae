import { aTask } from '../../test/support/a-task.js';
import { TaskScene } from '../../test/support/task-scene.js';
import type { Failure } from '../kernel/failure.js';
import type { Principal } from '../platform/auth/principal.js';
import type { taskErrors } from './task.errors.js';

const ANYBODY: Principal = { namespace: 'default', role: 'admin' };
const FAILURE: Failure = { code: 'a.b', kind: 'upstream', message: 'no', retryable: false };

let scene: TaskScene;

beforeEach(() => {
  scene = new TaskScene();
});

afterEach(() => {
  scene.close();
});

function refusal(code: keyof typeof taskErrors | 'auth.forbidden' | 'agent.not-found'): object {
  return { failure: expect.objectContaining({ code }) as unknown };
}

describe('polling', () => {
  it('answers at once when it shall not wait', async () => {
    expect(await scene.poll()).toEqual([]);
  });

  it('gives what is there, the oldest first, with a token for each', async () => {
    const ids = [await scene.add(), await scene.add(), await scene.add()];

    const handed = await scene.poll({ max: 2 });

    expect(handed.map(({ task }) => task.id)).toEqual(ids.slice(0, 2));
    expect(new Set(handed.map(({ token }) => token)).size).toBe(2);
    expect(handed.every(({ token }) => /^[\w-]{43}$/.test(token))).toBe(true);
  });

  it('waits until there is a task, and asks the record only then', async () => {
    const asked = jest.spyOn(scene.store, 'lease');
    const poll = scene.poll({ waitMs: 30_000 });
    await scene.settled();
    expect(asked).toHaveBeenCalledTimes(1);

    const id = await scene.add();

    expect((await poll).map(({ task }) => task.id)).toEqual([id]);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('serves who came first, and looks once for all who wait', async () => {
    const asked = jest.spyOn(scene.store, 'lease');
    const polls = [scene.poll({ waitMs: 30_000 }), scene.poll({ waitMs: 30_000, max: 5 })];
    await scene.settled();
    const ids = [aTask(), aTask(), aTask()];
    await Promise.all(ids.map((task) => scene.store.create(task)));

    scene.feed.tellWork('default', 'translator');
    const [first = [], second = []] = await Promise.all(polls);

    expect(first.map(({ task }) => task.id)).toEqual([ids[0]?.id]);
    expect(second.map(({ task }) => task.id)).toEqual([ids[1]?.id, ids[2]?.id]);
    expect(asked.mock.calls.at(-1)?.[0].tokenHashes).toHaveLength(6);
  });

  it('puts back what was leased for a worker that is gone meanwhile', async () => {
    const leave = new AbortController();
    const id = await scene.add();
    const lease = scene.store.lease.bind(scene.store);
    jest.spyOn(scene.store, 'lease').mockImplementationOnce((order) => {
      leave.abort();
      return lease(order);
    });

    expect(await scene.poll({ waitMs: 30_000, signal: leave.signal })).toEqual([]);
    await scene.settled();

    expect(await scene.task(id)).toMatchObject({ status: 'queued', deliveries: 0 });
  });

  it('lets everybody go when the service stops', async () => {
    const polls = [scene.poll({ waitMs: 30_000 }), scene.poll({ waitMs: 30_000 })];
    await scene.settled();

    await scene.pollers.drain();

    expect(await Promise.all(polls)).toEqual([[], []]);
    expect(await scene.poll({ waitMs: 30_000 })).toEqual([]);
  });

  it('tells everybody when the record does not answer', async () => {
    jest.spyOn(scene.store, 'lease').mockRejectedValueOnce(new Error('away'));

    await expect(scene.poll({ waitMs: 30_000 })).rejects.toThrow('away');
    expect(await scene.poll()).toEqual([]);
  });

  it.each([
    ['an agent that is not there', 'nobody', 'agent.not-found'],
    ['an agent that is done here', 'echo', 'agent.not-worker'],
  ] as const)('refuses %s', async (_, agentId, code) => {
    await expect(scene.poll({ agentId })).rejects.toMatchObject(refusal(code));
  });
});

describe('a token', () => {
  it('answers its task once; the same answer again changes nothing', async () => {
    const id = await scene.add();
    const token = await scene.take();

    await scene.service.complete(ANYBODY, token, { a: 1, b: [2] });
    await scene.service.complete(ANYBODY, token, { b: [2], a: 1 });

    expect(await scene.task(id)).toMatchObject({
      status: 'completed',
      outcome: { status: 'completed', output: { a: 1, b: [2] } },
    });
    await expect(scene.service.complete(ANYBODY, token, { a: 2 })).rejects.toMatchObject(
      refusal('task.token-used'),
    );
    await expect(scene.service.fail(ANYBODY, token, FAILURE)).rejects.toMatchObject(
      refusal('task.token-used'),
    );
    await expect(scene.service.heartbeat(ANYBODY, token)).rejects.toMatchObject(refusal('task.token-used'));
  });

  it('takes the same failure twice', async () => {
    const id = await scene.add();
    const token = await scene.take();

    await scene.service.fail(ANYBODY, token, FAILURE);
    await scene.service.fail(ANYBODY, token, { ...FAILURE });

    expect(await scene.task(id)).toMatchObject({ status: 'failed', outcome: { failure: FAILURE } });
  });

  it('has run out with its lease: another worker gets the task with another one', async () => {
    const id = await scene.add();
    const token = await scene.take();
    scene.clock.advance(60_000);

    await expect(scene.service.complete(ANYBODY, token, 1)).rejects.toMatchObject(
      refusal('task.token-expired'),
    );
    const poll = scene.poll({ waitMs: 30_000 });
    await scene.settled();
    await scene.sweep.sweep();
    const [second] = await poll;

    expect(second?.task).toMatchObject({ id, deliveries: 2 });
    expect(second?.token).not.toBe(token);
    await expect(scene.service.complete(ANYBODY, token, 1)).rejects.toMatchObject(
      refusal('task.token-expired'),
    );
    await scene.service.complete(ANYBODY, second?.token ?? '', 2);
    expect(await scene.task(id)).toMatchObject({ outcome: { output: 2 } });
  });

  it('holds on with heartbeats', async () => {
    const id = await scene.add();
    const token = await scene.take();
    for (let beat = 0; beat < 5; beat += 1) {
      scene.clock.advance(40_000);
      expect(await scene.service.heartbeat(ANYBODY, token)).toEqual({
        isCancelled: false,
        leaseUntil: scene.clock.now() + 60_000,
      });
      await scene.sweep.sweep();
    }

    await scene.service.complete(ANYBODY, token, 'done');

    expect(await scene.task(id)).toMatchObject({ status: 'completed', deliveries: 1 });
  });

  it('fails its task when as many workers as may have fallen silent', async () => {
    const id = await scene.add({ maxDeliveries: 2 });
    const told: unknown[] = [];
    scene.feed.onTask(id, () => told.push('told'));
    for (let delivery = 0; delivery < 2; delivery += 1) {
      await scene.take();
      scene.clock.advance(60_000);
      await scene.sweep.sweep();
    }

    expect(await scene.task(id)).toMatchObject({
      status: 'failed',
      outcome: { failure: { code: 'task.heartbeat-lost', retryable: true } },
    });
    expect(told).toEqual(['told']);
    expect(await scene.poll()).toEqual([]);
  });

  it('of a cancelled task says so, and takes no answer', async () => {
    const id = await scene.add();
    const token = await scene.take();
    await scene.store.cancel('default', id);

    expect(await scene.service.heartbeat(ANYBODY, token)).toEqual({ isCancelled: true });
    await expect(scene.service.complete(ANYBODY, token, 1)).rejects.toMatchObject(refusal('task.cancelled'));
    await expect(scene.service.fail(ANYBODY, token, FAILURE)).rejects.toMatchObject(
      refusal('task.cancelled'),
    );
  });

  it.each([
    ['empty text', ''],
    ['other text', 'unknown'],
    ['the name of a prototype', '__proto__'],
    ['long text', 'x'.repeat(5_000)],
  ])('that was never given out opens nothing: %s', async (_, token) => {
    for (const attempt of [
      scene.service.heartbeat(ANYBODY, token),
      scene.service.complete(ANYBODY, token, 1),
      scene.service.fail(ANYBODY, token, FAILURE),
    ])
      await expect(attempt).rejects.toMatchObject(refusal('task.token-expired'));
  });

  it('of another namespace opens nothing', async () => {
    await scene.add();
    const token = await scene.take();

    await expect(scene.service.complete({ ...ANYBODY, namespace: 'other' }, token, 1)).rejects.toMatchObject(
      refusal('task.token-expired'),
    );
  });
});

describe("a worker's key", () => {
  it('opens tasks of its agents alone', async () => {
    await scene.add();
    const token = await scene.take();
    const own: Principal = { ...ANYBODY, agents: ['translator'] };
    const foreign: Principal = { ...ANYBODY, agents: ['reviewer'] };

    await expect(scene.poll({}, foreign)).rejects.toMatchObject(refusal('auth.forbidden'));
    await expect(scene.service.heartbeat(foreign, token)).rejects.toMatchObject(refusal('auth.forbidden'));
    await expect(scene.service.complete(foreign, token, 1)).rejects.toMatchObject(refusal('auth.forbidden'));
    expect(await scene.poll({}, own)).toEqual([]);
    await scene.service.complete(own, token, 1);
  });
});
