import { setImmediate } from 'node:timers/promises';

import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import { aRunId, anEventOf } from '../support/a-run.js';
import { LiveRun, numbers, textOf, type FeedStores, type Seen } from './live-run.js';
import { useRecord } from './record-scene.js';

/** More than a follower holds back, whatever its bound. */
const FLOOD = 3_000;
const FAILURE = { code: 'x.failed', kind: 'internal', message: 'x', retryable: false } as const;

/** An engine under test. */
export interface FeedEngine {
  readonly name: string;
  create(): Promise<FeedStores>;
  destroy(): Promise<void>;
}

/** What every `RunFeed` promises. */
export function runFeedContract(engine: FeedEngine): void {
  describe(`RunFeed on ${engine.name}`, () => {
    const scene = useRecord(engine);
    const run = (): Promise<LiveRun> => LiveRun.start(scene);

    describe('follow', () => {
      it('gives what is stored, then what is live', async () => {
        const live = await run();
        await live.append(3);
        const follower = live.follow();
        expect(await follower.take(4)).toEqual([1, 2, 3, 4]);

        await live.append(2);
        await live.append(1);

        expect(await follower.take(3)).toEqual([5, 6, 7]);
      });

      it('gives events with the text that was stored', async () => {
        const live = await run();
        const follower = live.follow();
        await live.append(1);

        expect((await follower.items(2)).map(textOf)).toEqual(await scene.texts(live.runId));
      });

      it.each([
        [0, [1, 2, 3, 4, 5, 6]],
        [3, [4, 5, 6]],
        [5, [6]],
      ])('begins after sequence %i', async (afterSeq, seqs) => {
        const live = await run();
        await live.append(4);
        const follower = live.follow({ afterSeq });
        await live.append(1);

        expect(await follower.take(seqs.length)).toEqual(seqs);
      });

      it('gives nothing twice to a follower that is ahead of the log', async () => {
        const live = await run();
        const follower = live.follow({ afterSeq: 3 });
        const first = follower.take(1);
        for (let count = 0; count < 3; count += 1) await live.append(1);

        expect(await first).toEqual([4]);
      });

      it('gives everything to each of many followers', async () => {
        const live = await run();
        const followers = Array.from({ length: 20 }, () => live.follow());
        const taken = followers.map((follower) => follower.toEnd());
        for (let count = 0; count < 5; count += 1) await live.append(2);
        await live.end();

        for (const seqs of await Promise.all(taken)) expect(seqs).toEqual(numbers(12));
      });

      it('gives no event of another run', async () => {
        const [live, other] = [await run(), await run()];
        const follower = live.follow();
        await other.append(3);
        await live.end();

        expect(await follower.toEnd()).toEqual([1, 2]);
      });

      it('refuses a run that does not exist, and one of another namespace', async () => {
        const live = await run();
        const unknown = live.follow({ runId: aRunId() }).items(1);
        const foreign = live.follow({ namespace: 'other' }).items(1);

        // Together: whichever is refused first is awaited by then.
        await Promise.all([
          expect(unknown).rejects.toMatchObject({ failure: { code: 'run.not-found' } }),
          expect(foreign).rejects.toMatchObject({ failure: { code: 'run.not-found' } }),
        ]);
      });

      it('reads a log of many pages', async () => {
        const live = await run();
        await live.append(1_700);
        await live.end();

        expect(await live.follow().toEnd()).toEqual(numbers(1_702));
      });
    });

    describe('at the end of a run', () => {
      it.each<readonly [type: string, make: (live: LiveRun) => EncodedEvent]>([
        ['run.completed', (live) => anEventOf(live.runId, 2, 'run.completed', { output: null })],
        [
          'run.failed',
          (live) => anEventOf(live.runId, 2, 'run.failed', { status: 'timed_out', failure: FAILURE }),
        ],
        ['run.cancelled', (live) => anEventOf(live.runId, 2, 'run.cancelled', {})],
      ])('ends after %s, live and stored', async (_, make) => {
        const live = await run();
        const early = live.follow().toEnd();
        await setImmediate();
        await live.appendEvents([make(live)]);

        expect(await early).toEqual([1, 2]);
        expect(await live.follow().toEnd()).toEqual([1, 2]);
      });

      it.each([2, 9])('ends at once for an ended run after sequence %i', async (afterSeq) => {
        const live = await run();
        await live.end();

        expect(await live.follow({ afterSeq }).toEnd()).toEqual([]);
      });

      it('goes on past a terminal event that others follow', async () => {
        const live = await run();
        await live.end();
        await live.reopen();
        await live.append(2);
        const follower = live.follow();
        const fromTheEnd = live.follow({ afterSeq: 2 });
        expect(await follower.take(4)).toEqual([1, 2, 3, 4]);
        await live.end();

        expect(await follower.toEnd()).toEqual([5]);
        expect(await fromTheEnd.toEnd()).toEqual([3, 4, 5]);
      });

      it('goes on past terminal events wherever they stand in a long log', async () => {
        const live = await run();
        const ends = numbers(1_200).map((n) => anEventOf(live.runId, n + 1, 'run.cancelled', {}));
        await live.appendEvents(ends);

        expect(await live.follow().toEnd()).toEqual(numbers(1_201));
      });
    });

    describe('when it is given up', () => {
      it('ends without an error once its signal aborts while it waits', async () => {
        const live = await run();
        const follower = live.follow();
        await follower.take(1);
        const waiting = follower.toEnd();
        await setImmediate();

        follower.abort();

        expect(await waiting).toEqual([]);
      });

      it('ends once its signal aborts with items left', async () => {
        const live = await run();
        await live.append(5);
        const follower = live.follow();
        await follower.take(2);

        follower.abort();

        expect(await follower.toEnd()).toEqual([]);
      });

      it('gives nothing when its signal was aborted before', async () => {
        const live = await run();
        const follower = live.follow();
        follower.abort();

        expect(await follower.toEnd()).toEqual([]);
      });

      it('ends a wait when the consumer returns meanwhile', async () => {
        const live = await run();
        const follower = live.follow();
        await follower.take(1);
        const waiting = follower.toEnd();
        await setImmediate();

        await follower.return();

        expect(await waiting).toEqual([]);
      });

      it('does not disturb the followers beside it', async () => {
        const live = await run();
        const [gone, left] = [live.follow(), live.follow()];
        await Promise.all([gone.take(1), left.take(1)]);
        await gone.return();
        await live.end();

        expect(await left.toEnd()).toEqual([2]);
      });
    });

    describe('publish', () => {
      it('gives an event once that is told twice', async () => {
        const live = await run();
        const follower = live.follow();
        await follower.take(1);
        const events = await live.append(2);
        scene.stores.feed.publish('default', live.runId, events);
        await live.end();

        expect(await follower.toEnd()).toEqual([2, 3, 4]);
      });

      it('fills a gap from the record when events were not told', async () => {
        const live = await run();
        const follower = live.follow();
        await follower.take(1);
        const waiting = follower.take(4);
        await setImmediate();
        await live.appendUntold(3);

        await live.append(1);

        expect(await waiting).toEqual([2, 3, 4, 5]);
      });

      it.each([
        ['many', (live: LiveRun): Promise<unknown> => live.appendMany(FLOOD)],
        ['large', (live: LiveRun): Promise<unknown> => live.appendLarge(10)],
      ])('loses nothing of %s events for a consumer that falls behind', async (_, write) => {
        const live = await run();
        const follower = live.follow({ deltas: true });
        await follower.take(1);
        await write(live);
        live.delta();
        await live.end();

        const seqs = await follower.toEnd();

        expect(seqs).toEqual(Array.from({ length: live.lastSeq - 1 }, (_item, index) => index + 2));
      });

      it('gives a follower that fell behind what is live again afterwards', async () => {
        const live = await run();
        const follower = live.follow();
        await follower.take(1);
        await live.appendMany(FLOOD);
        await follower.take(FLOOD);
        const waiting = follower.take(2);
        await setImmediate();

        await live.append(2);

        expect(await waiting).toEqual([FLOOD + 2, FLOOD + 3]);
      });
    });

    describe('publishDelta', () => {
      it('gives deltas between the events where they belong, to those who want them', async () => {
        const live = await run();
        const [wanting, other] = [live.follow({ deltas: true }), live.follow()];
        await Promise.all([wanting.take(1), other.take(1)]);
        const all = wanting.names(5);
        await setImmediate();
        live.delta();
        await live.append(1);
        live.delta();
        live.delta();
        await live.end();

        expect(await all).toEqual(['delta 1', 'event 2', 'delta 2', 'delta 3', 'event 3']);
        expect(await other.names(9)).toEqual(['event 2', 'event 3']);
      });

      it('gives no delta that is older than an event that was given', async () => {
        const live = await run();
        const follower = live.follow({ deltas: true });
        await follower.take(1);
        const all = follower.names(3);
        await setImmediate();
        await live.append(2);
        live.delta(1);
        live.delta(3);

        expect(await all).toEqual(['event 2', 'event 3', 'delta 2']);
      });

      it('tells nobody of a run that nobody follows', async () => {
        const live = await run();

        expect(() => live.delta()).not.toThrow();

        await live.end();
        expect(await live.follow({ deltas: true }).toEnd()).toEqual([1, 2]);
      });
    });

    it('is contiguous whenever a follower joins, leaves and comes back while a run goes on', async () => {
      const live = await run();
      const writing = live.writeAtRandom(200);
      const progress = { isOver: false };
      void writing.then(() => (progress.isOver = true));
      const joins: Promise<Seen>[] = [];
      for (let join = 0; join < 200; join += 1) {
        joins.push(join % 2 === 0 ? live.seenBy({}) : live.seenBy({ leaveAfter: join % 13 }));
        if (!progress.isOver) await setImmediate();
      }
      await writing;

      for (const { afterSeq, seqs } of await Promise.all(joins)) {
        expect(seqs).toEqual(numbers(live.lastSeq).slice(afterSeq));
      }
    });
  });
}
