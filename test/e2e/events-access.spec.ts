/** Who may open a socket, and what one socket may ask for. */
import { EventsGateway } from '../../src/events/events.gateway.js';
import { SocketLimits } from '../../src/events/socket-limits.js';
import { KeyService } from '../../src/platform/auth/key.service.js';
import { RunFeed } from '../../src/runs/run.feed.js';
import type { InProcessRunFeed } from '../../src/storage/memory/in-process-run.feed.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { refusedWith, SocketClient } from '../support/socket.js';
import { until } from '../support/until.js';

const ADMIN_KEY = 'a-key-of-my-own-choice-1234567890';
const patient = { steps: [scripted('wait', { delayMs: 60_000 })] };

function followersOf({ app }: RunningApp): number {
  return app.get<InProcessRunFeed>(RunFeed).followerCount;
}

describe('a socket of a service without keys', () => {
  let service: RunningApp;

  beforeAll(async () => {
    service = await startApp();
  });

  afterAll(() => service.close());

  it.each([
    ['a foreign origin', 'websocket', { extraHeaders: { origin: 'https://example.org' } }, 'auth.forbidden'],
    ['a foreign origin', 'polling', { extraHeaders: { origin: 'https://example.org' } }, 'auth.forbidden'],
    ['a foreign host', 'websocket', { extraHeaders: { host: 'example.org' } }, 'auth.forbidden'],
    ['a key in the query', 'websocket', { query: { token: 'ens_a' } }, 'auth.required'],
    ['a key in the query', 'polling', { query: { token: 'ens_a' } }, 'auth.required'],
  ])('is refused with %s over %s', async (_, transport, options, code) => {
    expect(await refusedWith(service.url, { ...options, transports: [transport] })).toMatchObject({ code });
  });

  it('is let in otherwise', async () => {
    expect(await refusedWith(service.url)).toBeUndefined();
    const origin = service.url.replace('127.0.0.1', 'localhost');
    const own = { extraHeaders: { origin, host: new URL(origin).host } };

    expect(await refusedWith(service.url, own)).toBeUndefined();
  });

  it('is closed when the first key is made', async () => {
    const own = await startApp();
    Object.assign(own.app.get(SocketLimits), { accessCheckMs: 20 });
    const client = await SocketClient.open(own.url);
    await own.app.get(KeyService).create({ name: 'first', namespace: 'default', role: 'admin' });
    await until(() => !client.socket.connected, 'the socket was closed');
    await own.close();

    expect(client.problems()).toMatchObject([{ code: 'auth.required' }]);
  });
});

describe('a socket of a service with keys', () => {
  let service: RunningApp;
  let other: string;

  beforeAll(async () => {
    service = await startApp({ env: { ADMIN_KEY } });
    Object.assign(service.app.get(SocketLimits), { accessCheckMs: 20 });
    const keys = service.app.get(KeyService);
    other = (await keys.create({ name: 'other', namespace: 'other', role: 'admin' })).secret;
  });

  afterAll(() => service.close());

  it.each([
    ['no key', {}],
    ['an unknown key', { auth: { token: 'ens_unknown' } }],
    ['a key that is not a text', { auth: { token: { $ne: 1 } } }],
    ['a key that is too long', { auth: { token: 'a'.repeat(600) } }],
    ['a key in the query', { query: { access_token: ADMIN_KEY } }],
    ['a key in the query beside its own place', { query: { token: ADMIN_KEY }, auth: { token: ADMIN_KEY } }],
  ])('is refused with %s', async (_, options) => {
    const problem = await refusedWith(service.url, options);

    expect(problem).toMatchObject({ code: 'auth.required', status: 401, requestId: expect.any(String) });
    expect(JSON.stringify(problem)).not.toContain(ADMIN_KEY);
  });

  it('sees the runs of its own namespace only', async () => {
    const [mine, theirs] = await Promise.all(
      [ADMIN_KEY, other].map((token) => SocketClient.open(service.url, { auth: { token } })),
    );
    if (mine === undefined || theirs === undefined) throw new Error('two clients');
    const { id: runId } = await mine.done('run.start', { definition: patient });
    const refusals = [];
    for (const name of ['run.status', 'run.subscribe', 'run.cancel', 'run.pause', 'run.resume']) {
      refusals.push(await theirs.refusal(name, { runId }));
    }
    await mine.done('run.cancel', { runId });
    await mine.untilEvent(runId, 'run.cancelled');
    const { namespace } = await theirs.done('run.start', { definition: patient });

    expect(refusals).toEqual(Array(5).fill('run.not-found'));
    expect(theirs.events(runId)).toEqual([]);
    expect(namespace).toBe('other');
    mine.close();
    theirs.close();
  });

  it('records who gave a command', async () => {
    const client = await SocketClient.open(service.url, { auth: { token: ADMIN_KEY } });
    const { id: runId } = await client.done('run.start', { definition: patient });
    await client.done('run.cancel', { runId });
    await client.untilEvent(runId, 'run.cancelled');
    client.close();

    expect(client.contents('run.cancelling')).toMatchObject([
      { data: { by: expect.stringMatching(/^key_/) } },
    ]);
  });

  it('is closed when its key is revoked, and not let in again', async () => {
    const keys = service.app.get(KeyService);
    const { key, secret } = await keys.create({ name: 'short', namespace: 'default', role: 'admin' });
    const stays = await SocketClient.open(service.url, { auth: { token: ADMIN_KEY } });
    const client = await SocketClient.open(service.url, { auth: { token: secret } });
    const { id: runId } = await client.done('run.start', { definition: patient });
    await keys.revoke('default', key.id);
    await until(() => !client.socket.connected, 'the socket was closed');

    expect(client.problems()).toMatchObject([
      { code: 'auth.required', detail: 'The API key has been revoked' },
    ]);
    expect(await refusedWith(service.url, { auth: { token: secret } })).toMatchObject({
      code: 'auth.required',
    });
    expect(await stays.done('run.cancel', { runId })).toMatchObject({ id: runId });
    stays.close();
  });
});

