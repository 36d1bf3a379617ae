import { agentScene, anAgentBody, type AgentScene } from '../../test/support/agents.js';
import { HandProvider, type Call } from '../../test/support/hand-provider.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { until } from '../../test/support/until.js';
import { AppError } from '../kernel/failure.js';
import type { AgentOutcome } from './agent.provider.js';
import type { AgentLimits } from './domain/agent.js';
import { SLOT_TTL_MS } from './slot-leases.js';

const EDIT = { namespace: 'default', author: 'key_1' };

/** An agent in trouble takes all its calls with it. */
class BreakableHand extends HandProvider {
  override readonly failsAsWhole = true;
}

let clock: ManualClock;
let provider: HandProvider;
let scene: AgentScene;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  clock = new ManualClock();
  provider = new BreakableHand();
  scene = agentScene([provider], clock);
});

afterEach(() => {
  jest.useRealTimers();
});

const anAgent = async (limits: AgentLimits): Promise<void> => {
  await scene.edits.create(EDIT, { key: 'one', body: anAgentBody({ limits }) });
};

function call(signal = new AbortController().signal, from = scene): Promise<AgentOutcome> {
  const request = { namespace: 'default', reference: 'one', input: 'four', idempotencyKey: 'k', signal };
  return from.calls.execute(request);
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(left, 250));
    jest.advanceTimersByTime(Math.min(left, 250));
    await settled();
  }
}

async function made(count: number): Promise<Call> {
  await settled();
  expect(provider.calls).toHaveLength(count);
  return provider.calls[count - 1] as Call;
}

describe('slots', () => {
  it('are as many as the limit, and the next in line comes when one is given back', async () => {
    await anAgent({ maxConcurrency: 2 });
    const order: number[] = [];
    for (let n = 0; n < 5; n += 1) void call().then(() => order.push(n));
    await made(2);

    for (let n = 0; n < 5; n += 1) {
      provider.calls[n]?.complete();
      await made(Math.min(5, n + 3));
    }
    await settled();

    expect(order).toEqual([0, 1, 2, 3, 4]);
    expect(scene.gate.waiting('default', 'one')).toBe(0);
  });

  it('are not taken by a caller that went away while it waited', async () => {
    await anAgent({ maxConcurrency: 1 });
    const gone = new AbortController();
    const first = call();
    await made(1);
    const second = call(gone.signal);
    const third = call();
    await settled();

    gone.abort();
    expect(await second).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.busy', retryable: true },
    });
    provider.calls[0]?.complete();
    await first;
    (await made(2)).complete('third');

    expect(await third).toMatchObject({ output: 'third' });
  });

  it('are shared by processes, each asking again while another holds them', async () => {
    await anAgent({ maxConcurrency: 1 });
    const other = agentScene([provider], clock, scene.stores);
    const first = call();
    await made(1);
    const second = call(undefined, other);
    await pass(1_000);
    expect(provider.calls).toHaveLength(1);

    provider.calls[0]?.complete();
    await first;
    await pass(250);

    (await made(2)).complete();
    expect(await second).toMatchObject({ status: 'completed' });
  });

  it('are kept while the call goes on, and free when their holder has died', async () => {
    await anAgent({ maxConcurrency: 1 });
    const other = agentScene([provider], clock, scene.stores);
    void call();
    await made(1);
    void call(undefined, other);
    await pass(3 * SLOT_TTL_MS);
    expect(provider.calls).toHaveLength(1);

    scene.leases.onApplicationShutdown(); // the process is dead: nothing renews any more
    await pass(SLOT_TTL_MS + 500);

    expect(provider.calls).toHaveLength(2);
  });

  it('are refused at once outside of a run while the record is full', async () => {
    await anAgent({ maxConcurrency: 1 });
    const failure = { code: 'store.full', kind: 'unavailable', message: 'no room', retryable: true } as const;
    scene.stores.limiter.reserve = () => Promise.reject(new AppError(failure));

    await expect(call()).rejects.toMatchObject({ failure });
    expect(scene.gate.waiting('default', 'one')).toBe(0);
  });

  it('abort their call when they are lost', async () => {
    await anAgent({ maxConcurrency: 1 });
    const outcome = call();
    const held = await made(1);
    scene.stores.limiter.renew = () => Promise.resolve([]);

    await pass(4_000);

    expect(held.isAborted).toBe(true);
    expect(await outcome).toMatchObject({ status: 'failed' });
  });
});

