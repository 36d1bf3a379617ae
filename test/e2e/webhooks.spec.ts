/** Webhooks over REST, told to a receiver on this machine. */
import { createServer } from 'node:http';
import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';

import type { DeliveryDto, PingDto } from '../../src/webhooks/dto/delivery.dto.js';
import type { CreatedWebhookDto, WebhookDto } from '../../src/webhooks/dto/webhook.dto.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

interface Items<T> {
  readonly items: readonly T[];
}

const CHAIN = {
  steps: [
    scripted('first', { output: { text: 'ü💡' } }),
    { id: 'second', agent: 'echo', input: '{{ steps.first.output.text }}' },
  ],
};

let dataDir: string;
let receiver: WebhookReceiver;
let service: RunningApp;
let api: Api;
/** Webhooks of the present test. */
const made: string[] = [];

/** 127.0.0.2 stands for an address that nobody has allowed. */
async function start(): Promise<void> {
  service = await startApp({ dataDir, env: { EGRESS_ALLOWED_HOSTS: '127.0.0.1', RATE_LIMIT_READ: '0' } });
  api = new Api(service.url);
}

async function restart(): Promise<void> {
  await service.close();
  await start();
}

beforeAll(async () => {
  dataDir = makeDataDir();
  await start();
});

afterAll(async () => {
  await service.close();
  rmSync(dataDir, { recursive: true, force: true });
});

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await Promise.all(made.splice(0).map((id) => api.delete(`/webhooks/${id}`)));
  receiver.close();
});

async function create(more: Readonly<Record<string, unknown>> = {}): Promise<CreatedWebhookDto> {
  const { status, body } = await api.post<CreatedWebhookDto>('/webhooks', { url: receiver.url, ...more });
  expect({ status, body }).toMatchObject({ status: 201 });
  made.push(body.id);
  receiver.secret = body.secret;
  return body;
}

async function deliveries(id: string, query = ''): Promise<readonly DeliveryDto[]> {
  return (await api.get<Items<DeliveryDto>>(`/webhooks/${id}/deliveries${query}`)).body.items;
}

async function webhook(id: string): Promise<WebhookDto> {
  return (await api.get<WebhookDto>(`/webhooks/${id}`)).body;
}

it('is created with a secret that is shown once, read, changed and deleted', async () => {
  const fresh = await create({ filter: { types: ['run.*'], tag: 'a' }, description: 'mine' });
  const { secret, ...shown } = fresh;
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(shown).toMatchObject({ enabled: true, version: 1, breaker: { state: 'closed', failures: 0 } });
  expect(await webhook(fresh.id)).toEqual(shown);
  const listed = await api.get<Items<WebhookDto>>('/webhooks');
  expect(listed.body.items).toContainEqual(shown);
  expect(JSON.stringify(listed.body)).not.toContain('whsec_');

  const body = { url: receiver.url, enabled: false };
  expect(await api.put(`/webhooks/${fresh.id}`, body, { 'if-match': '"2"' })).toMatchObject({ status: 412 });
  const changed = await api.put<WebhookDto>(`/webhooks/${fresh.id}`, body, { 'if-match': '"1"' });
  expect(changed.body).toMatchObject({ enabled: false, version: 2, filter: {} });
  expect(changed.body).not.toHaveProperty('description');
  expect((await api.delete(`/webhooks/${fresh.id}`)).status).toBe(204);
  expect(await api.get(`/webhooks/${fresh.id}`)).toMatchObject({
    status: 404,
    body: { code: 'webhook.not-found' },
  });
});

it('is told of every event of a run, as it stands in the log, in order and signed', async () => {
  const { id } = await create();
  const run = await api.finish(CHAIN);
  const log = await api.events(run.id);
  await until(() => receiver.firstsOf(run.id).length === log.length, 'all events have arrived');

  expect(receiver.firstsOf(run.id).map(({ event }) => event)).toEqual(log);
  expect(receiver.forged).toEqual([]);
  await until(async () => (await deliveries(id, '?status=pending')).length === 0, 'all are settled');
  const kept = (await deliveries(id)).filter(({ runId }) => runId === run.id).toReversed();
  expect(kept.map(({ seq, type, status }) => [seq, type, status])).toEqual(
    log.map(({ seq, type }) => [seq, type, 'delivered']),
  );
  expect(kept[0]).toMatchObject({ attempts: [{ status: 204 }], settledAt: expect.any(String) });
});

it('is told of what its filter lets through only', async () => {
  await create({ filter: { types: ['run.*'], tag: 'loud', status: 'completed' } });
  const quiet = await api.finish(CHAIN, { tags: ['quiet'] });
  const loud = await api.finish(CHAIN, { tags: ['loud', 'quiet'] });
  await until(() => receiver.received.length > 0, 'an event has arrived');

  expect(receiver.received.map(({ event }) => [event.runId, event.type])).toEqual([
    [loud.id, 'run.completed'],
  ]);
  expect(receiver.firstsOf(quiet.id)).toEqual([]);
});

