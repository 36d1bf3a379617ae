/**
 * The feed within one process: followers read the record up to its end, then take what is published.
 *
 * A follower joins before it reads, so nothing falls between the two; numbers already delivered are left out, and a
 * gap sends it back to the record.
 */
import { AppError } from '../../kernel/failure.js';
import { runErrors } from '../../runs/domain/run.errors.js';
import type { EncodedEvent, RunEventType } from '../../runs/domain/run.events.js';
import type { RunReached } from '../../runs/run.catalogue.js';
import { RunFeed, type Delta, type FeedItem, type FollowOptions } from '../../runs/run.feed.js';
import type { EventPage, RunStore } from '../../runs/run.store.js';
import { ChangeWatchers, type Presence } from './change-watchers.js';
import { LiveBuffer, type LiveLimits } from './live-buffer.js';

const PAGE_LIMIT = 500;
const DEFAULT_LIMITS: LiveLimits = { maxItems: 1_000, maxChars: 1_048_576 };
const TERMINAL: ReadonlySet<RunEventType> = new Set(['run.completed', 'run.failed', 'run.cancelled']);

/** Who hears of the first and the last follower of a run, and of the first and the last watcher of a namespace. */
export interface FeedPresence {
  readonly runs: Presence;
  readonly namespaces: Presence;
}

export class InProcessRunFeed extends RunFeed {
  private readonly buffers = new Map<string, Set<LiveBuffer>>();
  private readonly watchers: ChangeWatchers;

  constructor(
    private readonly runs: RunStore,
    private readonly limits: LiveLimits = DEFAULT_LIMITS,
    private readonly presence?: FeedPresence,
  ) {
    super();
    this.watchers = new ChangeWatchers(presence?.namespaces);
  }

  /** How many followers there are in all. */
  get followerCount(): number {
    return [...this.buffers.values()].reduce((sum, buffers) => sum + buffers.size, 0);
  }

  override follow(options: FollowOptions): AsyncIterable<FeedItem> {
    return { [Symbol.asyncIterator]: () => this.start(options) };
  }

  override watch(namespace: string, signal: AbortSignal): AsyncIterable<ReadonlySet<string>> {
    return this.watchers.watch(namespace, signal);
  }

  override publish(namespace: string, runId: string, events: readonly EncodedEvent[]): void {
    this.changed(namespace, runId);
    this.hint();
    this.deliver(runId, events);
  }

  /** Whether a run has followers. */
  isFollowed(runId: string): boolean {
    return this.buffers.has(runId);
  }

  /** How far each run that is followed has come here: the least of its followers. */
  followed(): readonly RunReached[] {
    return Array.from(this.buffers, ([runId, buffers]) => ({
      runId,
      seq: Math.min(...Array.from(buffers, ({ reached }) => reached)),
    }));
  }

  /** Tells the watchers of a namespace that a run has changed. */
  changed(namespace: string, runId: string): void {
    this.watchers.changed(namespace, runId);
  }

  /** Sends followers who have less than this to the record. */
  tell(runId: string, lastSeq: number): void {
    for (const buffer of this.buffers.get(runId) ?? []) buffer.tell(lastSeq);
  }

  /** Gives durable events to the followers of a run; those that they have already are left out. */
  deliver(runId: string, events: readonly EncodedEvent[]): void {
    const buffers = this.buffers.get(runId);
    if (buffers === undefined) return;
    for (const event of events) {
      const item: FeedItem = { kind: 'event', event };
      for (const buffer of buffers) buffer.push(item);
    }
  }

  override publishDelta(delta: Delta): void {
    const buffers = this.buffers.get(delta.runId);
    if (buffers === undefined) return;
    const item: FeedItem = { kind: 'delta', delta };
    for (const buffer of buffers) if (buffer.wantsDeltas) buffer.push(item);
  }

  /** A generator whose `return` also ends a `next` that is waiting; its own would queue behind it for ever. */
  private start(options: FollowOptions): AsyncIterator<FeedItem, void, undefined> {
    const buffer = new LiveBuffer(options.deltas ?? false, this.limits, options.afterSeq);
    const follower = new Follower(this.runs, options, buffer);
    const items = this.items(follower, options, buffer);
    return {
      next: () => items.next(),
      return: () => {
        follower.close();
        return items.return();
      },
    };
  }