describe('rates', () => {
  it('let so many requests through in a minute', async () => {
    await anAgent({ requestsPerMinute: 2 });
    for (let n = 0; n < 3; n += 1) void call();
    await made(2);

    await pass(29_000);
    expect(provider.calls).toHaveLength(2);
    await pass(1_500);

    expect(provider.calls).toHaveLength(3);
  });

  it('count the tokens that a call took, not those that it was thought to take', async () => {
    await anAgent({ tokensPerMinute: 60 });
    const first = call();
    (await made(1)).complete(1, { usage: { inputTokens: 40, outputTokens: 20 } });
    await first;
    void call();
    await settled();
    expect(provider.calls).toHaveLength(1);

    await pass(2_500); // an input of two tokens

    expect(provider.calls).toHaveLength(2);
  });

  it('rest for as long as an upstream asks that has had enough', async () => {
    await anAgent({ maxConcurrency: 5 });
    const first = call();
    (await made(1)).fail({ kind: 'limited', retryAfterMs: 20_000 });
    await first;
    void call();

    await pass(19_500);
    expect(provider.calls).toHaveLength(1);
    await pass(1_000);

    expect(provider.calls).toHaveLength(2);
  });
});

describe('an agent in trouble', () => {
  async function failTimes(count: number, failure: object): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const outcome = call();
      await until(() => provider.calls.length > 0, 'the call is made');
      await settled();
      provider.calls.at(-1)?.fail(failure);
      await outcome;
    }
  }

  it('is not called after five failures in a row, then tried once', async () => {
    await anAgent({});
    await failTimes(5, { kind: 'unavailable' });

    const refused = await call();
    expect(refused).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.unavailable', retryable: true, retryAfterMs: expect.any(Number) as number },
    });
    expect(provider.calls).toHaveLength(5);
    expect(await scene.health.probe('default', 'one')).toMatchObject({
      status: 'offline',
      reason: expect.stringContaining('tried again in 30 s') as string,
    });

    jest.advanceTimersByTime(30_001);
    const trial = call();
    const beside = await call();
    expect(beside).toMatchObject({ failure: { code: 'agent.unavailable' } });
    (await made(6)).complete('well');
    expect(await trial).toMatchObject({ output: 'well' });
    expect(await scene.health.probe('default', 'one')).toMatchObject({ status: 'available' });
  });

  it.each([
    ['the input was wrong', { kind: 'unprocessable' }],
    ['it has had enough', { kind: 'limited' }],
    ['the output was not as promised', { kind: 'upstream', code: 'agent.output-invalid' }],
  ])('is called on when %s', async (_, failure) => {
    await anAgent({});
    await failTimes(6, failure);

    expect(provider.calls).toHaveLength(6);
  });

  it('gives back what a call held that its breaker refused', async () => {
    await anAgent({ maxConcurrency: 1 });
    await failTimes(5, {});
    await call();

    expect(
      await scene.stores.limiter.reserve({
        ...{ namespace: 'default', key: (await scene.agents.get('default', 'one')).id, holder: 'h' },
        ...{ slots: 1, ttlMs: 1, takes: [] },
      }),
    ).toEqual({ held: true });
  });
});

describe('health', () => {
  it('is busy while calls wait for the limits', async () => {
    await anAgent({ maxConcurrency: 1 });
    for (let n = 0; n < 3; n += 1) void call();
    await made(1);

    expect(await scene.health.probe('default', 'one')).toMatchObject({
      status: 'busy',
      reason: 'All that its limits allow is in use; 2 calls wait.',
    });
  });

  it('is offline when it was taken offline, for new calls too', async () => {
    await anAgent({});
    await scene.edits.setOffline('default', 'one', true);

    expect(await scene.health.probe('default', 'one')).toMatchObject({ status: 'offline' });
    expect(await call()).toMatchObject({ failure: { code: 'agent.offline', retryable: true } });
    expect(provider.calls).toEqual([]);
  });

  it('is probed again for agents that somebody asked about, and for no others', async () => {
    await anAgent({});
    await scene.health.probe('default', 'one');
    const asked = jest.spyOn(provider, 'health').mockResolvedValue({ status: 'degraded', reason: 'slow' });

    await scene.health.probeRecent();
    const agent = await scene.agents.get('default', 'one');
    expect(await scene.health.of('default', agent)).toMatchObject({ status: 'degraded', reason: 'slow' });
    expect(asked).toHaveBeenCalledTimes(1);
    clock.advance(11 * 60_000);
    await scene.health.probeRecent();

    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('is offline when the provider says nothing or throws', async () => {
    await anAgent({ maxConcurrency: 1 });
    jest.spyOn(provider, 'health').mockRejectedValueOnce(new Error('no route'));
    expect(await scene.health.probe('default', 'one')).toMatchObject({
      status: 'offline',
      reason: 'Its provider could not be asked: no route',
    });

    jest.spyOn(provider, 'health').mockReturnValueOnce(new Promise(() => undefined));
    const silent = scene.health.probe('default', 'one');
    await settled();
    jest.advanceTimersByTime(5_000);
    expect(await silent).toMatchObject({
      status: 'offline',
      reason: expect.stringContaining('5000 ms') as string,
    });
  });
});
