/** Figures against what a plain pass over all events says, whatever pages, restarts and failures there are. */
import fc from 'fast-check';

import { restoreFigures, type Figures } from '../../src/metrics/domain/figures.js';
import { quantile, RELATIVE_ERROR } from '../../src/metrics/domain/histogram.js';
import { LENGTH_MS, type Tile } from '../../src/metrics/domain/grain.js';
import { OTHER, type Dimension } from '../../src/metrics/domain/series.js';
import type { MetricStore } from '../../src/metrics/metric.store.js';
import type { RunEvent, Spent } from '../../src/runs/domain/run.events.js';
import type { Stores } from '../contract/record-scene.js';
import { ManualClock } from '../support/manual-clock.js';
import { memoryStores } from '../support/memory-stores.js';
import { aCounter, countLog, metricConfig, record, runPlans } from '../support/metric-scene.js';

const clock = new ManualClock();
const NOW = clock.now();
const EVER: Tile = { grain: 'day', from: 0, to: NOW + LENGTH_MS.day };

const orders = fc.array(fc.nat(11), { maxLength: 200 });
const pageSizes = fc.integer({ min: 1, max: 40 });

/** Everything that is kept of a namespace, to be compared. */
async function allOf(stores: Stores): Promise<unknown> {
  const dimensions: readonly Dimension[] = ['runs', 'workflow', 'tag', 'attempts', 'step', 'agent', 'model'];
  const tiles = (['minute', 'hour', 'day'] as const).map((grain) => ({ ...EVER, grain }));
  const pieces = await Promise.all(
    dimensions.map(async (dimension) => {
      const found = await stores.metrics.read({ namespace: 'default', dimension, tiles });
      return found.map((piece) => ({ dimension, ...piece }));
    }),
  );
  const nameOf = (piece: object): string => JSON.stringify({ ...piece, stored: undefined });
  return new Map(
    pieces
      .flat()
      .map((piece) => [nameOf(piece), piece.stored] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function totalOf(stores: Stores, dimension: Dimension, key: string): Promise<Figures> {
  const [piece, ...more] = await stores.metrics.read({ namespace: 'default', dimension, key, tiles: [EVER] });
  if (piece === undefined || more.length > 0)
    throw new Error(`${more.length + 1} pieces of ${dimension} ${key}`);
  return restoreFigures(piece.stored);
}

function count(events: readonly RunEvent[], type: string): number {
  return events.filter((event) => event.type === type).length;
}

/** From `run.started` to the end of every run that has both. */
function durationsOf(logs: readonly (readonly RunEvent[])[]): readonly number[] {
  return logs.flatMap((events) => {
    const at = (isWanted: (type: string) => boolean): number | undefined => {
      const found = events.find(({ type }) => isWanted(type));
      return found && Date.parse(found.at);
    };
    const [start, end] = [
      at((type) => type === 'run.started'),
      at((type) => /^run\.(completed|failed|cancelled)$/.test(type)),
    ];
    return start === undefined || end === undefined ? [] : [end - start];
  });
}

function sum(events: readonly RunEvent[], of: (spent: Spent) => number | undefined): number {
  return events.reduce((total, { data }) => total + (of(data as Spent) ?? 0), 0);
}

it('say exactly what happened, and percentiles within the error', async () => {
  await fc.assert(
    fc.asyncProperty(runPlans(NOW), orders, pageSizes, async (plans, order, pageSize) => {
      const stores = memoryStores();
      const logs = await record(stores, plans, order);
      await countLog(aCounter(stores, clock), stores, pageSize);

      const events = logs.flat();
      const { counts, durations } = await totalOf(stores, 'runs', '');
      expect(counts).toMatchObject({
        started: plans.length,
        completed: count(events, 'run.completed'),
        failed: count(events, 'run.failed'),
        cancelled: count(events, 'run.cancelled'),
        retries: count(events, 'step.retrying'),
        costMicros: sum(events, ({ costMicros }) => costMicros),
        inputTokens: sum(events, ({ usage }) => usage?.inputTokens),
        queueMs: plans.reduce((total, { queueMs }) => total + queueMs, 0),
      });
      const wanted = durationsOf(logs).toSorted((a, b) => a - b);
      for (const part of wanted.length === 0 ? [] : [0.5, 0.95, 0.99]) {
        const exact = wanted[Math.floor(part * (wanted.length - 1))] ?? Number.NaN;
        expect(Math.abs((quantile(durations, part) ?? Number.NaN) - exact)).toBeLessThanOrEqual(
          RELATIVE_ERROR * exact + 1e-9,
        );
      }
      if (!events.some(({ stepId }) => stepId !== undefined)) return;
      const attempts = await totalOf(stores, 'attempts', '');
      expect(attempts.counts).toMatchObject({
        started: count(events, 'step.started'),
        completed: count(events, 'step.completed'),
        failed: count(events, 'step.failed'),
        skipped: count(events, 'step.skipped'),
        retries: count(events, 'step.retrying'),
        costMicros: counts.costMicros,
        inputTokens: counts.inputTokens,
      });
    }),
    { numRuns: 60 },
  );
});

it('are the same whatever the pages are, and after any restart, failure or rebuilding', async () => {
  await fc.assert(
    fc.asyncProperty(runPlans(NOW), orders, pageSizes, async (plans, order, pageSize) => {
      const stores = memoryStores();
      await record(stores, plans, order);
      await countLog(aCounter(stores, clock), stores, 10_000);
      const expected = await allOf(stores);

      await stores.metrics.reset();
      await countLog(aCounter(stores, clock, failingEvery(3, stores.metrics)), stores, pageSize);
      expect(await allOf(stores)).toEqual(expected);

      await countLog(aCounter(stores, clock), stores, pageSize);
      expect(await allOf(stores)).toEqual(expected);

      await stores.metrics.reset();
      for (let from = ''; ;) {
        // A process that ends after each page.
        const counter = aCounter(stores, clock);
        expect(await counter.cursor()).toBe(from);
        const page = await stores.log.readAfter(from, pageSize);
        if (page.entries.length === 0) break;
        await counter.take(from, page);
        from = page.cursor;
      }
      expect(await allOf(stores)).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

it('count what is beyond the bound of a dimension together, and lose nothing', async () => {
  const stores = memoryStores();
  const plans = fc
    .sample(runPlans(NOW), { numRuns: 5, seed: 7 })
    .flat()
    .map((plan, index) => ({ ...plan, tags: [`t${index}`] }));
  await record(stores, plans, []);
  await countLog(aCounter(stores, clock, stores.metrics, metricConfig({ maxSeries: 3 })), stores, 20);

  const tags = await stores.metrics.read({ namespace: 'default', dimension: 'tag', tiles: [EVER] });
  expect(tags.map(({ key }) => key).toSorted()).toEqual([OTHER, 't0', 't1', 't2']);
  const started = tags.reduce((total, { stored }) => total + restoreFigures(stored).counts.started, 0);
  expect(started).toBe(plans.length);
});

/** A store that fails at every n-th page: before it is kept, or after, when nobody knows. */
function failingEvery(n: number, store: MetricStore): MetricStore {
  let pages = 0;
  return new Proxy(store, {
    get(target, name: keyof MetricStore) {
      if (name !== 'commit') return target[name].bind(target);
      return async (change: Parameters<MetricStore['commit']>[0]) => {
        pages += 1;
        if (pages % n === 1) throw new Error('a failure on purpose');
        const isKept = await target.commit(change);
        if (pages % n === 2) throw new Error('a failure on purpose');
        return isKept;
      };
    },
  });
}
