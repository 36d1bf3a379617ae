import { EngineScene, type SceneOptions } from '../../../test/support/engine-scene.js';
import { SceneQueue } from '../../../test/support/scene-queue.js';
import { until } from '../../../test/support/until.js';
import { LEASE_TTL_MS } from './owner.service.js';

let scenes: EngineScene[] = [];
let queue: SceneQueue;

beforeEach(() => {
  queue = new SceneQueue();
});
afterEach(async () => {
  for (const scene of scenes) await scene.stop();
  scenes = [];
});

/** A process beside those that are there. */
async function start(config: SceneOptions['config'] = {}): Promise<EngineScene> {
  const [on] = scenes;
  const scene = await EngineScene.start({ config, queue, ...(on && { on }) });
  scenes.push(scene);
  return scene;
}

/** A process that is killed does nothing more: its timers never fire, and its lease runs out. */
async function kill(scene: EngineScene, others: readonly EngineScene[]): Promise<void> {
  for (let passed = 0; passed <= LEASE_TTL_MS; passed += 250) {
    scene.clock.advance(250);
    for (const other of others) await other.pass(0);
  }
}

const ONE_SLOT = { maxConcurrentRuns: 1 };
const TWO_SLOTS = { maxConcurrentRuns: 2 };

describe('several processes on one record', () => {
  it('one that begins leaves the runs of the others alone', async () => {
    const first = await start();
    const id = await first.run(['a']);
    const call = await first.call();

    const second = await start();
    await second.settled();
    call.complete('done');
    await first.logged(id, 'run.completed');

    expect(second.provider.calls).toHaveLength(0);
    expect(await first.log(id)).not.toContain('step.interrupted a#1');
  });

  it('a run that one has no slot for is executed by another one', async () => {
    const first = await start(ONE_SLOT);
    const second = await start(ONE_SLOT);
    await first.run(['a']);
    await first.call();

    const id = await first.run(['b']);

    expect((await second.call()).request.runId).toBe(id);
  });

  it('runs that nobody has a slot for are executed by whoever has the next one', async () => {
    const first = await start(ONE_SLOT);
    const second = await start(ONE_SLOT);
    for (let count = 0; count < 2; count += 1) await first.run(['a']);
    await second.call();
    const waiting = [await first.run(['b']), await first.run(['b'])];
    await first.settled();

    (await second.call(0)).complete();
    const next = await second.call(1);
    (await first.call(0)).complete();
    const last = await first.call(1);

    expect(new Set([next, last].map(({ request }) => request.runId))).toEqual(new Set(waiting));
  });

  it('one whose slots are all taken takes no hints', async () => {
    const busy = await start(ONE_SLOT);
    await busy.run(['a']);
    await busy.call();
    const free = await start({ maxConcurrentRuns: 20 });

    for (let count = 0; count < 20; count += 1) queue.hint({ runId: `run_${String(count)}`, priority: 50 });
    const id = await busy.run(['b']);

    expect((await free.call()).request.runId).toBe(id);
  });

  it('the runs of one that dies are shared by those with free slots', async () => {
    const dead = await start({ maxConcurrentRuns: 4 });
    const [second, third] = [await start(TWO_SLOTS), await start(TWO_SLOTS)];
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1) ids.push(await dead.run(['a']));
    await dead.call(3);

    await kill(dead, [second, third]);
    await Promise.all([second.call(1), third.call(1)]);

    const taken = [second, third].flatMap(({ provider }) =>
      provider.calls.map(({ request }) => request.runId),
    );
    expect(new Set(taken)).toEqual(new Set(ids));
  });

  it.each(['cancel', 'pause'] as const)('a %s reaches a run that another one owns at once', async (type) => {
    const [owner, other] = [await start(), await start()];
    const id = await owner.run(['a']);
    await owner.call();

    await other.send(id, type);

    expect(await owner.log(id)).toContain(type === 'cancel' ? 'run.cancelling' : 'run.paused');
  });

  it('one that sends a command hears that another one has refused it', async () => {
    const [owner, other] = [await start(), await start()];
    const id = await owner.run(['a']);
    await owner.call();
    const row = await other.reader.requireRow('default', id);

    const retry = { type: 'retry', id: 'cmd_1', expectedSeq: 0 } as const;
    const sent = other.control.record(row, retry, () => false);

    await expect(sent).rejects.toMatchObject({ failure: { code: 'run.not-retryable' } });
  });

  it('what one hands back is taken by another one at once', async () => {
    const [first, second] = [await start(ONE_SLOT), await start(ONE_SLOT)];
    const id = await first.run(['a']);
    await first.call();

    await first.stop();
    (await second.call()).complete('done');
    await second.logged(id, 'run.completed');

    expect(await second.log(id)).toContain('step.interrupted a#1');
  });

  it('a run that is resumed where there is no slot goes on elsewhere', async () => {
    const [first, second] = [await start(ONE_SLOT), await start(ONE_SLOT)];
    const id = await first.run(['a', 'b']);
    await first.send(id, 'pause');
    (await first.call(0)).complete();
    (await first.call(1)).complete();
    await until(() => first.engine.find(id) === undefined, 'it is parked');
    await first.run(['c']);
    await first.call(2);

    await first.send(id, 'resume');
    await second.logged(id, 'run.completed');

    expect((await second.read(id)).status).toBe('completed');
  });
});
