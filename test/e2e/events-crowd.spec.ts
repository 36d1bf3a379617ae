/** Many clients that follow many runs over connections that break at random: each has every event of every run once. */
import { rmSync } from 'node:fs';

import { io, type Socket } from 'socket.io-client';

import type { RunEvent } from '../../docs/examples/client/follow-run.js';
import { Api } from '../support/api.js';
import { makeDataDir } from '../support/app.js';
import { ServiceProcess } from '../support/service-process.js';
import { chain, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

jest.setTimeout(180_000);

const SCRIPT = 'test/e2e/event-service.mjs';
const CLIENTS = 200;
const RUNS = 50;
const DISCONNECTS = 500;
const SETTINGS = {
  RATE_LIMIT_READ: '0',
  RATE_LIMIT_START: '0',
  AGENT_MAX_CONCURRENT_WORKFLOWS: '25',
  AGENT_MAX_QUEUE_SIZE: '1000',
};

/** A client that asks again for what it lacks of every run, each time that it is connected. */
class Follower {
  readonly socket: Socket;
  /** The numbers of the events that came, by run. */
  readonly seen = new Map<string, number[]>();
  private readonly over = new Set<string>();

  constructor(
    url: string,
    private readonly runIds: readonly string[],
    private readonly onEvent: (follower: Follower) => void,
  ) {
    for (const runId of runIds) this.seen.set(runId, []);
    this.socket = io(url, { forceNew: true, transports: ['websocket'], reconnectionDelay: 5 });
    this.socket.on('connect', () => {
      this.subscribe();
    });
    this.socket.onAny((type: string, event: RunEvent) => {
      this.take(type, event);
    });
  }

  get isDone(): boolean {
    return this.over.size === this.runIds.length;
  }

  private subscribe(): void {
    for (const runId of this.runIds) {
      if (this.over.has(runId)) continue;
      this.socket.emit('run.subscribe', { runId, afterSeq: this.seen.get(runId)?.at(-1) ?? 0 });
    }
  }

  private take(type: string, { runId, seq, type: named }: RunEvent): void {
    const numbers = this.seen.get(runId);
    if (numbers === undefined || named !== type || seq <= (numbers.at(-1) ?? 0)) return;
    numbers.push(seq);
    if (type === 'run.completed') this.over.add(runId);
    this.onEvent(this);
  }
}

describe(`${CLIENTS} clients that follow ${RUNS} runs`, () => {
  let dataDir: string;
  let service: ServiceProcess;

  beforeAll(async () => {
    dataDir = makeDataDir();
    service = await ServiceProcess.start({ script: SCRIPT, env: { ...SETTINGS, DATA_DIR: dataDir } });
  });

  afterAll(async () => {
    await service.kill();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it(`end with the same events through ${DISCONNECTS} disconnects`, async () => {
    const api = new Api(service.url);
    const seed = Date.now() % 100_000;
    let state = seed + 1;
    const random = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
    let drops = 0;
    let untilDrop = random(40);
    const started = await Promise.all(upTo(RUNS).map(() => api.start(chain(5, { delayMs: 150 }))));
    const runIds = started.map(({ id }) => id);
    const followers = upTo(CLIENTS).map(
      () =>
        new Follower(service.url, runIds, ({ socket }) => {
          untilDrop -= 1;
          if (untilDrop > 0 || drops === DISCONNECTS) return;
          drops += 1;
          untilDrop = 1 + random(40);
          socket.io.engine.close();
        }),
    );

    await until(() => followers.every(({ isDone }) => isDone), 'every client saw every end', 120_000);
    const stored = await Promise.all(runIds.map((runId) => api.events(runId)));
    for (const { socket } of followers) socket.close();

    const expected = new Map(runIds.map((runId, index) => [runId, upTo(stored[index]?.length ?? 0)]));
    const wrong = followers.filter(({ seen }) =>
      [...seen].some(([runId, numbers]) => String(numbers) !== String(expected.get(runId))),
    );
    expect({ seed, drops, wrong: wrong.length }).toEqual({ seed, drops: DISCONNECTS, wrong: 0 });
    expect(stored.every((events) => events.length > 10)).toBe(true);
  });
});
