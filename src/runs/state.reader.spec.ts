/** What is read of the log when runs are read again, and by whom. */
import { Logger } from '@nestjs/common';

import { aRun } from '../../test/support/a-run.js';
import { EngineScene } from '../../test/support/engine-scene.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { memoryStores } from '../../test/support/memory-stores.js';
import { RUN_ID, SimulatedRun } from '../../test/support/simulated-run.js';
import { until } from '../../test/support/until.js';
import type { EngineConfig } from '../platform/config/app.config.js';
import type { HotKey, HotStore } from '../platform/ports/hot.store.js';
import { InProcessHotStore } from '../storage/memory/in-process-hot.store.js';
import { encodeEvent, type RunEvent } from './domain/run.events.js';
import { FOLD_VERSION } from './domain/fold-text.js';
import { RunFolds } from './engine/run-folds.js';
import type { LogFollowers } from './log-followers.js';
import { PurgeService } from './purge.service.js';
import type { RunStore } from './run.store.js';

Logger.overrideLogger(false);
jest.setTimeout(120_000);

const KEY: HotKey = { namespace: 'default', area: 'run-view', id: RUN_ID };
const TTL_MS = 3_600_000;

/** A cache that several processes of a test have a part in: what is in it is text. */
class SharedHotStore extends InProcessHotStore {
  override readonly isShared = true as never;

  override set(key: HotKey, value: unknown, ttlMs: number): Promise<void> {
    return super.set(key, JSON.parse(JSON.stringify(value)) as unknown, ttlMs);
  }
}

/** A run of so many steps that has come to its end. */
function played(steps: number): SimulatedRun {
  const run = SimulatedRun.of({
    steps: Array.from({ length: steps }, (_, at) => ({ id: `s${String(at)}`, agent: 'scripted' })),
  });
  run.takeUp();
  for (let [open] = run.open.values(); open !== undefined; [open] = run.open.values())
    run.report(open, { output: open.path });
  return run;
}

/** A record with the first events of a run, and how many events are read of it. */
class Record {
  readonly clock = new ManualClock();
  readonly stores = memoryStores(this.clock);
  eventsRead = 0;

  constructor() {
    const { runs } = this.stores;
    const read = runs.read.bind(runs);
    runs.read = async (...args: Parameters<RunStore['read']>) => {
      const page = await read(...args);
      this.eventsRead += page?.events.length ?? 0;
      return page;
    };
  }

  async begin(events: readonly RunEvent[]): Promise<void> {
    await this.stores.runs.create({
      run: aRun({ id: RUN_ID, events: events.map(encodeEvent) }),
      ownerId: 'own_1',
    });
  }

  async append(expectedSeq: number, events: readonly RunEvent[]): Promise<void> {
    const { summary } = aRun();
    const claim = { runId: RUN_ID, ownerId: 'own_1', epoch: 1 };
    const appended = await this.stores.runs.append({
      ...{ claim, namespace: 'default', expectedSeq, appendId: String(expectedSeq) },
      ...{ events: events.map(encodeEvent), summary, consumedInbox: [] },
    });
    expect(appended.outcome).toBe('appended');
  }

  /** A process that reads this record. */
  reader(hot?: HotStore): EngineScene {
    return new EngineScene({ on: this as unknown as EngineScene, ...(hot && { hot }) });
  }

  /** How many events it reads to do something. */
  async reads(act: () => Promise<unknown>): Promise<number> {
    this.eventsRead = 0;
    await act();
    return this.eventsRead;
  }
}

describe('a run of 10,000 steps', () => {
  const run = played(10_000);
  const { events } = run;

  it('is read from its log once, and then only what is new', async () => {
    const record = new Record();
    await record.begin(events.slice(0, 15_000));
    const { reader } = record.reader();
    const read = (): Promise<unknown> => reader.run('default', RUN_ID);

    expect(await record.reads(read)).toBeGreaterThanOrEqual(15_000);
    expect(await record.reads(read)).toBe(0);
    expect(await record.reads(() => reader.steps('default', RUN_ID, 0, 20))).toBe(0);

    await record.append(15_000, events.slice(15_000, 15_004));
    expect(await record.reads(read)).toBe(4);
    await record.append(15_004, events.slice(15_004));
    expect(await record.reads(read)).toBe(events.length - 15_004);
    expect(await record.reads(read)).toBe(0);

    expect(await reader.run('default', RUN_ID)).toEqual(await record.reader().reader.run('default', RUN_ID));
    expect((await reader.run('default', RUN_ID)).status).toBe('completed');
  });
});

