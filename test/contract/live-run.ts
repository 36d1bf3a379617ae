/** Runs that are written to, and followers that take from them as a test says. */
import { setImmediate } from 'node:timers/promises';

import type { Claim } from '../../src/runs/domain/claim.js';
import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import type { Delta, FeedItem, FollowOptions, RunFeed } from '../../src/runs/run.feed.js';
import { aSummary, anAppend, anEvent, anEventOf, anIdleSummary, someEvents } from '../support/a-run.js';
import type { RecordScene, Stores } from './record-scene.js';

const LARGE_TEXT = 'x'.repeat(300_000);

/** A feed beside the record that it reads. */
export interface FeedStores extends Stores {
  readonly feed: RunFeed;
}

/** What a follower saw that began after a number. */
export interface Seen {
  readonly afterSeq: number;
  readonly seqs: readonly number[];
}

/** A claimed run that tells the feed of what it appends. */
export class LiveRun {
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
export class TestFollower {
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

/** The number of an event; NaN for a delta. */
export function seqOf(item: FeedItem): number {
  return item.kind === 'event' ? item.event.event.seq : Number.NaN;
}

export function textOf(item: FeedItem): string | undefined {
  return item.kind === 'event' ? item.event.text : undefined;
}

export function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
