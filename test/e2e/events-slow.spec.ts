/** Clients that stop reading: they cost the service little and others nothing, and miss nothing in the end. */
import type { Socket as TcpSocket } from 'node:net';

import { EventsGateway } from '../../src/events/events.gateway.js';
import { SocketLimits } from '../../src/events/socket-limits.js';
import type { JsonObject } from '../../src/kernel/json.js';
import { RunFeed } from '../../src/runs/run.feed.js';
import type { InProcessRunFeed } from '../../src/storage/memory/in-process-run.feed.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { tcpOf } from '../support/slow-clients.js';
import { SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

jest.setTimeout(60_000);

const STEPS = 600;
/** Small enough to stand in events; more in all than the buffers of the system hold for one connection. */
const BLOB = 'x'.repeat(15_000);
const BIG_RUN: JsonObject = {
  steps: upTo(STEPS).map((n) => ({
    id: `s${n}`,
    agent: 'echo',
    input: '{{ input.blob }}',
    ...(n === 1 ? {} : { dependsOn: [`s${n - 1}`] }),
  })),
};

/** Connections of slow clients: a client that closes one waits for the other side. */
const tcps: TcpSocket[] = [];
let service: RunningApp;
let api: Api;
let gateway: EventsGateway;
let limits: { stallMs: number; stallCheckMs: number; lingerMs: number; minBytesPerSecond: number };

beforeEach(async () => {
  service = await startApp({ env: { AGENT_MAX_WORKFLOW_STEPS: '1000' } });
  api = new Api(service.url);
  gateway = service.app.get(EventsGateway);
  limits = Object.assign(service.app.get(SocketLimits), {
    stallMs: 300,
    stallCheckMs: 50,
    lingerMs: 200,
    minBytesPerSecond: 1_000_000,
  });
});

afterEach(async () => {
  for (const tcp of tcps.splice(0)) tcp.destroy();
  await service.close();
});

/** Starts the run with a client that stops reading at its first event. */
async function startUnread(): Promise<{ readonly runId: string; readonly slow: SocketClient }> {
  const slow = await SocketClient.open(service.url);
  const tcp = tcpOf(slow);
  tcps.push(tcp);
  slow.socket.once('run.queued', () => tcp.pause());
  const { id: runId } = await slow.done('run.start', { definition: BIG_RUN, input: { blob: BLOB } });
  return { runId, slow };
}

/** What a second connection sends to a client that has seen some events. */
async function resume(
  runId: string,
  { length }: readonly unknown[],
): Promise<readonly { readonly seq: number }[]> {
  const client = await SocketClient.open(service.url);
  await client.done('run.subscribe', { runId, afterSeq: length });
  await client.untilEvent(runId, 'run.completed');
  client.close();
  return client.events(runId);
}

it('a client that takes nothing is cut off; its memory is bounded, and it goes on without a gap', async () => {
  const { maxQueuedBytes, maxBatchBytes } = service.app.get(SocketLimits);
  const { runId, slow } = await startUnread();
  let mostBytes = 0;
  const isCutOff = (): boolean => {
    mostBytes = Math.max(mostBytes, gateway.queuedBytes);
    return gateway.connectionCount === 0;
  };
  await until(isCutOff, 'the client was cut off', 40_000);
  const followers = service.app.get<InProcessRunFeed>(RunFeed).followerCount;
  await api.ended(runId);
  const closed = new Promise((resolve) => slow.socket.once('disconnect', resolve));
  tcpOf(slow).resume();
  const reason = await closed;
  const before = slow.events(runId);
  const after = await resume(runId, before);
  const { lastSeq } = (await api.get<{ readonly lastSeq: number }>(`/runs/${runId}`)).body;

  expect(followers).toBe(0);
  expect(['transport close', 'transport error']).toContain(reason);
  expect(mostBytes).toBeGreaterThan(maxQueuedBytes / 2);
  expect(mostBytes).toBeLessThan(maxQueuedBytes + maxBatchBytes + 2 * BLOB.length);
  expect(before.length).toBeLessThan(lastSeq);
  expect([...before, ...after].map(({ seq }) => seq)).toEqual(upTo(lastSeq));
});

it('a client that reads again before it is dropped is told why, and how it goes on', async () => {
  Object.assign(limits, { lingerMs: 30_000 });
  const { runId, slow } = await startUnread();
  await until(() => gateway.subscriptionCount === 0, 'the client was cut off', 40_000);
  const closed = new Promise((resolve) => slow.socket.once('disconnect', resolve));
  tcpOf(slow).resume();
  await closed;
  await api.ended(runId);
  const numbers = slow.events(runId).map(({ seq }) => seq);

  expect(slow.problems()).toMatchObject([
    {
      code: 'socket.too-slow',
      retryable: true,
      detail: expect.stringContaining('subscribe after the last event'),
    },
  ]);
  expect(slow.received.at(-1)?.name).toBe('error');
  expect(numbers).toEqual(upTo(numbers.length));
});

it('others that follow the same run get it whole meanwhile', async () => {
  const { runId, slow } = await startUnread();
  const others = await Promise.all(upTo(5).map(() => SocketClient.open(service.url)));
  for (const other of others) await other.done('run.subscribe', { runId, afterSeq: 0 });
  await Promise.all(others.map((other) => other.untilEvent(runId, 'run.completed', 40_000)));
  const stored = await api.events(runId);
  for (const client of [slow, ...others]) client.close();

  for (const other of others) expect(other.events(runId)).toEqual(stored);
});

it('a client that reads slowly, but reads, is not cut off', async () => {
  const { runId, slow } = await startUnread();
  const tcp = tcpOf(slow);
  // Lets a little through at each turn of the loop.
  const sips = setInterval(() => {
    tcp.resume();
    setImmediate(() => tcp.pause());
  }, 5);
  await slow.untilEvent(runId, 'run.completed', 40_000);
  clearInterval(sips);
  tcp.resume();
  const numbers = slow.events(runId).map(({ seq }) => seq);
  slow.close();

  expect(slow.problems()).toEqual([]);
  expect(numbers).toEqual(upTo(numbers.length));
});
