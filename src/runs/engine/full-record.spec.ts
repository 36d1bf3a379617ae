/** What a step asks of the record beside its log: it waits for it, and neither fails nor calls anybody twice. */
import { agentScene, anAgentBody } from '../../../test/support/agents.js';
import { EngineScene, handStep } from '../../../test/support/engine-scene.js';
import { HandProvider } from '../../../test/support/hand-provider.js';
import { AppError } from '../../kernel/failure.js';

const ARTIFACT = { name: 'a.txt', mediaType: 'text/plain', content: Buffer.from('text') };

let scene: EngineScene;

beforeEach(async () => {
  scene = await EngineScene.start();
});

afterEach(async () => {
  await scene.stop();
});

/** A method that finds no room the first time. */
function fullOnce<A extends readonly unknown[], R>(
  method: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  let isFull = true;
  return (...args) => {
    if (!isFull) return method(...args);
    isFull = false;
    const failure = { code: 'store.full', kind: 'unavailable', message: 'no room', retryable: true } as const;
    return Promise.reject(new AppError(failure));
  };
}

async function runOnce(agent: string): Promise<string> {
  return scene.run({ retry: { maxAttempts: 1 }, steps: [{ ...handStep('a'), agent }] });
}

it('keeps the outcome in hand until its artifacts are kept', async () => {
  const { blobs } = scene.stores;
  blobs.put = fullOnce(blobs.put.bind(blobs));
  const id = await runOnce('hand');
  (await scene.call()).complete(1, { artifacts: [ARTIFACT] });
  await scene.pass(1_000);
  await scene.logged(id, 'run.completed');

  expect(scene.provider.calls).toHaveLength(1);
});

it('waits for a place at an agent until one can be written down', async () => {
  const { limiter } = scene.stores;
  limiter.reserve = fullOnce(limiter.reserve.bind(limiter));
  const { edits } = agentScene([new HandProvider()], scene.clock, scene.stores);
  const body = anAgentBody({ limits: { maxConcurrency: 1 } });
  await edits.create({ namespace: 'default', author: 'key_1' }, { key: 'one', body });
  const id = await runOnce('one');
  (await scene.call()).complete(1);
  await scene.logged(id, 'run.completed');
});
