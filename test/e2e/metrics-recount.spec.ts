/** Figures of a thousand runs that nobody counted while they ran: counted later, again, and anew from the log. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { resolve } from 'node:path';

import type { WorkflowMetricsDto } from '../../src/metrics/dto/metric.dto.js';
import { GRAINS, LENGTH_MS } from '../../src/metrics/domain/grain.js';
import { ATTEMPT_DIMENSIONS, RUN_DIMENSIONS } from '../../src/metrics/domain/series.js';
import { MetricStore } from '../../src/metrics/metric.store.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';

jest.setTimeout(240_000);

const RUNS = 1_000;
/** Runs that are started and waited for at once. */
const AT_ONCE = 25;
const DEADLINE_MS = 120_000;
const UNLIMITED = { RATE_LIMIT_READ: '0', RATE_LIMIT_START: '0', AGENT_MAX_CONCURRENT_WORKFLOWS: '25' };

const usage = { inputTokens: 100, outputTokens: 20 };
/** Seven of ten runs complete, two of these after two failed attempts; three fail. */
const FINE = { name: 'fine', steps: [scripted('spend', { output: 1, usage })] };
const FLAKY = {
  name: 'flaky',
  retry: { maxAttempts: 3, initialIntervalMs: 1, jitter: 'none' },
  steps: [
    scripted('spend', { output: 1, usage, failTimes: 2 }),
    { id: 'end', agent: 'echo', dependsOn: ['spend'], input: 'x' },
  ],
};
const BROKEN = {
  name: 'broken',
  steps: [scripted('fail', { error: { code: 'x.broken', message: 'no', retryable: false }, failTimes: 9 })],
};
const MIX = [FINE, FLAKY, FINE, BROKEN, FINE, FLAKY, FINE, BROKEN, FINE, BROKEN];

recounts('on the embedded record', () => ({}));

describeWithPostgres('figures of metrics on PostgreSQL', (url) => {
  recounts('when the service is down', () => ({ DATABASE_URL: url }));

  it('are counted anew while the service runs and counts', async () => {
    await withService({ DATABASE_URL: url }, async ({ api }) => {
      const before = (await report(api, 'fine')).started;
      const [output] = await Promise.all([rebuild({ DATABASE_URL: url }), runMany(api, 100)]);

      expect(output).toMatch(/^Counted \d+ events again\.$/m);
      await until(
        async () => (await report(api, 'fine')).completed === before + 50,
        'the last runs are counted',
        DEADLINE_MS,
      );
      expect(await report(api, 'fine')).toMatchObject({ started: before + 50, usage: tokensOf(before + 50) });
    });
  });
});

function recounts(where: string, record: () => Readonly<Record<string, string>>): void {
  describe(where, () => {
    const dataDir = makeDataDir();
    const env = (): Readonly<Record<string, string>> => ({ DATA_DIR: dataDir, ...record() });
    let counted: ReadonlyMap<string, string>;

    beforeAll(async () => {
      await withService({ ...env(), METRICS_ENABLED: 'false' }, async ({ api }) => {
        await runMany(api, RUNS);
        expect((await report(api, 'fine')).started).toBe(0);
      });
      counted = await withService(env(), async (service) => {
        await isCounted(service.api);
        return await figuresOf(service);
      });
    });

    afterAll(() => {
      rmSync(dataDir, { recursive: true, force: true });
    });

    it('are exact once they are counted', async () => {
      await withService(env(), async ({ api }) => {
        expect(await report(api, 'fine')).toMatchObject({
          started: 500,
          completed: 500,
          usage: tokensOf(500),
        });
        expect(await report(api, 'flaky')).toMatchObject({
          ...{ started: 200, completed: 200, retries: 400, usage: tokensOf(600) },
        });
        expect(await report(api, 'broken')).toMatchObject({ started: 300, failed: 300, completed: 0 });
      });
    });

    it('do not change when the service starts again', async () => {
      await withService(env(), async (service) => {
        await isCounted(service.api);
        expect(await figuresOf(service)).toEqual(counted);
      });
    });

    it('are the same when they are counted anew from the log', async () => {
      expect(await rebuild(env())).toMatch(/^Counted \d+ events again\.$/m);

      await withService({ ...env(), METRICS_ENABLED: 'false' }, async (service) => {
        expect(await figuresOf(service)).toEqual(counted);
      });
    });
  });
}

interface Service extends RunningApp {
  readonly api: Api;
}

async function withService<T>(
  env: Readonly<Record<string, string>>,
  use: (service: Service) => Promise<T>,
): Promise<T> {
  const running = await startApp({ env: { ...UNLIMITED, ...env } });
  try {
    return await use({ ...running, api: new Api(running.url) });
  } finally {
    await running.close();
  }
}

/** Runs so many of the mix to their ends. */
async function runMany(api: Api, runs: number): Promise<void> {
  let next = 0;
  const oneAfterAnother = async (): Promise<void> => {
    while (next < runs) {
      const number = next;
      next += 1;
      await api.finish(MIX[number % MIX.length], { tags: [`t${String(number % 7)}`] });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, oneAfterAnother));
}

async function isCounted(api: Api): Promise<void> {
  await until(
    async () => {
      const reports = await Promise.all(['fine', 'flaky', 'broken'].map((name) => report(api, name)));
      return reports.reduce((sum, { completed, failed }) => sum + completed + failed, 0) >= RUNS;
    },
    'all runs are counted',
    DEADLINE_MS,
  );
}

async function report(api: Api, workflow: string): Promise<WorkflowMetricsDto['runs']> {
  return (await api.get<WorkflowMetricsDto>(`/metrics/workflows/${workflow}`)).body.runs;
}

function tokensOf(attempts: number): object {
  return { inputTokens: attempts * usage.inputTokens, outputTokens: attempts * usage.outputTokens };
}

/** Every piece of every series that is kept, by its name. */
async function figuresOf({ app }: RunningApp): Promise<ReadonlyMap<string, string>> {
  const store = app.get(MetricStore, { strict: false });
  const tiles = GRAINS.map((grain) => ({ grain, from: 0, to: Date.now() + LENGTH_MS.day }));
  const pieces = await Promise.all(
    [...RUN_DIMENSIONS, ...ATTEMPT_DIMENSIONS].map(async (dimension) => {
      const found = await store.read({ namespace: 'default', dimension, tiles });
      return found.map(({ stored, ...name }) => [JSON.stringify({ dimension, ...name }), stored] as const);
    }),
  );
  return new Map(pieces.flat());
}

/** What `npm run rebuild-metrics` says on its way to success. */
async function rebuild(env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [resolve('dist/rebuild-metrics.js')], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr.on('data', (part: Buffer) => (output += part.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`rebuild-metrics ended with ${String(code)}: ${output}`);
  return output;
}
