/**
 * The engine on the record: overhead of a durable step, many runs at once, large graphs, maps and loops, start to
 * first step.
 *
 * On SQLite always; on PostgreSQL too where BENCH_DATABASE_URL names an empty database.
 */
import { cpus } from 'node:os';

import { chain, diamond, layers, loop, map, openService } from './bench-service.mjs';
import { figure, median, percentile } from './report.mjs';

/** Steps of one chain, and how many chains: 1,400 samples. */
const STEPS = 200;
const ROUNDS = 7;

await measure('SQLite');
if (process.env.BENCH_DATABASE_URL !== undefined) await measure('PostgreSQL', process.env.BENCH_DATABASE_URL);

async function measure(name, databaseUrl) {
  const options = databaseUrl === undefined ? {} : { databaseUrl };
  const service = await openService(options);
  try {
    await durableStep(name, service);
    await firstStep(name, service);
  } finally {
    await service.close();
  }
  const wide = await openService({ ...options, AGENT_MAX_CONCURRENT_WORKFLOWS: '100' });
  try {
    await manyRuns(name, wide);
    await largeGraphs(name, wide);
    await growth(`${name}: a map over 10,000 items`, wide, {
      definition: map(10_000),
      type: 'item.completed',
    });
    await growth(`${name}: a loop of 1,000 iterations`, wide, {
      definition: loop(1_000),
      type: 'iteration.completed',
    });
  } finally {
    await wide.close();
  }
}

/** One run at a time; a write is one transaction that inserts the same bytes through the same driver. */
async function durableStep(name, service) {
  await service.run(chain(STEPS));
  const { id } = await service.run(chain(STEPS));
  const text = await eventText(service, id);
  await service.writes(text, 200);
  const steps = [];
  const writes = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const appends = service.watchAppends();
    await service.run(chain(STEPS));
    steps.push(...appends.intervals());
    writes.push(...(await service.writes(text, STEPS)));
  }
  const write = median(writes);
  figure(`${name}: one write of ${text.length} bytes, median`, write * 1000, 'µs');
  figure(`${name}: one durable step of a chain, median`, median(steps) * 1000, 'µs');
  figure(`${name}: durable step overhead`, median(steps) / write, 'writes', '<= 1.5');
}

/** What one sequential step appends: the end of the step before and the start of this one. */
async function eventText(service, runId) {
  const page = await service.reader.eventsJson('default', runId, { afterSeq: 100, limit: 2 });
  return JSON.stringify(JSON.parse(page).items);
}

/** From the call to the append that starts the first step. */
async function firstStep(name, service) {
  const samples = [];
  const writes = [];
  const definition = chain(1);
  for (let i = 0; i < 400; i += 1) {
    const appends = service.watchAppends();
    const startedAt = performance.now();
    const { id } = await service.run(definition);
    samples.push(appends.first(id) - startedAt);
    if (i % 2 === 0) writes.push(...(await service.writes('x'.repeat(400), 1)));
  }
  figure(
    `${name}: start to first step running, median`,
    median(samples) / median(writes),
    'writes',
    '<= 2.5',
  );
  figure(
    `${name}: start to first step running, p99 over p50`,
    percentile(samples, 99) / median(samples),
    '×',
    '<= 3',
  );
}

async function manyRuns(name, service) {
  const definition = diamond();
  const rates = [];
  const cpu = [];
  for (let round = 0; round < 4; round += 1) {
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => service.run(definition)));
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(before);
    rates.push(1000 / seconds);
    cpu.push((user + system) / 1000);
  }
  figure(
    `${name}: 100 runs at once of a 10-step diamond, ${cpus().length} cores`,
    Math.max(...rates),
    'steps/s',
  );
  figure(`${name}: CPU of one step among 100 runs, all threads`, Math.min(...cpu), 'µs');
}

/** Layers of 100, each step depending on two of the layer above. */
async function largeGraphs(name, service) {
  const small = layers(1_000, 100);
  const large = layers(10_000, 100);
  await service.run(small);
  const times = { small: [], large: [] };
  globalThis.gc?.();
  const idle = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  for (let round = 0; round < 5; round += 1) {
    times.small.push((await service.run(small)).ms);
    times.large.push((await service.run(large)).ms);
  }
  clearInterval(watch);
  figure(`${name}: a run of 1,000 steps`, median(times.small), 'ms');
  figure(`${name}: a run of 10,000 steps`, median(times.large), 'ms');
  figure(`${name}: 10,000 steps over 1,000 steps`, median(times.large) / median(times.small), '×', '<= 12');
  figure(
    `${name}: time per step at 10,000 over 1,000`,
    median(times.large) / median(times.small) / 10,
    '×',
    '<= 1.15',
  );
  figure(`${name}: peak memory above idle`, (peak - idle) / 1_048_576, 'MiB', '<= 64');
}

/** What one item or iteration costs in the last tenth of its run, over what it costs in the second tenth. */
async function growth(name, service, { definition, type }) {
  await service.run(definition);
  const early = [];
  const late = [];
  for (let round = 0; round < 7; round += 1) {
    globalThis.gc?.();
    const times = service.watchCpu(type);
    await service.run(definition);
    const tenth = times.length / 10;
    early.push((times[2 * tenth] - times[tenth]) / tenth);
    late.push((times.at(-1) - times[9 * tenth - 1]) / tenth);
  }
  figure(`${name}: CPU of each, all threads`, median(late), 'µs');
  figure(`${name}: CPU of each at the end over the beginning`, median(late) / median(early), '×', '<= 1.3');
}
