/** Runs that wait: parked without a claim, and brought back by what they wait for. */
import { EngineScene, handStep } from '../../../test/support/engine-scene.js';
import { until } from '../../../test/support/until.js';

let scene: EngineScene;

beforeEach(async () => {
  scene = await EngineScene.start();
});

afterEach(async () => {
  await scene.stop();
});

const statusOf = async (id: string): Promise<string> => (await scene.read(id)).status;
const parked = (id: string): Promise<void> =>
  until(() => scene.engine.find(id) === undefined, 'the run is parked');

const waiting = { id: 'w', kind: 'signal', signal: 'go' };

it('is parked while it waits for a signal, and goes on when one comes', async () => {
  const id = await scene.run({ steps: [waiting, { ...handStep('a'), dependsOn: ['w'] }] });
  await scene.logged(id, 'run.waiting');
  await parked(id);
  expect(scene.engine.executing).toBe(0);

  await scene.control.send('default', id, { type: 'signal', name: 'go', data: { n: 1 } });
  (await scene.call()).complete('done');
  await scene.logged(id, 'run.completed');
  expect(await scene.log(id)).toEqual([
    'run.queued',
    'run.started',
    'step.waiting w',
    'run.waiting',
    'signal.received',
    'step.completed w',
    'run.resumed',
    'step.started a#1',
    'step.completed a#1',
    'run.completed',
  ]);
});

it('is brought back by its timer, by another process too', async () => {
  const id = await scene.run({ steps: [{ id: 'nap', kind: 'wait', durationMs: 60_000 }] });
  await scene.logged(id, 'run.waiting');
  await parked(id);
  await scene.stop();
  scene = await EngineScene.start({ on: scene });
  await scene.pass(59_000);
  expect(await statusOf(id)).toBe('waiting');

  await scene.pass(2_000);
  await scene.logged(id, 'run.completed');
});

it('does not use up its execution time while it waits', async () => {
  const id = await scene.run({ timeoutMs: 1_000, steps: [waiting] });
  await scene.logged(id, 'run.waiting');
  await scene.pass(3_600_000);

  await scene.control.send('default', id, { type: 'signal', name: 'go', data: null });
  await scene.logged(id, 'run.completed');
});

it('keeps a signal that comes before the run is executed', async () => {
  await scene.stop();
  scene = await EngineScene.start({ on: scene, config: { maxConcurrentRuns: 1 } });
  const first = await scene.run(['a']);
  const id = await scene.run({ steps: [waiting] });
  await scene.control.send('default', id, { type: 'signal', name: 'go', data: 5 });
  expect(await statusOf(id)).toBe('queued');

  (await scene.call()).complete();
  await scene.logged(first, 'run.completed');
  await scene.logged(id, 'run.completed');
  expect((await scene.read(id)).output).toEqual({ w: 5 });
});

it('closes the attempt of an agent that answers later, and goes on with what is delivered', async () => {
  const id = await scene.run({ steps: [{ ...handStep('a'), timeoutMs: 120_000 }] });
  (await scene.call()).answer({ status: 'waiting', taskId: 'task_1' });
  await scene.logged(id, 'run.waiting');
  await parked(id);
  const begun = (await scene.events(id)).find(({ type }) => type === 'step.waiting');
  expect(begun?.data).toMatchObject({ for: 'task', ref: 'task_1', until: expect.any(String) });

  const outcome = { status: 'completed', output: 'later' } as const;
  await scene.control.deliver('default', id, { path: 'a', wait: begun?.seq ?? 0, outcome });
  await scene.logged(id, 'run.completed');
  expect((await scene.read(id)).output).toEqual({ a: 'later' });
  expect(scene.provider.calls).toHaveLength(1);
});

it('tries again when what it waits for does not come in time', async () => {
  const retry = { initialIntervalMs: 10, jitter: 'none' };
  const id = await scene.run({ steps: [{ ...handStep('a'), timeoutMs: 60_000, retry }] });
  (await scene.call()).answer({ status: 'waiting', taskId: 'task_1' });
  await scene.logged(id, 'run.waiting');
  await scene.pass(61_000);

  (await scene.call(1)).complete('second');
  await scene.logged(id, 'run.completed');
});
