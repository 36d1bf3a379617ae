import { changed } from '../../../test/support/changed.js';
import { EngineScene, handStep, type SceneOptions } from '../../../test/support/engine-scene.js';
import type { RunEvent } from '../domain/run.events.js';
import { encodeEvent } from '../domain/run.events.js';
import type { RunLease } from '../run.lease.js';
import { LEASE_TTL_MS } from './owner.service.js';

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

/** A process that is killed: it does nothing more, and the next one begins. */
async function killed(scene: EngineScene, options: SceneOptions = {}): Promise<EngineScene> {
  scenes = scenes.filter((one) => one !== scene);
  return start({ ...options, on: scene });
}

function withLease(change: (lease: RunLease) => Partial<RunLease>): SceneOptions {
  return { stores: ({ lease }) => ({ lease: changed(lease, change(lease)) }) };
}

const interruptions = async (scene: EngineScene, id: string): Promise<readonly unknown[]> =>
  (await scene.events(id))
    .filter(
      (event): event is Extract<RunEvent, { type: 'step.interrupted' }> => event.type === 'step.interrupted',
    )
    .map(({ stepId, attempt, data }) => [stepId, attempt, data.cause, data.epoch]);

describe('after the death of a process', () => {
  it('the next one interrupts what was open and goes on, with the same key and no failure counted', async () => {
    const before = await start();
    const id = await before.run(['a', 'b']);
    (await before.call(1)).complete('b');
    await before.logged(id, 'step.completed b#1');
    const lost = await before.call(0);

    const after = await killed(before);
    const again = await after.call(0);
    again.complete('a');
    await after.logged(id, 'run.completed');

    expect(await interruptions(after, id)).toEqual([['a', 1, 'owner-lost', 2]]);
    expect(after.provider.calls).toHaveLength(1);
    expect(again.request).toMatchObject({
      attempt: 2,
      failures: 0,
      idempotencyKey: lost.request.idempotencyKey,
    });
  });

  it('what the dead one still says is refused', async () => {
    const before = await start();
    const id = await before.run(['a']);
    const late = await before.call(0);
    const after = await killed(before);
    await after.call(0);

    late.complete('late');
    await after.settled();
    (await after.call(0)).complete('in time');
    await after.logged(id, 'run.completed');

    expect((await after.read(id)).output).toEqual({ a: 'in time' });
  });

  it('back-offs, pauses and grace go on where they were', async () => {
    const before = await start();
    const retry = { initialIntervalMs: 5_000, jitter: 'none' };
    const waiting = await before.run({ retry, steps: [handStep('a')] });
    const paused = await before.run(['a']);
    (await before.call(0)).fail();
    await before.send(paused, 'pause');
    await before.pass(2_000);

    const after = await killed(before);
    await after.pass(2_999);
    expect(after.provider.calls).toHaveLength(0);
    await after.pass(11);

    expect(after.provider.calls.map(({ request }) => request.runId)).toEqual([waiting]);
    expect((await after.read(paused)).status).toBe('paused');
    expect(await interruptions(after, paused)).toEqual([['a', 1, 'owner-lost', 2]]);
  });

  it('a run that was cancelled ends', async () => {
    const before = await start();
    const id = await before.run(['a']);
    (await before.call(0)).isObedient = false;
    await before.send(id, 'cancel');

    const after = await killed(before);
    await after.logged(id, 'run.cancelled');

    expect(after.provider.calls).toHaveLength(0);
  });

  it('a run whose time is up ends', async () => {
    const before = await start();
    const id = await before.run({ steps: [handStep('a')], timeoutMs: 1_000 });
    await before.call(0);
    before.clock.advance(5_000);

    const after = await killed(before);
    await after.logged(id, 'run.failed');

    expect((await after.read(id)).status).toBe('timed_out');
    expect(after.provider.calls).toHaveLength(0);
  });
});

