/** Claims of which the owner does not know for sure whether it has them. */
import { changed } from '../../../test/support/changed.js';
import { EngineScene, type SceneOptions } from '../../../test/support/engine-scene.js';
import type { Stores } from '../../../test/contract/record-scene.js';
import type { RunRow } from '../run.catalogue.js';
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

function withLease(change: (lease: RunLease) => Partial<RunLease>): Pick<SceneOptions, 'stores'> {
  return { stores: ({ lease }: Stores) => ({ lease: changed(lease, change(lease)) }) };
}

async function rowOf(scene: EngineScene, runId: string): Promise<RunRow> {
  const row = await scene.stores.catalogue.find('default', runId);
  if (row === undefined) throw new Error(`there is no run ${runId}`);
  return row;
}

it('is given up where a command has come to a run that has ended', async () => {
  const scene = await start();
  const id = await scene.run(['a']);
  (await scene.call()).complete();
  await scene.logged(id, 'run.completed');
  const { inbox } = scene.stores;
  await inbox.put({ namespace: 'default', runId: id, command: { type: 'cancel' }, at: scene.clock.now() });
  void scene.recovery.look(id);
  await scene.pass(20);

  const { ownerId, summary } = await rowOf(scene, id);
  expect([ownerId, summary.wakeAt]).toEqual([undefined, undefined]);
  expect((await inbox.pending(id)).rows).toEqual([]);
  expect(scene.engine.find(id)).toBeUndefined();
});

it('is not believed in once a run may have been parked, though a command has come in', async () => {
  let parks = 0;
  const scene = await start(
    withLease((lease) => ({
      park: async (claim, inboxSeq, wakeAt) => {
        const isParked = await lease.park(claim, inboxSeq, wakeAt);
        parks += 1;
        if (parks > 1) return isParked;
        const command = { type: 'resume' } as const;
        const entry = { namespace: 'default', runId: claim.runId, command, at: scene.clock.now() };
        await scene.stores.inbox.put(entry);
        throw new Error('no answer');
      },
    })),
  );
  const id = await scene.run(['a', 'b']);
  await scene.send(id, 'pause');
  (await scene.call(0)).complete();
  (await scene.call(1)).complete();
  await scene.pass(3_000);
  await scene.logged(id, 'run.completed');

  expect((await rowOf(scene, id)).epoch).toBe(2);
});

it('ends with its lease, though the run was being read meanwhile', async () => {
  const before = await start();
  const id = await before.run(['a']);
  await before.call();
  const log = Promise.withResolvers<undefined>();
  let isReading = false;
  let isAnswering = true;
  const after = new EngineScene({
    on: before,
    stores: ({ runs, lease }) => ({
      runs: changed(runs, {
        read: async (...given: Parameters<typeof runs.read>) => {
          isReading = true;
          await log.promise;
          return runs.read(...given);
        },
      }),
      lease: changed(lease, {
        renew: (...given: Parameters<typeof lease.renew>) =>
          isAnswering ? lease.renew(...given) : Promise.reject(new Error('no answer')),
      }),
    }),
  });
  scenes.push(after);
  await after.recovery.start();
  await after.settled();
  expect(isReading).toBe(true);
  const lost = after.owner.id;
  isAnswering = false;
  await after.pass(LEASE_TTL_MS);
  isAnswering = true;
  await after.pass(2_000);
  log.resolve(undefined);
  await after.call();

  expect(after.owner.id).not.toBe(lost);
  expect(await rowOf(after, id)).toMatchObject({ ownerId: after.owner.id });
});

it('that may be held is won by nobody here before it is given back', async () => {
  let isLost = true;
  const gate = Promise.withResolvers<undefined>();
  const scene = await start({
    config: { maxConcurrentRuns: 1 },
    ...withLease((lease) => ({
      // It never comes there; the run may be owned for all that is known here.
      claim: (...given) => {
        if (!isLost) return lease.claim(...given);
        isLost = false;
        return Promise.reject(new Error('no answer'));
      },
      release: async (claim) => {
        await gate.promise;
        await lease.release(claim);
      },
    })),
  });
  const first = await scene.run(['a']);
  const second = await scene.run(['a']);
  (await scene.call(0)).complete();
  await scene.logged(first, 'run.completed');
  await scene.settled();
  scene.recovery.sweep();
  await scene.settled();
  gate.resolve(undefined);
  await scene.pass(2_000);
  const call = await scene.call(1);

  expect(await rowOf(scene, second)).toMatchObject({ ownerId: scene.owner.id, epoch: 1 });
  call.complete();
  await scene.logged(second, 'run.completed');
});
