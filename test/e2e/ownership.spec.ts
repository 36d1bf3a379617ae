/** Several processes on one PostgreSQL and one Redis: whoever owns a run, it goes on, and hears what comes in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { ServiceProcess } from '../support/service-process.js';
import { describeWithPostgres, describeWithRedis } from '../support/services.js';
import { until } from '../support/until.js';

const SCRIPT = 'test/crash/counting-service.mjs';

/** A lease of 5 s runs out before a run is taken over; the deadline is generous. */
const DEADLINE_MS = 60_000;
jest.setTimeout(180_000);

/** A step that takes longer than any of these tests. */
const LONG = { id: 'long', agent: 'counting', input: { delayMs: 600_000 } };

interface Call {
  readonly stepId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
}

/** One process, and what its agent was asked for. */
class Process {
  readonly api: Api;

  constructor(
    readonly service: ServiceProcess,
    private readonly callsFile: string,
  ) {
    this.api = new Api(service.url);
  }

  async calls(): Promise<readonly Call[]> {
    const text = await readFile(this.callsFile, 'utf8').catch(() => '');
    const lines = text.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Call);
  }

  /** Resolves once its agent has been called for a run. */
  async called(runId: string): Promise<void> {
    const isOfRun = ({ idempotencyKey }: Call): boolean => idempotencyKey.startsWith(runId);
    await until(async () => (await this.calls()).some(isOfRun), `a step of ${runId} is called`, DEADLINE_MS);
  }

  async read(runId: string): Promise<RunView> {
    return (await this.api.get<RunView>(`/runs/${runId}`)).body;
  }

  /** Resolves once this process reads that a run has a status. */
  async seen(runId: string, status: string): Promise<RunView> {
    await until(async () => (await this.read(runId)).status === status, `${runId} is ${status}`, DEADLINE_MS);
    return this.read(runId);
  }
}

type Start = (env?: Readonly<Record<string, string>>) => Promise<Process>;

/** A test with processes on a database and with keys of its own: what one leaves behind is executed by the next. */
function scenario(name: string, play: (start: Start) => Promise<void>): void {
  describeWithPostgres('processes that own runs of one record', (databaseUrl) => {
    describeWithRedis('over Redis', ({ redisUrl, redisKeyPrefix }) => {
      let folder: string;
      let processes: Process[];

      beforeEach(() => {
        folder = mkdtempSync(join(tmpdir(), 'ensemble-owners-'));
        processes = [];
      });
      afterEach(async () => {
        await Promise.all(processes.map(({ service }) => service.kill()));
        rmSync(folder, { recursive: true, force: true });
      });

      it(name, async () => {
        await play(async (env = {}) => {
          const own = join(folder, String(processes.length));
          const service = await ServiceProcess.start({
            script: SCRIPT,
            env: {
              ...{ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_KEY_PREFIX: redisKeyPrefix },
              ...{ DATA_DIR: own, CALLS_FILE: `${own}.calls`, ...env },
            },
          });
          const started = new Process(service, `${own}.calls`);
          processes.push(started);
          return started;
        });
      });
    });
  });
}

scenario('one goes on with the runs of another one that was killed', async (start) => {
  const [dead, heir] = [await start(), await start()];
  const run = await dead.api.start({
    steps: [
      { id: 'first', agent: 'counting', input: {} },
      { id: 'second', agent: 'counting', input: { delayMs: 2_000 }, dependsOn: ['first'] },
    ],
  });
  await until(async () => (await dead.calls()).length === 2, 'the second step is called');

  await dead.service.kill();
  await heir.seen(run.id, 'completed');

  const key = `${run.id}:second:1`;
  expect(await heir.calls()).toMatchObject([{ stepId: 'second', attempt: 2, idempotencyKey: key }]);
});

scenario('each hears commands to runs of the other one', async (start) => {
  const [owner, other] = [await start(), await start()];
  const cancelled = await owner.api.start({ steps: [LONG] });
  const signalled = await owner.api.start({
    steps: [
      { id: 'wait', kind: 'signal', signal: 'go' },
      { ...LONG, input: { delayMs: 0 }, dependsOn: ['wait'] },
    ],
  });
  const paused = await owner.api.start({
    steps: [
      { ...LONG, input: { delayMs: 5_000 } },
      { id: 'after', agent: 'counting', input: {}, dependsOn: ['long'] },
    ],
  });
  await Promise.all([cancelled, paused].map(({ id }) => owner.called(id)));

  await other.api.post(`/runs/${paused.id}/pause`);
  await other.api.post(`/runs/${cancelled.id}/cancel`);
  await other.api.post(`/runs/${signalled.id}/signals/go`, { data: 1 });
  await owner.seen(paused.id, 'paused');
  await other.api.post(`/runs/${paused.id}/resume`);

  await other.seen(cancelled.id, 'cancelled');
  await other.seen(signalled.id, 'completed');
  await other.seen(paused.id, 'completed');
});

scenario('one that is asked to stop hands its runs to the other one', async (start) => {
  const [first, second] = [await start({ SHUTDOWN_GRACE_MS: '0' }), await start()];
  const run = await first.api.start({ steps: [{ ...LONG, input: { delayMs: 1_000 } }] });
  await first.called(run.id);

  expect(await first.service.stop()).toMatchObject({ code: 0 });
  await second.seen(run.id, 'completed');

  expect(await second.calls()).toMatchObject([{ stepId: 'long', attempt: 2 }]);
});

scenario('runs that one has no place for are executed by both, each once', async (start) => {
  const places = { AGENT_MAX_CONCURRENT_WORKFLOWS: '5' };
  const both = [await start(places), await start(places)] as const;
  const ids: string[] = [];
  while (ids.length < 200) {
    const some = Array.from({ length: 20 }, () =>
      both[0].api.start({ steps: [{ id: 'a', agent: 'counting', input: { delayMs: 50 } }] }),
    );
    ids.push(...(await Promise.all(some)).map(({ id }) => id));
  }

  for (const id of ids) await both[1].seen(id, 'completed');

  const [first, second] = [await both[0].calls(), await both[1].calls()];
  const keys = [...first, ...second].map(({ idempotencyKey }) => idempotencyKey);
  expect(new Set(keys)).toEqual(new Set(ids.map((id) => `${id}:a:1`)));
  expect(keys).toHaveLength(ids.length);
  expect(Math.min(first.length, second.length)).toBeGreaterThan(10);
});

scenario(
  'a run that kills each process that executes it is ended, and takes no other one with it',
  async (start) => {
    const all = [await start(), await start(), await start(), await start(), await start()] as const;
    const [first] = all;
    const healthy = await Promise.all(
      Array.from({ length: 3 }, () =>
        first.api.start({
          steps: [
            { id: 'a', agent: 'counting', input: { delayMs: 2_000 } },
            { id: 'b', agent: 'counting', input: { delayMs: 2_000 }, dependsOn: ['a'] },
          ],
        }),
      ),
    );
    const poison = await first.api.start({
      steps: [
        { id: 'fuse', agent: 'counting', input: { delayMs: 100 } }, // the start is answered before it kills
        { id: 'bomb', agent: 'counting', input: { kill: true }, dependsOn: ['fuse'] },
      ],
    });

    await until(() => alive(all).length === 1, 'four are dead', DEADLINE_MS);
    const [last] = alive(all) as [Process];

    expect(await last.seen(poison.id, 'failed')).toMatchObject({ failure: { code: 'run.poisoned' } });
    for (const { id } of healthy) await last.seen(id, 'completed');
  },
);

function alive(processes: readonly Process[]): readonly Process[] {
  return processes.filter(({ service }) => service.isAlive);
}
