import { changed } from '../../../test/support/changed.js';
import { EngineScene, handStep, type SceneOptions } from '../../../test/support/engine-scene.js';
import { until } from '../../../test/support/until.js';
import type { RunEvent, RunEventOf, RunEventType } from '../domain/run.events.js';
import type { Delta } from '../run.feed.js';
import type { Append, RunStore } from '../run.store.js';

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

/** A record whose appends a test does otherwise. */
function withAppend(append: (given: Append, runs: RunStore) => ReturnType<RunStore['append']>): SceneOptions {
  return {
    stores: ({ runs }) => ({ runs: changed(runs, { append: (given: Append) => append(given, runs) }) }),
  };
}

function writes(append: Append, type: RunEventType): boolean {
  return append.events.some(({ event }) => event.type === type);
}

async function eventOf<T extends RunEventType>(
  scene: EngineScene,
  runId: string,
  type: T,
): Promise<RunEventOf<T>> {
  const found = (await scene.events(runId)).find((event: RunEvent) => event.type === type);
  if (found === undefined) throw new Error(`the log has no ${type}`);
  return found as RunEventOf<T>;
}

/** Another process takes a run over, behind the back of its owner. */
async function takeOver(scene: EngineScene, runId: string): Promise<void> {
  const { lease } = scene.stores;
  await lease.retire({ ownerId: scene.owner.id });
  await lease.renew('own_other', 60_000);
  expect(await lease.claim(runId, 'own_other')).toMatchObject({ claim: { epoch: 2 } });
}

const chain = (length: number, agent = 'echo'): object => ({
  steps: Array.from({ length }, (_, index) => ({
    id: `s${String(index)}`,
    agent,
    ...(index === 0 ? {} : { dependsOn: [`s${String(index - 1)}`] }),
  })),
});

describe('appends', () => {
  it('are one for each step of a chain: the creation starts the first, the last append ends the run', async () => {
    let appends = 0;
    const scene = await start(
      withAppend((append, runs) => {
        appends += 1;
        return runs.append(append);
      }),
    );
    const id = await scene.run(chain(50));
    await scene.logged(id, 'run.completed');

    expect(appends).toBe(50);
  });

  it('of unknown outcome that were made are found, and not made again', async () => {
    const made: string[] = [];
    const scene = await start(
      withAppend(async (append, runs) => {
        made.push(append.appendId);
        const result = await runs.append(append);
        if (made.length % 2 === 1) throw new Error('the connection was lost');
        return result;
      }),
    );
    const id = await scene.run(chain(4, 'hand'));
    for (let n = 0; n < 4; n += 1) {
      await scene.pass(250);
      (await scene.call(n)).complete(n);
    }
    await scene.pass(250);

    expect((await scene.read(id)).status).toBe('completed');
    expect(new Set(made).size).toBe(made.length);
    expect(scene.provider.calls).toHaveLength(4);
    const numbers = (await scene.events(id)).map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('of unknown outcome that were not made are made again', async () => {
    let tries = 0;
    const scene = await start(
      withAppend((append, runs) => {
        tries += 1;
        return tries <= 3 ? Promise.reject(new Error('no answer')) : runs.append(append);
      }),
    );
    const id = await scene.run(chain(2, 'hand'));
    (await scene.call(0)).complete(1);
    await scene.pass(700);
    expect(scene.provider.calls).toHaveLength(1);
    await scene.pass(100);
    (await scene.call(1)).complete(2);
    await scene.logged(id, 'run.completed');

    expect(await scene.log(id)).toHaveLength(7);
  });

  it('that are refused end the loop: what is open is aborted and nobody is called', async () => {
    const scene = await start();
    const id = await scene.run({
      steps: [handStep('a'), handStep('b'), { ...handStep('c'), dependsOn: ['a'] }],
    });
    const [first, second] = [await scene.call(0), await scene.call(1)];
    await takeOver(scene, id);

    first.complete();
    await until(() => second.isAborted, 'the other attempt is aborted');
    await scene.settled();

    expect(scene.engine.find(id)).toBeUndefined();
    expect(scene.provider.calls).toHaveLength(2);
    expect((await scene.log(id)).at(-1)).toBe('step.started b#1');
    expect((await scene.stores.catalogue.find('default', id))?.ownerId).toBe('own_other');
  });

  it('that come through after the lease was lost call nobody', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        const result = await runs.append(append);
        await held.promise;
        return result;
      }),
    );
    await scene.run(chain(2, 'hand'));
    (await scene.call(0)).complete();
    await scene.settled();

    scene.owner.fence();
    held.resolve(undefined);
    await scene.settled();

    expect(scene.provider.calls).toHaveLength(1);
  });

  it('that come through when the lease has run out call nobody', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        const result = await runs.append(append);
        await held.promise;
        return result;
      }),
    );
    await scene.run(chain(2, 'hand'));
    (await scene.call(0)).complete();
    await scene.settled();

    scene.clock.advance(60_000); // the process was stopped: no timer has fired
    held.resolve(undefined);
    await scene.settled();

    expect(scene.provider.calls).toHaveLength(1);
  });

  it('are decided together from what came in meanwhile', async () => {
    const held = Promise.withResolvers<undefined>();
    const sizes: number[] = [];
    const scene = await start(
      withAppend(async (append, runs) => {
        sizes.push(append.events.length);
        if (writes(append, 'step.completed')) await held.promise;
        return runs.append(append);
      }),
    );
    const id = await scene.run(['a', 'b', 'c', 'd']);
    for (let n = 0; n < 4; n += 1) {
      (await scene.call(n)).complete(n);
      await scene.settled();
    }

    held.resolve(undefined);
    await scene.logged(id, 'run.completed');

    expect(sizes).toEqual([1, 4]);
  });
});