describe('limits of a socket', () => {
  let service: RunningApp;

  beforeAll(async () => {
    service = await startApp({ env: { RATE_LIMIT_START: '3' } });
  });

  afterAll(() => service.close());

  it('are as many runs at once as it may follow', async () => {
    const api = new Api(service.url);
    const { id: first } = await api.start(patient);
    const { id: second } = await api.start(patient);
    Object.assign(service.app.get(SocketLimits), { maxSubscriptions: 1 });
    const client = await SocketClient.open(service.url);
    await client.done('run.subscribe', { runId: first });
    const refused = [
      await client.refusal('run.subscribe', { runId: second }),
      await client.refusal('run.start', { definition: patient }),
    ];
    const again = await client.refusal('run.subscribe', { runId: first });
    await client.done('run.unsubscribe', { runId: first });
    const after = await client.refusal('run.subscribe', { runId: second });
    client.close();

    expect(refused).toEqual(Array(2).fill('subscription.limit-exceeded'));
    expect([again, after]).toEqual([undefined, undefined]);
  });

  it('are those of requests, counted together with them', async () => {
    const client = await SocketClient.open(service.url);
    const answer = await client.ask('run.start', { definition: patient });
    const { status } = await new Api(service.url).post('/runs', { definition: patient });
    client.close();

    expect(answer).toMatchObject({
      ok: false,
      problem: { code: 'rate.limited', retryAfter: expect.any(Number) },
    });
    expect(status).toBe(429);
  });

  it('are so many commands a second, and none of it hinders another socket', async () => {
    const [hasty, calm] = [await SocketClient.open(service.url), await SocketClient.open(service.url)];
    const answers = await Promise.all(
      Array.from({ length: 400 }, () => hasty.refusal('run.status', { runId: 'other' })),
    );
    const counts = Map.groupBy(answers, (code) => code);
    const calmAnswer = await calm.refusal('run.status', { runId: 'other' });
    hasty.close();
    calm.close();

    expect(new Set(counts.keys())).toEqual(new Set(['rate.limited', 'run.not-found']));
    expect(counts.get('run.not-found')?.length).toBeGreaterThanOrEqual(100);
    expect(calmAnswer).toBe('run.not-found');
  });
});

describe('the end of a socket', () => {
  it('ends its subscriptions', async () => {
    const service = await startApp();
    const gateway = service.app.get(EventsGateway);
    const clients = await Promise.all(Array.from({ length: 5 }, () => SocketClient.open(service.url)));
    const [first] = clients;
    if (first === undefined) throw new Error('five clients');
    const { id: runId } = await first.done('run.start', { definition: patient });
    for (const client of clients) await client.done('run.subscribe', { runId });
    await until(() => followersOf(service) === 5, 'all follow');
    const before = [gateway.connectionCount, gateway.subscriptionCount];
    for (const client of clients) client.close();
    await until(() => followersOf(service) === 0, 'nobody follows');
    await service.close();

    expect(before).toEqual([5, 5]);
    expect([gateway.connectionCount, gateway.subscriptionCount, gateway.queuedBytes]).toEqual([0, 0, 0]);
  });

  it('comes with the end of the service, which does not wait for clients', async () => {
    const service = await startApp();
    const gateway = service.app.get(EventsGateway);
    const clients = [
      await SocketClient.open(service.url),
      await SocketClient.open(service.url, { transports: ['polling'] }),
    ];
    for (const client of clients) await client.done('run.start', { definition: patient });
    const reasons = clients.map(
      ({ socket }) =>
        new Promise<string>((resolve) =>
          socket.once('disconnect', (reason) => {
            resolve(reason);
          }),
        ),
    );
    await service.close();

    expect(gateway.connectionCount).toBe(0);
    expect(followersOf(service)).toBe(0);
    // Reasons after which Socket.IO's client connects again by itself.
    expect(['transport close', 'transport error']).toEqual(
      expect.arrayContaining(await Promise.all(reasons)),
    );
  });
});
