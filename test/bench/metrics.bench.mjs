/**
 * Metrics: how long questions take when 100,000 runs are recorded, and what counting costs the engine.
 *
 * On SQLite always; on PostgreSQL too where BENCH_DATABASE_URL names an empty database.
 */
import { sql } from 'kysely';

import { MetricProjection } from '../../dist/metrics/metric-projection.js';
import { MetricService } from '../../dist/metrics/metric.service.js';
import { MetricStore } from '../../dist/metrics/metric.store.js';
import { countEnd, emptyFigures } from '../../dist/metrics/domain/figures.js';
import { observe } from '../../dist/metrics/domain/histogram.js';
import { seriesOf } from '../../dist/metrics/domain/series.js';
import { RunLog } from '../../dist/runs/run.log.js';
import { diamond, openService } from './bench-service.mjs';
import { figure, median } from './report.mjs';

const RUNS = 100_000;
const DAY_MS = 86_400_000;
/** Over how long the recorded runs are spread. */
const SPREAD_DAYS = 365;
const TABLES = ['log_cursors', 'metric_series', 'metric_figures', 'metric_open_runs'];

await measure('SQLite');
if (process.env.BENCH_DATABASE_URL !== undefined) await measure('PostgreSQL', process.env.BENCH_DATABASE_URL);

async function measure(name, databaseUrl) {
  const options = databaseUrl === undefined ? {} : { databaseUrl };
  const service = await openService({ ...options, METRICS_ENABLED: 'false' });
  try {
    await questions(name, service);
  } finally {
    for (const table of TABLES) await sql`delete from ${sql.table(table)}`.execute(service.database.kysely);
    await service.close();
  }
  await costOfCounting(name, options);
}

async function questions(name, service) {
  await recordFigures(service);
  const metrics = service.app.get(MetricService, { strict: false });
  const now = Date.now();
  const ranges = {
    'a day': { from: now - DAY_MS },
    'a month': { from: now - 30 * DAY_MS },
    'a year': { from: now - SPREAD_DAYS * DAY_MS },
    everything: { from: 0 },
  };
  for (const [range, asked] of Object.entries(ranges)) {
    const summary = await timed(() => metrics.summary('default', asked));
    figure(`${name}: summary of ${range} of ${RUNS} runs`, summary, 'ms', '<= 50');
    const workflow = await timed(() => metrics.workflow('default', 'workflow-1', asked));
    figure(`${name}: a workflow with its steps, ${range}`, workflow, 'ms', '<= 50');
  }
  const series = {
    metric: 'duration_p95_ms',
    dimension: 'workflow',
    interval: 'hour',
    from: now - 30 * DAY_MS,
  };
  figure(
    `${name}: p95 by workflow and hour, a month`,
    await timed(() => metrics.timeSeries('default', series)),
    'ms',
  );
}

/** What the projection would have kept of so many runs, written page by page through its own port. */
async function recordFigures(service) {
  const store = service.app.get(MetricStore, { strict: false });
  await store.reset();
  const now = Date.now();
  const perPage = 500;
  let cursor = '';
  for (let page = 0; page < RUNS / perPage; page += 1) {
    const minutes = new Map();
    const add = (series, at, ms) => {
      const beginning = at - (at % 60_000);
      const text = `${beginning}:${series.text}`;
      if (!minutes.has(text)) minutes.set(text, { series, at: beginning, figures: emptyFigures() });
      const { figures } = minutes.get(text);
      figures.counts.started += 1;
      figures.counts.costMicros += 1_234;
      figures.counts.queueMs += 7;
      observe(figures.queues, 7);
      countEnd(figures, 'completed', ms);
    };
    for (let run = 0; run < perPage; run += 1) {
      const number = page * perPage + run;
      const at = now - Math.floor(((RUNS - number) / RUNS) * SPREAD_DAYS * DAY_MS);
      const ms = Math.floor(Math.exp(5 + 5 * Math.sin(number) * Math.cos(number * 0.7)));
      const workflow = `workflow-${number % 10}`;
      add(seriesOf('default', 'runs'), at, ms);
      add(seriesOf('default', 'workflow', workflow), at, ms);
      for (const step of ['a', 'b', 'c']) {
        add(seriesOf('default', 'attempts'), at, ms);
        add(seriesOf('default', 'step', step, workflow), at, ms);
      }
    }
    const to = String(page + 1);
    const change = {
      from: { cursor, foldVersion: 1 },
      to: { cursor: to, foldVersion: 1 },
      minutes: [...minutes.values()],
      open: new Map(),
    };
    if (!(await store.commit(change))) throw new Error('the page was refused');
    cursor = to;
  }
  for (const [grain, days] of [
    ['minute', 2],
    ['hour', 90],
    ['day', 1_095],
  ]) {
    await store.prune(grain, now - days * DAY_MS);
  }
}

/** The median of 20, after two to warm up. */
async function timed(ask) {
  const samples = [];
  for (let count = 0; count < 22; count += 1) {
    const startedAt = performance.now();
    await ask();
    samples.push(performance.now() - startedAt);
  }
  return median(samples.slice(2));
}

/** Rounds with and without the projection alternate, so that a busy machine disturbs both alike. */
async function costOfCounting(name, options) {
  const service = await openService({
    ...options,
    AGENT_MAX_CONCURRENT_WORKFLOWS: '100',
    METRICS_ENABLED: 'false',
  });
  try {
    const { follower } = service.app.get(MetricProjection, { strict: false });
    const rates = { with: [], without: [] };
    await throughput(service, 200);
    for (let round = 0; round < 7; round += 1) {
      rates.without.push(await throughput(service, 300));
      follower.start();
      await drained(service);
      rates.with.push(await throughput(service, 300));
      await follower.stop();
    }
    figure(`${name}: steps without counting`, median(rates.without), 'steps/s');
    figure(`${name}: steps while the log is counted`, median(rates.with), 'steps/s');
    figure(`${name}: with counting over without`, median(rates.with) / median(rates.without), '×', '>= 0.95');
  } finally {
    await service.close();
  }
}

/** Steps a second of so many ten-step diamonds, 100 at once. */
async function throughput(service, runs) {
  const definition = diamond();
  const startedAt = performance.now();
  let left = runs;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await service.run(definition);
    }
  };
  await Promise.all(Array.from({ length: 100 }, one));
  return (runs * 10_000) / (performance.now() - startedAt);
}

/** Waits until everything that was published is counted. */
async function drained(service) {
  const store = service.app.get(MetricStore, { strict: false });
  const log = service.app.get(RunLog, { strict: false });
  for (;;) {
    const position = await store.position();
    const page = await log.readAfter(position?.cursor ?? '', 1);
    if (page.entries.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