describe('readers', () => {
  it('wait for an append under way, and see it whole', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        if (writes(append, 'run.completed')) await held.promise;
        return runs.append(append);
      }),
    );
    const id = await scene.run(['a']);
    (await scene.call()).complete(1);
    await scene.settled();
    let seen: string | undefined;
    const reading = scene.read(id).then(({ status }) => (seen = status));
    await scene.settled();
    expect(seen).toBeUndefined();

    held.resolve(undefined);

    expect(await reading).toBe('completed');
  });

  it('never see an append that is refused', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        if (writes(append, 'run.completed')) await held.promise;
        return runs.append(append);
      }),
    );
    const id = await scene.run(['a']);
    (await scene.call()).complete(1);
    await scene.settled();
    const reading = scene.read(id);
    await takeOver(scene, id);

    held.resolve(undefined);

    await expect(reading).rejects.toMatchObject({ failure: { code: 'run.owner-changed', retryable: true } });
    expect((await scene.read(id)).status).toBe('running');
  });

  it('are told at once when the run is dropped', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        if (writes(append, 'run.completed')) await held.promise;
        return runs.append(append);
      }),
    );
    const id = await scene.run(['a']);
    (await scene.call()).complete(1);
    await scene.settled();
    const reading = scene.read(id);

    scene.owner.fence();

    await expect(reading).rejects.toMatchObject({ failure: { code: 'run.owner-changed' } });
    held.resolve(undefined);
  });
});

