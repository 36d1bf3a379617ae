/** Metrics as a user sees them: figures of runs that were really executed, over HTTP. */
import { rmSync } from 'node:fs';

import type { SummaryDto, TimeSeriesDto, WorkflowMetricsDto } from '../../src/metrics/dto/metric.dto.js';
import type { ProblemDocumentDto } from '../../src/platform/http/dto/problem.dto.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

/** Waiting for figures asks often. */
const UNLIMITED = { RATE_LIMIT_READ: '0' };

/** Fails twice, then completes; spends tokens each time. */
const flaky = {
  name: 'flaky',
  retry: { maxAttempts: 3, initialIntervalMs: 1, jitter: 'none' },
  steps: [
    scripted('spend', { output: 1, usage: { inputTokens: 100, outputTokens: 20 }, failTimes: 2 }),
    { id: 'end', agent: 'echo', dependsOn: ['spend'], input: 'x' },
    { id: 'never', agent: 'echo', when: 'false', input: 'x' },
  ],
};
const broken = {
  name: 'broken',
  steps: [scripted('fail', { error: { code: 'x.broken', message: 'no', retryable: false }, failTimes: 9 })],
};

describe('metrics', () => {
  let service: RunningApp;
  let api: Api;

  beforeAll(async () => {
    service = await startApp({ env: UNLIMITED });
    api = new Api(service.url);
    for (let run = 0; run < 3; run += 1)
      await api.finish(flaky, { tags: ['night', run === 0 ? 'first' : 'later'] });
    await api.finish(broken);
    await counted(api, 'flaky', 3);
    await counted(api, 'broken', 1);
    for (const example of ['greet', 'refrain']) await counted(api, example, 1);
  });

  afterAll(() => service.close());

  it('tell of a workflow and its steps', async () => {
    const { status, body } = await api.get<WorkflowMetricsDto>('/metrics/workflows/flaky');

    expect(status).toBe(200);
    expect(body.runs).toMatchObject({ started: 3, completed: 3, failed: 0, successRate: 1, retries: 6 });
    expect(body.runs.usage).toEqual({ inputTokens: 900, outputTokens: 180 });
    expect(body.runs.durationMs.count).toBe(3);
    expect(body.runs.queueMs.count).toBe(3);
    expect(
      body.steps.map(({ key, started, completed, retries, skipped }) => [
        key,
        started,
        completed,
        retries,
        skipped,
      ]),
    ).toEqual([
      ['end', 3, 3, 0, 0],
      ['never', 0, 0, 0, 3],
      ['spend', 9, 3, 6, 0],
    ]);
    expect(body.versions).toEqual([]);
  });

  it('tell of everything, of an agent, and of what is not there', async () => {
    const summary = await api.get<SummaryDto>('/metrics/summary');
    const agent = await api.get<{ readonly attempts: SummaryDto['attempts'] }>('/metrics/agents/echo');
    const nothing = await api.get<WorkflowMetricsDto>('/metrics/workflows/none');

    // The example runs of a fresh start are among them.
    expect(summary.body.runs.failed).toBe(1);
    expect(summary.body.runs.completed).toBeGreaterThanOrEqual(4);
    expect(summary.body.caches.map(({ cache }) => cache)).toContain('templates');
    expect(agent.body.attempts).toMatchObject({ skipped: 3, failed: 0 });
    expect(agent.body.attempts.completed).toBeGreaterThanOrEqual(4);
    expect(nothing.body.runs).toEqual({
      ...{ started: 0, completed: 0, failed: 0, cancelled: 0, timedOut: 0, retries: 0 },
      ...{ durationMs: { count: 0 }, queueMs: { count: 0 } },
      ...{ usage: { inputTokens: 0, outputTokens: 0 }, costUsd: 0 },
    });
  });

  it.each([
    ['completed', 'workflow', ['broken 0', 'flaky 3']],
    ['failed', 'workflow', ['broken 1', 'flaky 0']],
    ['input_tokens', 'tag', ['first 300', 'later 600', 'night 900']],
    ['retries', 'step', ['fail 0', 'spend 6']],
    ['success_rate', 'workflow', ['broken 0', 'flaky 1']],
  ])('show %s by %s over time', async (metric, groupBy, expected) => {
    const { body } = await api.get<TimeSeriesDto>(
      `/metrics/timeseries?metric=${metric}&groupBy=${groupBy}&interval=day`,
    );
    const sums = body.series.map(({ key, points }) => [
      key,
      points.reduce((sum, { value }) => sum + value, 0),
    ]);

    expect(sums.map((pair) => pair.join(' '))).toEqual(expect.arrayContaining(expected));
  });

  it.each([
    ['/summary?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z', 422, '/from'],
    ['/summary?from=yesterday', 400, '/from'],
    ['/timeseries?interval=minute&from=2020-01-01T00:00:00Z', 422, '/from'],
    ['/timeseries?interval=minute&from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z', 422, '/from'],
    ['/timeseries?interval=hour&to=2199-01-01T00:00:00Z&from=2099-01-01T00:00:00Z', 422, '/interval'],
    ['/timeseries?metric=p50', 400, '/metric'],
    ['/timeseries?groupBy=constructor', 400, '/groupBy'],
    ['/timeseries?interval=week', 400, '/interval'],
    ['/summary?wrong=1', 400, '/wrong'],
  ])('refuse %s with %i at %s', async (path, status, pointer) => {
    const answer = await api.get<ProblemDocumentDto>(`/metrics${path}`);

    expect(answer.status).toBe(status);
    expect(answer.body.issues?.map((issue) => issue.pointer)).toEqual([pointer]);
  });

  it('are scraped by Prometheus at the root', async () => {
    const answer = await fetch(`${service.url}/metrics`);
    const text = await answer.text();

    expect(answer.headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('ensemble_runs_ended_total{workflow="flaky",outcome="completed"} 3');
    expect(text).toContain('ensemble_runs_ended_total{workflow="broken",outcome="failed"} 1');
    expect(text).toContain('ensemble_run_duration_seconds_count{workflow="flaky"} 3');
    expect(text).toContain('ensemble_attempt_retries_total{agent="scripted"} 6');
    expect(text).toContain('ensemble_runs{status="paused"} 2');
    expect(text).toMatch(/ensemble_cache_reads_total\{cache="templates",result="(hit|miss)"\} \d+/);
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });
});

it('asks for a key at /metrics once there is one', async () => {
  const key = 'a-key-of-24-characters-or-more';
  const service = await startApp({ env: { ADMIN_KEY: key } });
  try {
    expect((await fetch(`${service.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${service.url}/metrics`, { headers: { 'x-api-key': key } })).status).toBe(200);
  } finally {
    await service.close();
  }
});

it('counts what ended while nothing counted, once, however often it starts again', async () => {
  const dataDir = makeDataDir();
  try {
    const silent = await startApp({ dataDir, env: { ...UNLIMITED, METRICS_ENABLED: 'false' } });
    for (let run = 0; run < 20; run += 1) await new Api(silent.url).finish(flaky);
    expect((await workflow(new Api(silent.url), 'flaky')).runs.started).toBe(0);
    await silent.close();
    for (let start = 0; start < 3; start += 1) {
      const service = await startApp({ dataDir, env: UNLIMITED });
      await counted(new Api(service.url), 'flaky', 20);
      expect((await workflow(new Api(service.url), 'flaky')).runs).toMatchObject({
        started: 20,
        retries: 40,
      });
      await service.close();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

async function workflow(api: Api, id: string): Promise<WorkflowMetricsDto> {
  return (await api.get<WorkflowMetricsDto>(`/metrics/workflows/${id}`)).body;
}

async function counted(api: Api, id: string, ended: number): Promise<void> {
  const isCounted = async (): Promise<boolean> => {
    const { completed, failed } = (await workflow(api, id)).runs;
    return completed + failed === ended;
  };
  await until(isCounted, `${String(ended)} runs of ${id} are counted`);
}