describe('a lease that is lost', () => {
  it('aborts what is open; the same process takes its runs again under another id', async () => {
    let isAnswering = true;
    const scene = await start(
      withLease((lease) => ({
        renew: (ownerId, ttlMs) =>
          isAnswering ? lease.renew(ownerId, ttlMs) : Promise.reject(new Error('no answer')),
      })),
    );
    const id = await scene.run(['a']);
    const first = await scene.call(0);
    const owner = scene.owner.id;
    isAnswering = false;
    await scene.pass(LEASE_TTL_MS);
    expect([first.isAborted, scene.engine.find(id)]).toEqual([true, undefined]);

    isAnswering = true;
    await scene.pass(2_000);
    (await scene.call(1)).complete();
    await scene.logged(id, 'run.completed');

    expect(scene.owner.id).not.toBe(owner);
    expect(await interruptions(scene, id)).toEqual([['a', 1, 'owner-lost', 2]]);
  });

  it('asks the record for nothing until another one holds', async () => {
    let looks = 0;
    let isAnswering = true;
    const scene = await start(
      withLease((lease) => ({
        renew: (ownerId, ttlMs) =>
          isAnswering ? lease.renew(ownerId, ttlMs) : Promise.reject(new Error('no answer')),
        due: (limit) => {
          looks += 1;
          return lease.due(limit);
        },
      })),
    );
    for (let n = 0; n < 20; n += 1) await scene.run(['a']);
    await scene.call(9);
    isAnswering = false;
    await scene.pass(LEASE_TTL_MS);
    looks = 0;

    await scene.pass(5_000);

    expect(looks).toBe(0);
  });
});

describe('a run that may have killed its process', () => {
  const twiceKilled = async (
    ...definitions: readonly (readonly string[])[]
  ): Promise<[EngineScene, string[]]> => {
    let scene = await start();
    const ids: string[] = [];
    for (const definition of definitions) ids.push(await scene.run(definition));
    await scene.call(ids.length - 1);
    for (let deaths = 1; deaths <= 2; deaths += 1) {
      scene = await killed(scene);
      await scene.call(0);
      if (deaths === 1) await scene.call(ids.length - 1);
    }
    await scene.settled();
    return [scene, ids];
  };

  it('is executed alone after the second death: nothing else starts until it has come through', async () => {
    const [scene, [first, second]] = await twiceKilled(['a'], ['a']);
    const calm = await scene.run(['a']);
    await scene.settled();
    expect(scene.provider.calls.map(({ request }) => request.runId)).toEqual([first]);

    (await scene.call(0)).complete();
    await scene.call(1);
    await scene.settled();
    expect(scene.provider.calls.map(({ request }) => request.runId)).toEqual([first, second]);
    (await scene.call(1)).complete();
    await scene.call(2);

    expect(scene.provider.calls[2]?.request.runId).toBe(calm);
  });

  it('may be killed once more from outside while it is alone', async () => {
    const [scene, [first = '']] = await twiceKilled(['a']);

    const after = await killed(scene);
    (await after.call(0)).complete();
    await after.logged(first, 'run.completed');

    expect(await interruptions(after, first)).toHaveLength(3);
  });

  it('ends as poisoned with the second death alone, and the run beside it is innocent', async () => {
    const [scene, [first = '', second = '']] = await twiceKilled(['a'], ['a']);

    const again = await killed(scene);
    await again.call(0);
    const after = await killed(again);
    await after.logged(first, 'run.failed');
    (await after.call(0)).complete();
    await after.logged(second, 'run.completed');

    expect((await after.read(first)).failure).toMatchObject({ code: 'run.poisoned', details: { deaths: 4 } });
    expect(await interruptions(after, first)).toHaveLength(4);
  });

  it('is not suspected any more after an outcome', async () => {
    const [scene, [first = '']] = await twiceKilled(['a', 'b']);
    (await scene.call(0)).complete();
    await scene.logged(first, 'step.completed a#3');

    const after = await killed(scene);
    (await after.call(0)).complete();
    await after.logged(first, 'run.completed');
  });
});