describe('control', () => {
  it('cancels the call in flight', async () => {
    const scene = await start();
    const id = await scene.run(['a', 'b']);
    const calls = [await scene.call(0), await scene.call(1)];

    await scene.send(id, 'cancel');
    await scene.logged(id, 'run.cancelled');

    expect(calls.map(({ isAborted }) => isAborted)).toEqual([true, true]);
    expect((await scene.log(id)).slice(-4)).toEqual([
      'run.cancelling',
      'step.cancelled a#1',
      'step.cancelled b#1',
      'run.cancelled',
    ]);
  });

  it('ends a cancelled run after its grace though the agent ignores the signal', async () => {
    const scene = await start();
    const id = await scene.run(['a']);
    (await scene.call()).isObedient = false;
    await scene.send(id, 'cancel');

    await scene.pass(4_999);
    expect((await scene.read(id)).status).toBe('cancelling');
    await scene.pass(1);

    expect((await scene.read(id)).status).toBe('cancelled');
    expect(scene.engine.find(id)).toBeUndefined();
  });

  it('keeps the result of a call that completes though it was cancelled', async () => {
    const scene = await start();
    const id = await scene.run(['a']);
    const call = await scene.call();
    call.isObedient = false;
    await scene.send(id, 'cancel');

    call.complete('late');
    await scene.logged(id, 'run.cancelled');

    expect((await scene.log(id)).slice(-3)).toEqual([
      'run.cancelling',
      'step.completed a#1',
      'run.cancelled',
    ]);
  });

  it('cancels a run that waits in the queue, without a slot', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 1 } });
    await scene.run(['a']);
    const queued = await scene.run(['a']);

    await scene.send(queued, 'cancel');

    expect(await scene.log(queued)).toEqual(['run.queued', 'run.cancelling', 'run.cancelled']);
  });

  it('pauses and resumes a run that waits in the queue, and it keeps its place', async () => {
    const scene = await start({ config: { maxConcurrentRuns: 1 } });
    const first = await scene.run(['a']);
    const queued = await scene.run(['a']);
    await scene.send(queued, 'pause');
    await scene.send(queued, 'resume');
    expect((await scene.read(queued)).status).toBe('queued');

    (await scene.call(0)).complete();
    await scene.logged(first, 'run.completed');
    (await scene.call(1)).complete();
    await scene.logged(queued, 'run.completed');
  });

  it('lets a paused run fail with what nothing handles', async () => {
    const scene = await start();
    const id = await scene.run(['a', 'b']);
    await scene.send(id, 'pause');

    (await scene.call(0)).fail({ retryable: false });
    await scene.logged(id, 'run.failed');

    expect((await scene.read(id)).status).toBe('failed');
  });

  it('that comes while nothing is appended is noticed with the next renewal', async () => {
    const scene = await start();
    const id = await scene.run(['a']);
    const call = await scene.call();
    await scene.stores.inbox.put({
      namespace: 'default',
      runId: id,
      command: { type: 'cancel' },
      at: scene.clock.now(),
    });
    await scene.settled();
    expect(call.isAborted).toBe(false);

    await scene.pass(1_250);

    expect(call.isAborted).toBe(true);
  });
});

describe('the journal', () => {
  it('resolves when the turn is in the record, not before', async () => {
    const held = Promise.withResolvers<undefined>();
    const scene = await start(
      withAppend(async (append, runs) => {
        if (writes(append, 'turn.completed')) await held.promise;
        return runs.append(append);
      }),
    );
    const id = await scene.run(['a']);
    const call = await scene.call();
    let logWhenRecorded: readonly string[] | undefined;
    const recorded = call.journal.record({ body: { text: 'hi' }, costMicros: 3 }).then(async () => {
      logWhenRecorded = await scene.log(id);
    });
    await scene.settled();
    expect(logWhenRecorded).toBeUndefined();

    held.resolve(undefined);
    await recorded;

    expect(logWhenRecorded).toContain('turn.completed a#1');
  });

  it('is there for the attempt after an interruption, and for the one after a failure', async () => {
    const before = await start();
    const retry = { initialIntervalMs: 0 };
    await before.run({ retry, steps: [handStep('a')] });
    const call = await before.call();
    await call.journal.record({ body: 'one' });
    await before.stop();

    const after = await start({ on: before });
    const second = await after.call();
    expect(second.journal.turns).toEqual([{ turn: 1, body: 'one' }]);
    await second.journal.record({ body: 'two' });
    second.fail();

    const third = await after.call(1);
    expect(third.request).toMatchObject({ attempt: 3, failures: 1 });
    expect(third.journal.turns.map(({ body }) => body)).toEqual(['one', 'two']);
  });

  it('refuses when the claim is lost, and the process goes on if nobody listens', async () => {
    const scene = await start();
    const id = await scene.run(['a']);
    const call = await scene.call();
    await takeOver(scene, id);

    void call.journal.record({ body: 'nobody waits' });
    await expect(call.journal.record({ body: 'lost' })).rejects.toMatchObject({
      failure: { code: 'run.owner-changed' },
    });
    await expect(call.journal.record({ body: 'later' })).rejects.toMatchObject({
      failure: { code: 'run.owner-changed' },
    });
  });

  it.each<readonly [string, object]>([
    ['a body without JSON', { body: 1n }],
    ['a cost that is no number', { body: 1, costMicros: Number.NaN }],
    ['usage in fractions', { body: 1, usage: { inputTokens: 1.5 } }],
  ])('refuses %s, and the attempt goes on', async (_, turn) => {
    const scene = await start();
    const id = await scene.run(['a']);
    const call = await scene.call();

    await expect(call.journal.record(turn as never)).rejects.toMatchObject({
      failure: { code: 'agent.output-invalid' },
    });
    call.complete(1);
    await scene.logged(id, 'run.completed');

    expect(await scene.log(id)).not.toContain('turn.completed a#1');
  });
});

