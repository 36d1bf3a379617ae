/** Sub-runs in the engine: slots, parking, and processes that come and go. */
import { EngineScene, handStep } from '../../../test/support/engine-scene.js';
import { until } from '../../../test/support/until.js';

let scene: EngineScene;

beforeEach(async () => {
  scene = await EngineScene.start({ config: { maxConcurrentRuns: 1 } });
  await scene.save('other', handStep('a'));
});

afterEach(async () => {
  await scene.stop();
});

const sub = (more: object = {}): object => ({ id: 'sub', workflow: { name: 'other' }, ...more });
const end = (id: string): Promise<void> => scene.logged(id, 'run.completed');

/** The sub-runs of a run, in the order in which they were begun. */
async function subRunsOf(id: string): Promise<readonly string[]> {
  return (await scene.events(id)).flatMap(({ type, data }) => {
    const { for: reason, ref } = data as { readonly for?: string; readonly ref?: string };
    return type.endsWith('.waiting') && reason === 'run' && ref !== undefined ? [ref] : [];
  });
}

it('give the only slot to the sub-run, whose end brings the run back', async () => {
  const id = await scene.run({ steps: [sub(), { ...handStep('b'), dependsOn: ['sub'] }] });
  const inner = await scene.call(0);
  expect(scene.engine.executing).toBe(1);
  expect(scene.engine.find(id)?.holdsSlot).toBe(false);

  inner.complete('in');
  (await scene.call(1)).complete('out');
  await end(id);

  expect((await scene.read(id)).output).toEqual({ b: 'out' });
});

it('keep a run loaded while they end one after the other, and park it when nothing comes of them', async () => {
  const id = await scene.run({ steps: [sub({ forEach: { items: [1, 2, 3], maxConcurrency: 1 } })] });
  const loop = scene.engine.find(id);
  for (let index = 0; index < 2; index += 1) (await scene.call(index)).complete();
  await scene.call(2);
  expect(scene.engine.find(id)).toBe(loop);

  await scene.pass(25_000);
  await until(() => scene.engine.find(id) === undefined, 'the run is parked');
  (await scene.call(2)).complete();
  await end(id);
});

it('let a run call somebody beside them when a slot is free again', async () => {
  const steps = [
    sub(),
    sub({ id: 'two' }),
    { ...handStep('b'), dependsOn: ['sub'] },
    { ...handStep('c'), dependsOn: ['two'] },
  ];
  const id = await scene.run({ steps });
  (await scene.call(0)).complete();
  const second = await scene.call(1);
  const log = async (): Promise<string> => (await scene.log(id)).join();
  await until(async () => /step\.completed (sub|two)#1/.test(await log()), 'the first has ended');

  // Which sub-run is the first is open. The second and the steps after both take the only slot one after the other.
  second.complete();
  for (const index of [2, 3]) (await scene.call(index)).complete();
  await end(id);
});

it('are gone on with by the next process, each the same', async () => {
  const id = await scene.run({ steps: [sub()] });
  await scene.call(0);
  const before = await subRunsOf(id);
  await scene.stop();
  scene = await EngineScene.start({ on: scene });
  (await scene.call(0)).complete();
  await end(id);

  expect(await subRunsOf(id)).toEqual(before);
  expect((await scene.read(id)).status).toBe('completed');
});

it('end with a run that is cancelled while another run holds the only slot', async () => {
  await scene.save('patient', { id: 'wait', kind: 'signal', signal: 'never' });
  const id = await scene.run({ steps: [sub({ workflow: { name: 'patient' } })] });
  await scene.logged(id, 'run.waiting');
  const [child = ''] = await subRunsOf(id);
  await scene.logged(child, 'run.waiting');
  await scene.pass(25_000);
  const other = await scene.run(['busy']);
  await scene.call(0);
  expect(scene.engine.find(id)).toBeUndefined();

  await scene.send(id, 'cancel');
  await scene.logged(id, 'run.cancelled');

  expect((await scene.read(child)).status).toBe('cancelled');
  expect((await scene.read(other)).status).toBe('running');
  (await scene.call(0)).complete();
});

it('are left alone by a process that does not know how their end is told', async () => {
  const id = await scene.run({ steps: [sub()] });
  const [child = ''] = await subRunsOf(id);
  const [first] = await scene.events(child);

  expect(first).toMatchObject({ type: 'run.queued', data: { flags: [1], parent: { runId: id } } });
  (await scene.call(0)).complete();
  await end(id);
});

it('are told of nothing that comes in after their end, which is dropped without a claim that stays', async () => {
  const id = await scene.run({ steps: [sub()] });
  (await scene.call(0)).complete();
  await end(id);
  const [child = ''] = await subRunsOf(id);
  const command = { type: 'cancel' } as const;
  await scene.stores.inbox.put({ namespace: 'default', runId: child, command, at: 1 });

  scene.recovery.sweep();
  await until(async () => (await scene.stores.inbox.pending(child)).rows.length === 0, 'it is dropped');
  await scene.settled();

  expect((await scene.stores.catalogue.find('default', child))?.ownerId).toBeUndefined();
  expect((await scene.stores.lease.due(10)).runs).toEqual([]);
});
