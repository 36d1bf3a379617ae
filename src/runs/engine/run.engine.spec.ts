import { changed } from '../../../test/support/changed.js';
import { EngineScene, handStep, type SceneOptions } from '../../../test/support/engine-scene.js';
import type { RunRow } from '../run.catalogue.js';

let scenes: EngineScene[] = [];

afterEach(async () => {
  for (const scene of scenes) await scene.stop();
  scenes = [];
});

async function start(options: SceneOptions = {}): Promise<EngineScene> {
  const scene = await EngineScene.start(options);
  scenes.push(scene);
  return scene;
}

async function rowOf(scene: EngineScene, runId: string): Promise<RunRow> {
  const row = await scene.stores.catalogue.find('default', runId);
  if (row === undefined) throw new Error(`there is no run ${runId}`);
  return row;
}

/** The runs whose agent was called, in the order of the calls. */
function called({ provider }: EngineScene): readonly (string | undefined)[] {
  return provider.calls.map(({ request }) => request.runId);
}

const oneSlot = { config: { maxConcurrentRuns: 1 } };

describe('execution slots', () => {
  it('are taken by as many runs as the configuration says, and by the next when one ends', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 3 } });
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await scene.run(['a']));
    await scene.settled();
    expect(called(scene)).toEqual(ids.slice(0, 3));

    (await scene.call(1)).complete();
    await scene.call(3);
    await scene.settled();

    expect(called(scene)).toEqual(ids.slice(0, 4));
    expect([scene.engine.executing, scene.engine.freeSlots]).toEqual([3, 0]);
  });

  it('are never given twice to starts at once', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 3 } });

    await Promise.all(Array.from({ length: 20 }, () => scene.run(['a'])));
    await scene.settled();

    expect(called(scene)).toHaveLength(3);
  });

  it('go to the highest priority first, then to the longest queued', async () => {
    const scene = await start(oneSlot);
    const first = await scene.run(['a']);
    const low = await scene.run(['a'], { priority: 10 });
    const high = await scene.run(['a'], { priority: 90 });
    const later = await scene.run(['a'], { priority: 90 });

    for (let n = 0; n < 4; n += 1) (await scene.call(n)).complete();
    await scene.settled();

    expect(called(scene)).toEqual([first, high, later, low]);
  });

  it('are free again when a run fails, is cancelled or runs out of time', async () => {
    const scene = await start(oneSlot);
    await scene.run({ steps: [handStep('a')], timeoutMs: 1_000 });
    await scene.run(['a']);
    const third = await scene.run(['a']);
    await scene.call(0);

    await scene.pass(1_000);
    (await scene.call(1)).fail({ retryable: false });
    await scene.call(2);
    await scene.send(third, 'cancel');
    await scene.settled();

    expect(scene.engine.freeSlots).toBe(1);
  });

  it('are held by no paused run: its open attempt finishes, then another run starts', async () => {
    const scene = await start(oneSlot);
    const paused = await scene.run(['a', 'b']);
    const waiting = await scene.run(['a']);
    await scene.call(0);
    await scene.call(1);

    await scene.send(paused, 'pause');
    (await scene.call(0)).complete();
    await scene.settled();
    expect(called(scene)).toEqual([paused, paused]);
    (await scene.call(1)).complete();
    (await scene.call(2)).complete();
    await scene.logged(waiting, 'run.completed');
    await scene.send(paused, 'resume');
    await scene.logged(paused, 'run.completed');

    expect(called(scene)).toEqual([paused, paused, waiting]);
  });

  it('are held by no run whose back-off is longer than 10 s, and it goes on when its time has come', async () => {
    const scene = await start(oneSlot);
    const retry = { initialIntervalMs: 60_000, maxIntervalMs: 60_000, jitter: 'none' };
    const patient = await scene.run({ retry, steps: [handStep('a')] });
    const other = await scene.run(['a']);
    const startedAt = scene.clock.now();

    (await scene.call(0)).fail();
    (await scene.call(1)).complete();
    await scene.logged(other, 'run.completed');
    const row = await rowOf(scene, patient);
    expect([row.ownerId, row.summary.wakeAt]).toEqual([undefined, startedAt + 60_000]);
    expect(scene.engine.executing).toBe(0);

    await scene.pass(59_999);
    expect(called(scene)).toEqual([patient, other]);
    await scene.pass(11);
    expect(called(scene)).toEqual([patient, other, patient]);
  });

  it('are kept over a shorter back-off', async () => {
    const scene = await start(oneSlot);
    const retry = { initialIntervalMs: 5_000, jitter: 'none' };
    const first = await scene.run({ retry, steps: [handStep('a')] });
    await scene.run(['a']);

    (await scene.call(0)).fail();
    await scene.pass(5_000);

    expect(called(scene)).toEqual([first, first]);
  });
});

describe('the queue', () => {
  it('refuses a start when it is full, and says when to try again', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 1, maxQueueSize: 2 } });
    for (let n = 0; n < 3; n += 1) await scene.run(['a']);

    await expect(scene.run(['a'])).rejects.toMatchObject({
      failure: { code: 'queue.full', kind: 'limited', retryAfterMs: 1_000 },
    });

    (await scene.call(0)).complete();
    await scene.call(1);
    await expect(scene.run(['a'])).resolves.toMatch(/^run_/);
  });

  it('when it is off lets a run start while a slot is free, and refuses it otherwise', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 1, queueEnabled: false } });
    await scene.run(['a']);
    await expect(scene.run(['a'])).rejects.toMatchObject({ failure: { code: 'queue.full' } });

    (await scene.call(0)).complete();
    await scene.settled();

    await expect(scene.run(['a'])).resolves.toMatch(/^run_/);
    await scene.call(1);
  });
});

