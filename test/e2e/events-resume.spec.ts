/** A follower whose connection breaks, again and again, sees each event once, in order, without a gap. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { followRun, type RunEvent } from '../../docs/examples/client/follow-run.js';
import { Api, eventsOf } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { ServiceProcess } from '../support/service-process.js';
import { chain, SocketClient, upTo } from '../support/socket.js';

jest.setTimeout(60_000);

const SCRIPT = 'test/e2e/event-service.mjs';
const STEPS = 200;
const DROPS = 50;
const LONG_RUN = chain(STEPS, { delayMs: 8, output: { text: 'x'.repeat(200) } });
const SETTINGS = { AGENT_MAX_WORKFLOW_STEPS: '1000', RATE_LIMIT_READ: '0' };

/** Numbers that look random and are the same for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}

function numbersOf(events: readonly { readonly seq: number }[]): readonly number[] {
  return events.map(({ seq }) => seq);
}

describe('a follower that loses its connection', () => {
  let service: RunningApp;
  let api: Api;

  beforeAll(async () => {
    service = await startApp({ env: SETTINGS });
    api = new Api(service.url);
  });

  afterAll(() => service.close());

  it(`${DROPS} times over Socket.IO`, async () => {
    const seed = Date.now() % 100_000;
    const random = randomOf(seed + 1);
    const { id: runId } = await api.start(LONG_RUN);
    const seen: RunEvent[] = [];
    let drops = 0;
    let untilDrop = random(8);
    const following = followRun({
      url: service.url,
      runId,
      onEvent: (event) => {
        seen.push(event);
        untilDrop -= 1;
        if (untilDrop > 0 || drops === DROPS) return;
        drops += 1;
        untilDrop = 1 + random(8);
        following.socket.io.engine.close();
      },
    });
    following.socket.io.reconnectionDelay(1);
    following.socket.io.randomizationFactor(0);
    following.socket.io.reconnectionDelayMax(5);
    const last = await following.ended;
    const stored = await api.events(runId);

    expect({ seed, drops, last: last.type }).toEqual({ seed, drops: DROPS, last: 'run.completed' });
    expect(stored.length).toBeGreaterThan(300);
    expect({ seed, numbers: numbersOf(seen) }).toEqual({ seed, numbers: upTo(stored.length) });
    expect(seen).toEqual(stored);
  });

  it(`${DROPS} times over Server-Sent Events`, async () => {
    const random = randomOf(7);
    const { id: runId } = await api.start(LONG_RUN);
    const seen: RunEvent[] = [];
    let drops = 0;
    while (seen.at(-1)?.type !== 'run.completed') {
      const wanted = drops < DROPS ? 1 + random(8) : Infinity;
      seen.push(...(await takeEvents(service.url, runId, { after: seen.length, count: wanted })));
      drops += 1;
    }
    const stored = await api.events(runId);

    expect(drops).toBeGreaterThan(DROPS);
    expect(numbersOf(seen)).toEqual(upTo(stored.length));
    expect(seen).toEqual(stored);
  });
});

describe('a follower of a service that is killed and started again', () => {
  let dataDir: string;
  let service: ServiceProcess;

  beforeEach(async () => {
    dataDir = makeDataDir();
    service = await ServiceProcess.start({ script: SCRIPT, env: { ...SETTINGS, DATA_DIR: dataDir } });
  });

  afterEach(async () => {
    await service.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function restart(): Promise<void> {
    await service.kill();
    const { port } = new URL(service.url);
    service = await ServiceProcess.start({
      script: SCRIPT,
      env: { ...SETTINGS, DATA_DIR: dataDir, PORT: port },
    });
  }

  it('misses nothing over Socket.IO', async () => {
    const api = new Api(service.url);
    const { id: runId } = await api.start(LONG_RUN);
    const seen: RunEvent[] = [];
    const { promise: halfWay, resolve: isHalfWay } = Promise.withResolvers<undefined>();
    const following = followRun({
      url: service.url,
      runId,
      onEvent: (event) => {
        seen.push(event);
        if (seen.length === STEPS / 2) isHalfWay(undefined);
      },
    });
    following.socket.io.reconnectionDelay(20);
    await halfWay;
    await restart();
    const last = await following.ended;
    const stored = await api.events(runId);

    expect(last.type).toBe('run.completed');
    expect(numbersOf(seen)).toEqual(upTo(stored.length));
    expect(seen).toEqual(stored);
    expect(stored.map(({ type }) => type)).toContain('step.interrupted');
  });

  it('misses nothing over Server-Sent Events', async () => {
    const api = new Api(service.url);
    const { id: runId } = await api.start(LONG_RUN);
    const seen = [...(await takeEvents(service.url, runId, { after: 0, count: STEPS / 2 }))];
    const broken = takeEvents(service.url, runId, { after: seen.length, count: Infinity });
    const [events] = await Promise.all([broken, delay(50).then(restart)]);
    seen.push(...events);
    seen.push(...(await takeEvents(service.url, runId, { after: seen.length, count: Infinity })));
    const stored = await api.events(runId);

    expect(numbersOf(seen)).toEqual(upTo(stored.length));
    expect(seen).toEqual(stored);
  });

  it('is told by the service that it ends in order, and goes on with the next', async () => {
    const client = await SocketClient.open(service.url, { reconnection: true, reconnectionDelayMax: 50 });
    const { id: runId } = await client.done('run.start', { definition: LONG_RUN });
    await client.untilEvent(runId, 'step.completed');
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve));
    const { code } = await service.stop();
    const connected = new Promise((resolve) =>
      client.socket.once('connect', () => {
        resolve(undefined);
      }),
    );
    const { port } = new URL(service.url);
    service = await ServiceProcess.start({
      script: SCRIPT,
      env: { ...SETTINGS, DATA_DIR: dataDir, PORT: port },
    });
    await connected;
    const { seq } = await client.done('run.subscribe', { runId, afterSeq: client.events(runId).length });
    await client.untilEvent(runId, 'run.completed');
    client.close();

    expect([code, await reason]).toEqual([0, 'transport close']);
    expect(seq).toBeGreaterThan(0);
    expect(numbersOf(client.events(runId))).toEqual(upTo(client.events(runId).length));
  });
});

/** Events of a stream after a number, up to a count or the end of the stream or of the connection. */
async function takeEvents(
  url: string,
  runId: string,
  { after, count }: { readonly after: number; readonly count: number },
): Promise<readonly RunEvent[]> {
  const leave = new AbortController();
  const taken: RunEvent[] = [];
  try {
    const stream = await fetch(`${url}/api/v1/runs/${runId}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
      signal: leave.signal,
    });
    for await (const event of eventsOf(stream)) {
      taken.push(event);
      if (taken.length === count) break;
    }
  } catch (error) {
    // The service was killed: what came before stands. An error of another realm is known by its name.
    if ((error as Error).name !== 'TypeError') throw error;
  } finally {
    leave.abort();
  }
  return taken;
}
