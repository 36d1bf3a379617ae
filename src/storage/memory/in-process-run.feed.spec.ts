import { getEventListeners } from 'node:events';

import { aRun, aRunId, anEvent, anEventOf, anIdleSummary } from '../../../test/support/a-run.js';
import { memoryStores } from '../../../test/support/memory-stores.js';
import type { Delta, FeedItem } from '../../runs/run.feed.js';
import type { RunStore } from '../../runs/run.store.js';
import type { Presence } from './change-watchers.js';
import { InProcessRunFeed } from './in-process-run.feed.js';

const LIMITS = { maxItems: 10, maxChars: 100_000 };

describe('InProcessRunFeed', () => {
  let runs: RunStore;
  let feed: InProcessRunFeed;
  let controller: AbortController;
  beforeEach(() => {
    ({ runs } = memoryStores());
    feed = new InProcessRunFeed(runs, LIMITS);
    controller = new AbortController();
  });

  const followerOf = (runId: string): AsyncIterator<FeedItem> =>
    feed
      .follow({ namespace: 'default', runId, afterSeq: 0, signal: controller.signal, deltas: true })
      [Symbol.asyncIterator]();

  const listenerCount = (): number => getEventListeners(controller.signal, 'abort').length;

  const aStoredRun = async (): Promise<string> => {
    const run = aRun();
    await runs.create({ run });
    return run.id;
  };

  const aDelta = (runId: string, n: number): Delta => ({
    type: 'step.progress',
    runId,
    stepId: 'a',
    attempt: 1,
    n,
    afterSeq: 1,
    data: { percent: n },
  });

  it('holds nothing for a follower that has not asked for an item', async () => {
    followerOf(await aStoredRun());

    expect([feed.followerCount, listenerCount()]).toEqual([0, 0]);
  });

  it('holds a follower while it reads', async () => {
    await followerOf(await aStoredRun()).next();

    expect([feed.followerCount, listenerCount()]).toEqual([1, 1]);
  });

  it.each<readonly [how: string, leave: (follower: AsyncIterator<FeedItem>) => Promise<unknown>]>([
    ['returns', (follower) => Promise.resolve(follower.return?.())],
    [
      'returns while it waits',
      async (follower) => {
        const waiting = follower.next();
        await follower.return?.();
        expect(await waiting).toEqual({ done: true, value: undefined });
      },
    ],
    [
      'is aborted while it waits',
      async (follower) => {
        const waiting = follower.next();
        controller.abort();
        expect(await waiting).toEqual({ done: true, value: undefined });
      },
    ],
    [
      'is aborted between two items',
      (follower) => {
        controller.abort();
        return follower.next();
      },
    ],
  ])('holds nothing of a follower that %s', async (_, leave) => {
    const follower = followerOf(await aStoredRun());
    await follower.next();

    await leave(follower);

    expect([feed.followerCount, listenerCount()]).toEqual([0, 0]);
  });

  it('holds nothing of a follower that reached the end', async () => {
    const id = aRunId();
    const events = [anEvent(id, 1), anEventOf(id, 2, 'run.completed', { output: null })];
    await runs.create({ run: aRun({ id, events, summary: anIdleSummary({ status: 'completed' }) }) });
    const follower = followerOf(id);
    await follower.next();
    await follower.next();

    expect(await follower.next()).toEqual({ done: true, value: undefined });

    expect([feed.followerCount, listenerCount()]).toEqual([0, 0]);
  });

  it('holds nothing of a follower whose run does not exist', async () => {
    await expect(followerOf(aRunId()).next()).rejects.toThrow();

    expect([feed.followerCount, listenerCount()]).toEqual([0, 0]);
  });

  it('holds nothing of a loop that was left', async () => {
    const runId = await aStoredRun();
    const { signal } = controller;
    for await (const item of feed.follow({ namespace: 'default', runId, afterSeq: 0, signal })) {
      expect(item.kind).toBe('event');
      break;
    }

    expect([feed.followerCount, listenerCount()]).toEqual([0, 0]);
  });

  it('drops the deltas of a follower that fell behind, and gives later ones', async () => {
    const runId = await aStoredRun();
    const follower = followerOf(runId);
    await follower.next();
    for (let n = 1; n <= LIMITS.maxItems + 1; n += 1) feed.publishDelta(aDelta(runId, n));
    const next = follower.next();
    await runs.read('default', runId, { afterSeq: 1, limit: 1 });

    feed.publishDelta(aDelta(runId, 99));

    expect(await next).toMatchObject({ value: { kind: 'delta', delta: { n: 99 } } });
  });

  it('knows how far each run that is followed has come', async () => {
    const runId = await aStoredRun();
    const [first, second] = [followerOf(runId), followerOf(runId)];
    await first.next();
    expect(feed.followed()).toEqual([{ runId, seq: 1 }]);
    const waiting = second.next();
    expect(feed.followed()).toEqual([{ runId, seq: 0 }]);
    await waiting;

    feed.deliver(runId, [anEvent(runId, 2)]);

    expect(feed.followed()).toEqual([{ runId, seq: 2 }]);
  });

  it('tells of the first follower of a run and the last, and of those who watch a namespace', async () => {
    const runId = await aStoredRun();
    const told: string[] = [];
    const presenceOf = (what: string): Presence => ({
      come: (key) => told.push(`${what} ${key} come`),
      gone: (key) => told.push(`${what} ${key} gone`),
    });
    feed = new InProcessRunFeed(runs, LIMITS, { runs: presenceOf('run'), namespaces: presenceOf('space') });
    const [first, second] = [followerOf(runId), followerOf(runId)];
    await Promise.all([first.next(), second.next()]);
    await first.return?.();
    await second.return?.();
    const over = new AbortController();
    const waiting = feed.watch('default', over.signal)[Symbol.asyncIterator]().next();
    over.abort();
    await waiting;

    expect(told).toEqual([
      `run ${runId} come`,
      `run ${runId} gone`,
      'space default come',
      'space default gone',
    ]);
  });
});