it('publishes what streams, numbered within the attempt and placed in the log', async () => {
  const scene = await start();
  const id = await scene.run(['a']);
  const call = await scene.call();
  const leave = new AbortController();
  const deltas: Delta[] = [];
  const following = (async (): Promise<void> => {
    const options = { namespace: 'default', runId: id, afterSeq: 0, signal: leave.signal, deltas: true };
    for await (const item of scene.feed.follow(options)) if (item.kind === 'delta') deltas.push(item.delta);
  })();
  await scene.settled();

  call.stream({ type: 'delta', text: 'Hel' });
  call.stream({ type: 'progress', percent: 50 });
  await until(() => deltas.length === 2, 'both are published');
  call.complete();
  await following;

  const place = { runId: id, stepId: 'a', attempt: 1, afterSeq: 3 };
  expect(deltas).toEqual([
    { ...place, type: 'step.delta', n: 1, data: { text: 'Hel' } },
    { ...place, type: 'step.progress', n: 2, data: { percent: 50 } },
  ]);
});

describe('time', () => {
  it('ends a run at its time-out to the millisecond, though a back-off that is over waits for a place', async () => {
    const scene = await start();
    const id = await scene.run({
      timeoutMs: 3_000,
      maxParallelSteps: 1,
      retry: { initialIntervalMs: 100, jitter: 'none' },
      steps: [handStep('a'), handStep('b')],
    });
    (await scene.call(0)).fail();
    await scene.call(1);
    const startedAt = Date.parse((await eventOf(scene, id, 'run.started')).at);

    await scene.pass(10_000);

    const failed = await eventOf(scene, id, 'run.failed');
    expect(failed.data.status).toBe('timed_out');
    expect(Date.parse(failed.at) - startedAt).toBe(3_000);
  });

  it('starts the next attempt at the end of its back-off', async () => {
    const scene = await start();
    const id = await scene.run({
      retry: { initialIntervalMs: 400, jitter: 'none' },
      steps: [handStep('a')],
    });
    (await scene.call(0)).fail();
    await scene.pass(399);
    expect(scene.provider.calls).toHaveLength(1);
    await scene.pass(1);

    expect(scene.provider.calls[1]?.request).toMatchObject({ attempt: 2, failures: 1 });
    (await scene.call(1)).complete();
    await scene.logged(id, 'run.completed');
  });
});

describe('a record that does not answer for a moment', () => {
  const failingOnce = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
    let failures = 1;
    return () => (failures-- > 0 ? Promise.reject(new Error('no answer')) : ask());
  };

  it('is asked again for what came in', async () => {
    let read: (() => Promise<unknown>) | undefined;
    const scene = await start({
      stores: ({ inbox }) => ({
        inbox: changed(inbox, {
          pending: (runId) => {
            read ??= failingOnce(() => inbox.pending(runId));
            return read() as ReturnType<typeof inbox.pending>;
          },
        }),
      }),
    });
    const id = await scene.run(['a']);
    const call = await scene.call();
    const cancelled = scene.send(id, 'cancel');
    await scene.pass(250);
    await cancelled;

    expect(call.isAborted).toBe(true);
    expect((await scene.read(id)).status).toBe('cancelled');
  });

  it.each(['before', 'after'])(
    'is asked again to park a run, when the answer was lost %s it did',
    async (when) => {
      let failures = 1;
      let parks = 0;
      const scene = await start({
        stores: ({ lease }) => ({
          lease: changed(lease, {
            park: async (...given: Parameters<typeof lease.park>) => {
              parks += 1;
              const isFailing = failures-- > 0;
              if (isFailing && when === 'before') throw new Error('no answer');
              const isParked = await lease.park(...given);
              if (isFailing) throw new Error('no answer');
              return isParked;
            },
          }),
        }),
      });
      const id = await scene.run(['a', 'b']);
      await scene.send(id, 'pause');
      (await scene.call(0)).complete();
      (await scene.call(1)).complete();

      await scene.pass(2_000);

      expect(scene.engine.find(id)).toBeUndefined();
      expect((await scene.stores.catalogue.find('default', id))?.ownerId).toBeUndefined();
      expect(parks).toBeLessThan(5);
      await scene.send(id, 'resume');
      await scene.logged(id, 'run.completed');
    },
  );
});
