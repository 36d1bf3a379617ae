/**
 * Metrics: how long questions take when 100,000 runs are recorded, and what counting costs the engine.
 *
 * On SQLite always; on PostgreSQL too where BENCH_DATABASE_URL names an empty database.
 */
import { sql } from 'kysely';

import { MetricCounter } from '../../dist/metrics/metric-counter.js';
import { PACE } from '../../dist/metrics/metric-projection.js';
import { MetricService } from '../../dist/metrics/metric.service.js';
import { MetricStore } from '../../dist/metrics/metric.store.js';
import { ServiceMeters } from '../../dist/metrics/service-meters.js';
import { countEnd, emptyFigures } from '../../dist/metrics/domain/figures.js';
import { observe } from '../../dist/metrics/domain/histogram.js';
import { seriesOf } from '../../dist/metrics/domain/series.js';
import { Clock } from '../../dist/platform/clock/clock.js';
import { MetricConfig } from '../../dist/platform/config/app.config.js';
import { LogFollowers } from '../../dist/runs/log-followers.js';
import { RunLog } from '../../dist/runs/run.log.js';
import { RunStore } from '../../dist/runs/run.store.js';
import { diamond, openService } from './bench-service.mjs';
import { figure, median } from './report.mjs';

const RUNS = 100_000;
const DAY_MS = 86_400_000;
/** Over how long the recorded runs are spread. */
const SPREAD_DAYS = 365;
/** Rounds with and without counting, and how many runs each has. */
const ROUNDS = 9;
const RUNS_IN_ROUND = 500;
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
    const follower = followerOf(service);
    const rounds = [];
    await load(service);
    for (let round = 0; round < ROUNDS; round += 1) {
      const without = await load(service, rested);
      follower.start();
      await drained(service);
      const counted = await load(service, drained);
      await follower.stop();
      rounds.push({ without, counted });
    }
    tellCost(name, rounds);
  } finally {
    await service.close();
  }
}

/** As the service makes it, which here counts nothing by itself: it is started and stopped by rounds. */
function followerOf({ app }) {
  const [metrics, runs, clock, config] = [MetricStore, RunStore, Clock, MetricConfig].map((part) =>
    app.get(part, { strict: false }),
  );
  const meters = app.get(ServiceMeters, { strict: false });
  const counter = new MetricCounter({ metrics, runs, clock, config }, (minutes) => meters.count(minutes));
  return app.get(LogFollowers, { strict: false }).create(counter, PACE);
}

function tellCost(name, rounds) {
  const [without, counted] = ['without', 'counted'].map((kind) => rounds.map((round) => round[kind]));
  const rates = [without, counted].map((all) => median(all.map(({ rate }) => rate)));
  const ratios = rounds.map((round) => round.counted.rate / round.without.rate);
  const cpu = rounds.map((round) => round.counted.cpuUs - round.without.cpuUs);
  figure(`${name}: steps without counting`, rates[0], 'steps/s');
  figure(`${name}: steps while the log is counted`, rates[1], 'steps/s');
  figure(`${name}: with counting over without`, rates[1] / rates[0], '×', '>= 0.95');
  figure(`${name}: with counting over the round before without`, median(ratios), '×', '>= 0.95');
  figure(`${name}: CPU of a step without counting`, median(without.map(({ cpuUs }) => cpuUs)), 'µs');
  figure(`${name}: CPU that counting adds to a step`, median(cpu), 'µs');
}

/**
 * Ten-step diamonds, 100 at once: steps a second until the last run ended, and CPU of all threads for each step until
 * what comes after is done as well.
 */
async function load(service, after = rested) {
  const definition = diamond();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let left = RUNS_IN_ROUND;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await service.run(definition);
    }
  };
  await Promise.all(Array.from({ length: 100 }, one));
  const seconds = (performance.now() - startedAt) / 1_000;
  await after(service);
  const { user, system } = process.cpuUsage(cpu);
  const steps = RUNS_IN_ROUND * 10;
  return { rate: steps / seconds, cpuUs: (user + system) / steps };
}

/** As long as counting waits for more to come: what a process does by itself when nothing is to do counts alike. */
function rested() {
  return new Promise((resolve) => setTimeout(resolve, PACE.gatherMs));
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