describe('a run that several processes read', () => {
  const { events } = played(400);

  it('is folded by one, and carried on by the others', async () => {
    const record = new Record();
    const hot = new SharedHotStore(record.clock);
    await record.begin(events.slice(0, 600));
    await record.reader(hot).reader.run('default', RUN_ID);
    await until(async () => (await hot.get(KEY)) !== undefined, 'the fold is shared');
    await record.append(600, events.slice(600));
    const { reader } = record.reader(hot);

    const first = await record.reads(() => reader.run('default', RUN_ID));

    expect(first).toBe(2 + events.length - 600); // the first event, the last of the fold, and those after it
    expect(await reader.run('default', RUN_ID)).toEqual(await record.reader().reader.run('default', RUN_ID));
  });

  it('is the same for many who read it at once while it goes on', async () => {
    const record = new Record();
    await record.begin(events.slice(0, 300));
    const { reader } = record.reader();
    for (let at = 300; at < 700; at += 100) {
      await record.append(at, events.slice(at, at + 100));
      const views = await Promise.all(Array.from({ length: 10 }, () => reader.run('default', RUN_ID)));

      expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1);
      expect(views[0]).toEqual(await record.reader().reader.run('default', RUN_ID));
    }
  });

  const fold = { seq: 600, at: 1, foldVersion: FOLD_VERSION, text: '{}' };

  it.each([
    ['of another version', { ...fold, foldVersion: FOLD_VERSION + 1 }],
    ['of another record', fold],
    ['that is no text of a state', { ...fold, at: Date.parse(events[599]?.at ?? '') }],
    ['of an event that is not there', { ...fold, seq: 100_000 }],
  ])('is read from its log where a fold is %s', async (_, shared) => {
    const record = new Record();
    const hot = new SharedHotStore(record.clock);
    await record.begin(events);
    await hot.set(KEY, shared, TTL_MS);

    const view = await record.reader(hot).reader.run('default', RUN_ID);

    expect(view).toEqual(await record.reader().reader.run('default', RUN_ID));
  });

  it('is not shared where it is short', async () => {
    const record = new Record();
    const hot = new SharedHotStore(record.clock);
    await record.begin(events.slice(0, 100));

    await record.reader(hot).reader.run('default', RUN_ID);
    await new Promise((resolve) => setImmediate(resolve));

    expect(await hot.get(KEY)).toBeUndefined();
  });
});

describe('a run whose process lets go of it', () => {
  const many = {
    steps: [
      {
        id: 'many',
        kind: 'transform',
        expression: 'index',
        forEach: { items: Array.from({ length: 300 }, () => 0) },
      },
    ],
  };

  it('is read by others without its log, and by nobody when it is deleted', async () => {
    const record = new Record();
    const hot = new SharedHotStore(record.clock);
    const scene = await EngineScene.start({ on: record as unknown as EngineScene, hot });
    const id = await scene.run(many);
    await until(async () => (await scene.read(id)).status === 'completed', 'the run has ended');
    await until(async () => (await hot.get({ ...KEY, id })) !== undefined, 'its fold is shared');
    const other = record.reader(hot);

    const eventsRead = await record.reads(() => other.read(id));

    expect(eventsRead).toBeLessThan(10);
    expect(await other.read(id)).toEqual(await record.reader().read(id));
    expect(await record.reads(() => scene.read(id))).toBe(0);
    await scene.stop();

    await deletes(record, id, hot);
    for (const process of [other, scene])
      await expect(process.read(id)).rejects.toMatchObject({ failure: { code: 'run.not-found' } });
    await until(async () => (await hot.get({ ...KEY, id })) === undefined, 'its fold is no more');
  });
});

/** A third process deletes a run that has ended. */
async function deletes({ stores, clock }: Record, id: string, hot: HotStore): Promise<void> {
  const followers = { cursors: () => Promise.resolve([]) } as unknown as LogFollowers;
  const folds = new RunFolds(hot, clock, { contextTtlMs: TTL_MS } as EngineConfig);
  await new PurgeService(stores.retention, stores.catalogue, followers, clock, folds).delete('default', id);
}