  private async *items(
    follower: Follower,
    { runId, signal }: FollowOptions,
    buffer: LiveBuffer,
  ): AsyncGenerator<FeedItem, void, undefined> {
    const close = follower.close.bind(follower);
    if (signal.aborted) return;
    signal.addEventListener('abort', close);
    this.join(runId, buffer);
    try {
      for (;;) {
        const batch = await follower.nextBatch();
        if (batch === undefined) return;
        for (const item of batch) {
          if (follower.isClosed) return;
          yield item;
        }
      }
    } finally {
      signal.removeEventListener('abort', close);
      this.leave(runId, buffer);
    }
  }

  private join(runId: string, buffer: LiveBuffer): void {
    const buffers = this.buffers.get(runId);
    if (buffers !== undefined) {
      buffers.add(buffer);
      return;
    }
    this.buffers.set(runId, new Set([buffer]));
    this.presence?.runs.come(runId);
  }

  private leave(runId: string, buffer: LiveBuffer): void {
    const buffers = this.buffers.get(runId);
    buffers?.delete(buffer);
    if (buffers?.size !== 0) return;
    this.buffers.delete(runId);
    this.presence?.runs.gone(runId);
  }
}

/** Where one follower stands: the last number given out, and whether it reads the record or what is live. */
class Follower {
  isClosed = false;
  private cursor: number;
  private isLive = false;
  private hasEnded = false;

  constructor(
    private readonly runs: RunStore,
    private readonly options: FollowOptions,
    private readonly buffer: LiveBuffer,
  ) {
    this.cursor = options.afterSeq;
  }

  close(): void {
    this.isClosed = true;
    this.buffer.notify();
  }

  /** The next items, at least one; undefined at the end. */
  async nextBatch(): Promise<readonly FeedItem[] | undefined> {
    while (!this.isClosed && !this.hasEnded) {
      const batch = this.isLive ? await this.readLive() : await this.readStored();
      if (batch.length > 0) return batch;
    }
    return undefined;
  }

  private async readStored(): Promise<readonly FeedItem[]> {
    const page = await this.read(this.cursor, PAGE_LIMIT);
    const last = page.events.at(-1);
    this.isLive = !page.more;
    this.hasEnded = !page.more && isTerminal(last ?? (await this.findLast(page)));
    this.cursor = last?.event.seq ?? this.cursor;
    this.buffer.hasReached(this.cursor);
    return page.events.map((event) => ({ kind: 'event', event }));
  }

  /** The event that ends the log, unless another has come after it meanwhile. */
  private async findLast({ lastSeq }: EventPage): Promise<EncodedEvent | undefined> {
    const page = await this.read(lastSeq - 1, 1);
    return page.more ? undefined : page.events[0];
  }

  private async read(afterSeq: number, limit: number): Promise<EventPage> {
    const { namespace, runId } = this.options;
    const page = await this.runs.read(namespace, runId, { afterSeq, limit });
    if (page === undefined) throw AppError.of(runErrors['run.not-found'], `There is no run ${runId}.`);
    return page;
  }

  private async readLive(): Promise<readonly FeedItem[]> {
    const batch = this.takeLive();
    if (batch.length === 0 && this.isLive) await this.buffer.arrival();
    return batch;
  }

  /** What is live up to the first gap or terminal event, after which the record says how to go on. */
  private takeLive(): readonly FeedItem[] {
    const taken = this.buffer.take();
    this.isLive = taken !== undefined;
    const batch: FeedItem[] = [];
    for (const item of taken ?? []) {
      if (this.isNext(item)) batch.push(item);
      if (!this.isLive) break;
    }
    return batch;
  }

  /** Whether an item follows what was given out. A gap or a terminal event ends the live stretch. */
  private isNext(item: FeedItem): boolean {
    if (item.kind === 'delta') return item.delta.afterSeq >= this.cursor;
    const { seq } = item.event.event;
    if (seq <= this.cursor) return false;
    const follows = seq === this.cursor + 1;
    if (follows) this.cursor = seq;
    this.isLive = follows && !isTerminal(item.event);
    return follows;
  }
}

function isTerminal(encoded: EncodedEvent | undefined): boolean {
  return encoded !== undefined && TERMINAL.has(encoded.event.type);
}