describe('a run that can not be taken now', () => {
  it('because its log can not be read is tried again later', async () => {
    const before = await start();
    const id = await before.run(['a']);
    await before.call(0);
    let failures = 2;
    const after = await killed(before, {
      stores: ({ runs }) => ({
        runs: changed(runs, {
          read: (...given: Parameters<typeof runs.read>) =>
            failures-- > 0 ? Promise.reject(new Error('no answer')) : runs.read(...given),
        }),
      }),
    });

    await after.pass(2_500);
    (await after.call(0)).complete();
    await after.logged(id, 'run.completed');
  });

  it('because the answer to its claim was lost is taken later', async () => {
    const before = await start();
    const id = await before.run(['a']);
    await before.call(0);
    let failures = 1;
    const after = await killed(
      before,
      withLease((lease) => ({
        claim: async (...given) => {
          const claimed = await lease.claim(...given);
          if (failures-- > 0) throw new Error('no answer');
          return claimed;
        },
      })),
    );

    await after.pass(2_500);
    (await after.call(0)).complete();
    await after.logged(id, 'run.completed');
  });

  it('and can not be given back either is given back when the record answers', async () => {
    const before = await start();
    const id = await before.run(['a']);
    await before.call(0);
    let failures = 4;
    const failing = <T>(ask: () => Promise<T>): Promise<T> =>
      failures-- > 0 ? Promise.reject(new Error('no answer')) : ask();
    const after = await killed(before, {
      stores: ({ runs, lease }) => ({
        runs: changed(runs, {
          read: (...given: Parameters<typeof runs.read>) => failing(() => runs.read(...given)),
        }),
        lease: changed(lease, {
          park: (...given: Parameters<typeof lease.park>) => failing(() => lease.park(...given)),
        }),
      }),
    });

    await after.pass(4_000);
    (await after.call(0)).complete();
    await after.logged(id, 'run.completed');
  });

  it('because it is too new is left alone, and the others go on', async () => {
    const scene = await start();
    const id = 'run_01900000000070008000000000000001';
    const event = (await scene.events(await scene.run(['a'])))[0] as Extract<
      RunEvent,
      { type: 'run.queued' }
    >;
    const future = encodeEvent({ ...event, runId: id, data: { ...event.data, flags: [99] } });
    const createdAt = scene.clock.now();
    const run = {
      id,
      namespace: 'default',
      priority: 90,
      tags: [],
      createdAt,
      appendId: 'apd_1',
      events: [future],
      summary: {
        status: 'queued' as const,
        stepsTotal: 1,
        stepsCompleted: 0,
        stepsFailed: 0,
        stepsSkipped: 0,
        inputTokens: 0,
        outputTokens: 0,
        costMicros: 0,
        wakeAt: createdAt,
      },
    };
    await scene.stores.runs.create({ run });
    scene.recovery.sweep();
    await scene.pass(60_000);

    const row = await scene.stores.catalogue.find('default', id);
    expect([row?.ownerId, row?.epoch, row?.summary.wakeAt]).toEqual([undefined, 1, undefined]);
    await scene.run(['a']);
    await scene.call(1);
  });

  it('because driving it fails is tried again, not at once', async () => {
    let failures = 2;
    let claims = 0;
    const scene = await start(
      withLease((lease) => ({
        claim: (...given) => {
          claims += 1;
          return lease.claim(...given);
        },
      })),
    );
    const publish = scene.feed.publish.bind(scene.feed);
    scene.feed.publish = (namespace, runId, events): void => {
      if (events[0]?.event.type !== 'run.queued' && failures-- > 0) throw new Error('a bug');
      publish(namespace, runId, events);
    };
    const id = await scene.run({ steps: [handStep('a'), { ...handStep('b'), dependsOn: ['a'] }] });
    (await scene.call(0)).complete();
    await scene.settled();
    expect([scene.engine.find(id), claims]).toEqual([undefined, 0]);

    await scene.pass(5_000);
    (await scene.call(1)).complete();
    await scene.logged(id, 'run.completed');

    expect(claims).toBe(2);
  });
});

describe('looking for due runs', () => {
  const counting = (): { looks: number; options: SceneOptions } => {
    const count = { looks: 0 };
    const options = withLease((lease) => ({
      due: (limit) => {
        count.looks += 1;
        return lease.due(limit);
      },
    }));
    return Object.assign(count, { options });
  };

  it('is done for a reason only: with nothing due not more often than leases run out', async () => {
    const count = counting();
    const scene = await start(count.options);
    await scene.pass(1_000);
    count.looks = 0;

    await scene.pass(60_000);

    expect(count.looks).toBeLessThanOrEqual(60_000 / 3_750);
  });

  it('finds a run of which no hint came, when a slot is free', async () => {
    const scene = await start();
    const other = new EngineScene({ on: scene }); // a process that only creates
    await other.run(['a']);
    scene.recovery.sweep();

    await scene.call(0);
  });

  it('does not spin while the time of the record is a little behind', async () => {
    const count = { looks: 0 };
    let now = (): number => 0;
    const scene = await start({
      stores: ({ lease }) => ({
        lease: changed(lease, {
          due: async (limit) => {
            count.looks += 1;
            const due = await lease.due(limit);
            return { ...due, nextWakeAt: now() - 300 };
          },
        }),
      }),
    });
    now = () => scene.clock.now();
    count.looks = 0;

    await scene.pass(1_000);

    expect(count.looks).toBeLessThanOrEqual(101); // one each 10 ms, and the one under way
  });
});