describe('parallel steps', () => {
  it.each([
    [{ parallelEnabled: false }, {}, 1],
    [{ parallelEnabled: false }, { maxParallelSteps: 4 }, 1],
    [{ maxParallelSteps: 2 }, {}, 2],
    [{ maxParallelSteps: 2 }, { maxParallelSteps: 4 }, 4],
  ])('with %j and a definition with %j: %d at once', async (config, more, atOnce) => {
    const scene = await start({ config });
    const id = await scene.run({ ...more, steps: ['a', 'b', 'c', 'd', 'e'].map(handStep) });
    for (let n = 0; n < 5; n += 1) {
      await scene.call(Math.min(4, n + atOnce - 1));
      await scene.settled();
      expect(called(scene)).toHaveLength(Math.min(5, n + atOnce));
      (await scene.call(n)).complete();
    }
    await scene.logged(id, 'run.completed');
  });
});

describe('a process that is told to stop', () => {
  it('lets open attempts finish, starts nothing more, and frees its runs', async () => {
    const scene = await start();
    const id = await scene.run({ steps: [handStep('a'), { ...handStep('b'), dependsOn: ['a'] }] });
    const call = await scene.call(0);
    const stopped = scene.recovery.stop(new AbortController().signal);
    await scene.settled();

    call.complete();
    await stopped;

    expect(call.isAborted).toBe(false);
    expect((await scene.log(id)).at(-1)).toBe('step.completed a#1');
    const { ownerId, summary } = await rowOf(scene, id);
    expect([ownerId, summary.status, summary.wakeAt]).toEqual([undefined, 'running', scene.clock.now()]);
  });

  it('hands back what has not finished in time, and the next process goes on at once', async () => {
    const scene = await start();
    const id = await scene.run(['a']);
    const call = await scene.call(0);
    const grace = new AbortController();
    const stopped = scene.recovery.stop(grace.signal);
    await scene.settled();

    grace.abort();
    await stopped;

    expect(call.isAborted).toBe(true);
    expect((await scene.events(id)).at(-1)).toMatchObject({
      type: 'step.interrupted',
      data: { cause: 'handed-back' },
    });
    const next = await start({ on: scene });
    expect((await next.call(0)).request).toMatchObject({ attempt: 2, failures: 0, runId: id });
  });

  it('takes no more runs, and still records what control asks for', async () => {
    const scene = await start();
    const open = await scene.run(['a']);
    const call = await scene.call(0);
    const stopped = scene.recovery.stop(new AbortController().signal);

    const late = await scene.run(['a']);
    await scene.send(late, 'cancel');
    await scene.settled();
    expect(called(scene)).toEqual([open]);
    expect((await scene.read(late)).status).toBe('cancelled');
    call.complete();
    await stopped;
  });

  it('leaves nothing under way that could not be handed back', async () => {
    const held = Promise.withResolvers<never>();
    const scene = await start({
      stores: ({ runs }) => ({
        runs: changed(runs, {
          append: (append) =>
            append.events.some(({ event }) => event.type === 'step.interrupted')
              ? held.promise
              : runs.append(append),
        }),
      }),
    });
    await scene.run(['a', 'b']);
    const calls = [await scene.call(0), await scene.call(1)];

    const stopped = scene.stop();
    await scene.pass(2_000);
    await stopped;

    expect(calls.map(({ isAborted }) => isAborted)).toEqual([true, true]);
    expect(scene.engine.executing).toBe(0);
  });

  it('begins nothing for a run whose creation was under way', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start({
      stores: ({ runs }) => ({
        runs: changed(runs, {
          create: async (creation) => {
            const result = await runs.create(creation);
            await held.promise;
            return result;
          },
        }),
      }),
    });
    const starting = scene.run(['a']);
    await scene.settled();
    const stopped = scene.stop();
    held.resolve(undefined);

    const id = await starting;
    await stopped;
    await scene.settled();

    expect(called(scene)).toEqual([]);
    expect((await rowOf(scene, id)).ownerId).toBeUndefined();
  });
});

describe('a creation whose outcome is unknown', () => {
  it('is executed all the same, when it was made', async () => {
    let failures = 1;
    const scene = await start({
      stores: ({ runs }) => ({
        runs: changed(runs, {
          create: async (creation) => {
            const result = await runs.create(creation);
            if (failures-- > 0) throw new Error('the connection was lost');
            return result;
          },
        }),
      }),
    });

    await expect(scene.run(['a'])).rejects.toThrow('the connection was lost');
    await scene.pass(1_100);

    expect(called(scene)).toHaveLength(1);
    expect(scene.engine.executing).toBe(1);
  });
});

it('keeps nothing of runs that have ended', async () => {
  const scene = await start();
  await scene.settled();
  const timers = scene.timers.size;
  for (let n = 0; n < 30; n += 1) {
    const id = await scene.run({ steps: [{ ...handStep('a'), timeoutMs: 60_000 }, handStep('b')] });
    (await scene.call(2 * n)).complete();
    (await scene.call(2 * n + 1)).complete();
    await scene.logged(id, 'run.completed');
    await scene.settled();
    expect(scene.engine.find(id)).toBeUndefined();
  }

  expect([scene.engine.executing, scene.timers.size]).toEqual([0, timers]);
});