it('is tried again after a failure, and what is behind in its run waits', async () => {
  const failed: string[] = [];
  receiver.reply = ({ id, event }, response) => {
    const isFirst = event.type === 'run.started' && !failed.includes(id);
    if (isFirst) failed.push(id);
    response.writeHead(isFirst ? 503 : 200).end('a body that nobody reads');
  };
  const { id } = await create();
  const run = await api.finish(CHAIN);
  await until(
    async () => (await deliveries(id)).some(({ attempts }) => attempts[0]?.error !== undefined),
    'it failed',
  );

  const waiting = (await deliveries(id, `?runId=${run.id}`)).toReversed();
  expect(waiting.map(({ status }) => status).slice(0, 2)).toEqual(['delivered', 'pending']);
  expect(waiting[1]).toMatchObject({
    attempts: [{ status: 503, error: 'the receiver answered 503' }],
    nextAt: expect.any(String),
  });
  expect(waiting[2]).not.toHaveProperty('nextAt');
  const [before] = receiver.received.filter((one) => one.id === failed[0]);

  await api.post(`/webhooks/${id}/deliveries/${failed[0] ?? ''}/replay`); // rather than wait for its time
  await until(async () => (await deliveries(id, '?status=pending')).length === 0, 'all are settled');
  expect(receiver.firstsOf(run.id).map(({ event }) => event.seq)).toEqual(
    (await api.events(run.id)).map(({ seq }) => seq),
  );
  const [, again] = receiver.received.filter((one) => one.id === failed[0]);
  expect(again?.body).toBe(before?.body);
});

it('is left alone after ten failures in a row, which it says, and tried again when it is changed', async () => {
  receiver.reply = (_received, response) => response.writeHead(500).end();
  const { id } = await create({ filter: { types: ['run.completed'] } });
  for (let count = 0; count < 12; count += 1)
    await api.finish({ steps: [{ id: 'a', agent: 'echo', input: {} }] });
  await until(async () => (await webhook(id)).breaker.state === 'open', 'the breaker is open');

  expect((await webhook(id)).breaker).toMatchObject({
    reason: 'the receiver answered 500',
    openUntil: expect.any(String),
  });
  receiver.reply = (_received, response) => response.writeHead(200).end();
  await api.put(`/webhooks/${id}`, { url: receiver.url, filter: { types: ['run.completed'] } });
  const now = new Date().toISOString();
  for (const { id: deliveryId } of await deliveries(id, '?status=pending'))
    await api.post(`/webhooks/${id}/deliveries/${deliveryId}/replay`);
  await until(async () => (await deliveries(id, '?status=delivered')).length === 12, 'all are delivered');
  expect((await webhook(id)).breaker).toEqual({ state: 'closed', failures: 0 });

  const span = { from: '2026-01-01T00:00:00Z', to: now };
  const before = receiver.received.length;
  expect(await api.post(`/webhooks/${id}/replay`, span)).toMatchObject({ status: 202, body: { count: 12 } });
  await until(() => receiver.received.length === before + 12, 'all have come once more');
});

it('is disabled when the receiver is gone for good', async () => {
  receiver.reply = (_received, response) => response.writeHead(410).end();
  const { id } = await create();
  await api.finish(CHAIN);
  await until(async () => !(await webhook(id)).enabled, 'it is disabled');

  expect((await webhook(id)).breaker.reason).toContain('410');
  expect(await deliveries(id, '?status=failed')).toHaveLength(1);
});

it('goes on after restarts, without a loss', async () => {
  const { id } = await create({ filter: { types: ['run.*'] } });
  const runs: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    runs.push((await api.finish(CHAIN)).id);
    await restart();
  }
  await until(async () => (await deliveries(id, '?status=delivered')).length === 9, 'all are delivered');

  for (const runId of runs) {
    const types = receiver.firstsOf(runId).map(({ event }) => event.type);
    expect(types).toEqual(['run.queued', 'run.started', 'run.completed']);
  }
});

it('is pinged, enabled or not', async () => {
  const { id, secret } = await create({
    enabled: false,
    secret: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
  });
  const { status, body } = await api.post<PingDto>(`/webhooks/${id}/ping`);

  expect(secret).toBe(`whsec_${Buffer.alloc(24, 7).toString('base64')}`);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { status: 204, id: receiver.received[0]?.id },
  });
  expect(receiver.received).toMatchObject([{ event: { type: 'webhook.ping', data: { webhookId: id } } }]);
  expect(receiver.forged).toEqual([]);
});

it('calls no private address, and follows no redirection', async () => {
  const hidden = createServer((_request, response) => response.end()).listen(0, '127.0.0.2');
  await new Promise((resolve) => hidden.once('listening', resolve));
  const url = `http://127.0.0.2:${String((hidden.address() as AddressInfo).port)}/`;
  const refused = await create({ url, enabled: false });
  receiver.reply = (_received, response) => response.writeHead(302, { location: url }).end();
  const redirecting = await create({ enabled: false });

  const calls = await Promise.all(
    [refused, redirecting].map(({ id }) => api.post<PingDto>(`/webhooks/${id}/ping`)),
  );
  hidden.close();
  expect(calls.map(({ body }) => body.error)).toEqual([
    expect.stringContaining('refused'),
    'the receiver answered 302',
  ]);
});

it.each([
  [{ url: 'ftp://example.com' }, 422, 'webhook.invalid', '/url'],
  [{ url: '/events' }, 422, 'webhook.invalid', '/url'],
  [{ url: 'https://me:secret@example.com' }, 422, 'webhook.invalid', '/url'],
  [{}, 400, 'request.invalid', '/url'],
  [{ url: 'https://example.com', secret: 'whsec_short' }, 400, 'request.invalid', '/secret'],
  [{ url: 'https://example.com', filter: { types: ['completed'] } }, 400, 'request.invalid', '/filter/types'],
  [{ url: 'https://example.com', filter: { types: [] } }, 400, 'request.invalid', '/filter/types'],
  [{ url: 'https://example.com', filter: { status: 'done' } }, 400, 'request.invalid', '/filter/status'],
  [{ url: 'https://example.com', filter: { kind: 'x' } }, 400, 'request.invalid', '/filter/kind'],
])('refuses %j', async (body, status, code, pointer) => {
  const answer = await api.post<{ issues: readonly { pointer: string }[] }>('/webhooks', body);

  expect(answer).toMatchObject({ status, body: { code } });
  expect(answer.body.issues.map((issue) => issue.pointer)).toContain(pointer);
});
