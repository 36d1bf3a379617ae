import { setImmediate } from 'node:timers/promises';

import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import type { Delta, FeedItem, FollowOptions, RunFeed } from '../../src/runs/run.feed.js';
import type { Claim } from '../../src/runs/domain/claim.js';
import {
  aRunId,
  aSummary,
  anAppend,
  anEvent,
  anEventOf,
  anIdleSummary,
  someEvents,
} from '../support/a-run.js';
import { useRecord, type RecordScene, type Stores } from './record-scene.js';

/** More than a follower holds back, whatever its bound. */
const FLOOD = 3_000;
const LARGE_TEXT = 'x'.repeat(300_000);
const FAILURE = { code: 'x.failed', kind: 'internal', message: 'x', retryable: false } as const;

/** A feed beside the record that it reads. */
export interface FeedStores extends Stores {
  readonly feed: RunFeed;
}

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

        await expect(unknown).rejects.toMatchObject({ failure: { code: 'run.not-found' } });
        await expect(foreign).rejects.toMatchObject({ failure: { code: 'run.not-found' } });
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

interface Seen {
  readonly afterSeq: number;
  readonly seqs: readonly number[];
}

/** A claimed run that tells the feed of what it appends. */
class LiveRun {
  lastSeq = 1;
  private deltaCount = 0;

  private constructor(
    private readonly stores: FeedStores,
    private claim: Claim,
  ) {}

  static async start(scene: RecordScene<FeedStores>): Promise<LiveRun> {
    return new LiveRun(scene.stores, await scene.claimedRun());
  }

  get runId(): string {
    return this.claim.runId;
  }

  append(count: number): Promise<readonly EncodedEvent[]> {
    return this.appendEvents(someEvents(this.runId, this.lastSeq + 1, count));
  }

  /** Many events, a hundred in an append. */
  async appendMany(count: number): Promise<void> {
    for (let done = 0; done < count; done += 100) await this.append(100);
  }

  async appendLarge(count: number): Promise<void> {
    for (let done = 0; done < count; done += 1) {
      await this.appendEvents([anEvent(this.runId, this.lastSeq + 1, LARGE_TEXT)]);
    }
  }

  async appendEvents(events: readonly EncodedEvent[]): Promise<readonly EncodedEvent[]> {
    await this.write(events);
    this.stores.feed.publish('default', this.runId, events);
    return events;
  }

  /** Appends without a word to the feed. */
  appendUntold(count: number): Promise<void> {
    return this.write(someEvents(this.runId, this.lastSeq + 1, count));
  }

  end(): Promise<unknown> {
    return this.appendEvents([anEventOf(this.runId, this.lastSeq + 1, 'run.completed', { output: null })]);
  }

  /** Claims the run again after its end. */
  async reopen(): Promise<void> {
    const claimed = await this.stores.lease.claim(this.runId, this.claim.ownerId);
    this.claim = claimed?.claim ?? this.claim;
  }

  /** A delta after the last event, or after an earlier one. */
  delta(afterSeq = this.lastSeq): void {
    this.deltaCount += 1;
    const delta: Delta = {
      type: 'step.delta',
      runId: this.runId,
      stepId: 'a',
      attempt: 1,
      n: this.deltaCount,
      afterSeq,
      data: { text: 'token' },
    };
    this.stores.feed.publishDelta(delta);
  }

  follow(options: Partial<FollowOptions> = {}): TestFollower {
    return new TestFollower(this.stores.feed, { namespace: 'default', runId: this.runId, ...options });
  }

  /** Appends now and then until `count` events are there, and ends. Some are not told, some are told late or twice. */
  async writeAtRandom(count: number): Promise<void> {
    let untold: readonly EncodedEvent[] = [];
    while (this.lastSeq < count) {
      const events = someEvents(this.runId, this.lastSeq + 1, 1 + (this.lastSeq % 3));
      await this.write(events);
      untold = [...untold, ...events];
      if (this.lastSeq % 4 === 0) continue;
      this.stores.feed.publish('default', this.runId, untold);
      untold = this.lastSeq % 5 === 0 ? events : [];
      if (this.lastSeq % 3 === 0) await setImmediate();
    }
    await this.end();
  }

  /** All that a follower sees who joins now, and who may leave once and come back. */
  async seenBy({ leaveAfter }: { readonly leaveAfter?: number }): Promise<Seen> {
    const afterSeq = Math.max(0, this.lastSeq - 7);
    const seqs: number[] = [];
    if (leaveAfter !== undefined) {
      const first = this.follow({ afterSeq });
      seqs.push(...(await first.take(leaveAfter)));
      await first.return();
    }
    seqs.push(...(await this.follow({ afterSeq: seqs.at(-1) ?? afterSeq }).toEnd()));
    return { afterSeq, seqs };
  }

  private async write(events: readonly EncodedEvent[]): Promise<void> {
    const isEnd = events.at(-1)?.event.type === 'run.completed';
    const summary = isEnd
      ? anIdleSummary({ status: 'completed', endedAt: 1_700_000_001_000 })
      : aSummary({ status: 'running' });
    const append = anAppend(this.claim, { expectedSeq: this.lastSeq, events, summary });
    expect(await this.stores.runs.append(append)).toMatchObject({ outcome: 'appended' });
    this.lastSeq += events.length;
  }
}

/** A consumer of the feed that takes as many items as a test asks for. */
class TestFollower {
  private readonly controller = new AbortController();
  private readonly iterator: AsyncIterator<FeedItem>;

  constructor(feed: RunFeed, options: Omit<FollowOptions, 'signal' | 'afterSeq'> & { afterSeq?: number }) {
    const items = feed.follow({ afterSeq: 0, ...options, signal: this.controller.signal });
    this.iterator = items[Symbol.asyncIterator]();
  }

  /** The next items, fewer only when the feed ends. */
  async items(count: number): Promise<readonly FeedItem[]> {
    const taken: FeedItem[] = [];
    while (taken.length < count) {
      const next = await this.iterator.next();
      if (next.done === true) break;
      taken.push(next.value);
    }
    return taken;
  }

  /** The sequence numbers of the next items, which must be events. */
  async take(count: number): Promise<readonly number[]> {
    return (await this.items(count)).map(seqOf);
  }

  async names(count: number): Promise<readonly string[]> {
    return (await this.items(count)).map((item) =>
      item.kind === 'event' ? `event ${seqOf(item)}` : `delta ${item.delta.n}`,
    );
  }

  /** The sequence numbers of all events until the feed ends. */
  async toEnd(): Promise<readonly number[]> {
    return (await this.items(Infinity)).filter(({ kind }) => kind === 'event').map(seqOf);
  }

  abort(): void {
    this.controller.abort();
  }

  async return(): Promise<void> {
    await this.iterator.return?.();
  }
}

function seqOf(item: FeedItem): number {
  return item.kind === 'event' ? item.event.event.seq : Number.NaN;
}

function textOf(item: FeedItem): string | undefined {
  return item.kind === 'event' ? item.event.text : undefined;
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
