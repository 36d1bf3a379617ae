import type { RunEvent, RunEventType } from '../runs/domain/run.events.js';
import { progressOf, type RunProgress, type RunView } from '../runs/domain/view.js';
import type { FollowedItem } from '../runs/reset-feed.js';
import type { Outbox } from './outbox.js';
import { packetOf, packetOfDelta, packetOfEvent } from './packet.js';

/** Events that end a step for good. */
const SETTLING: ReadonlySet<RunEventType> = new Set([
  'step.completed',
  'step.failed',
  'step.skipped',
  'step.cancelled',
]);
const TERMINAL: ReadonlySet<RunEventType> = new Set(['run.completed', 'run.failed', 'run.cancelled']);

/**
 * The events of one run on their way to one client: in order, without a gap, as fast as the client takes them.
 *
 * It asks the feed for no more while the client's outbox is full; the feed then forgets what is live and reads the
 * record again later, so a slow client costs no memory.
 */
export class Subscription {
  readonly runId: string;
  private readonly stopped = new AbortController();
  /** The last event that the progress has in it. */
  private readonly countedSeq: number;
  private progress: RunProgress;
  private hasProgressed = false;

  /**
   * @param snapshot the run as the client knows it: progress is counted from there
   * @param onProgress called when there is progress to tell, once until `tellProgress`
   */
  constructor(
    snapshot: RunView,
    private readonly outbox: Outbox,
    private readonly onProgress: (subscription: Subscription) => void,
  ) {
    this.runId = snapshot.id;
    this.countedSeq = snapshot.lastSeq;
    this.progress = snapshot.progress;
  }

  /** Aborts when the subscription is stopped. */
  get signal(): AbortSignal {
    return this.stopped.signal;
  }

  /** Sends items until they end or the subscription is stopped. Rejects when they cannot be read. */
  async send(items: AsyncIterable<FollowedItem>): Promise<void> {
    for await (const item of items) {
      if (this.signal.aborted) return;
      this.sendItem(item);
      if (this.outbox.isFull && !(await this.outbox.room(this.signal))) return;
    }
  }

  /** Sends how far the run is, when that has changed. */
  tellProgress(): void {
    if (!this.hasProgressed || this.signal.aborted) return;
    this.hasProgressed = false;
    this.outbox.push(packetOf('run.progress', { runId: this.runId, ...this.progress }), this);
  }

  /** Ends it and takes back what has not gone out. */
  stop(): void {
    this.stopped.abort();
    this.outbox.takeBack(this);
  }

  private sendItem(item: FollowedItem): void {
    if (item.kind === 'reset') {
      this.outbox.push(packetOf('reset', item.reset), this);
      return;
    }
    if (item.kind === 'delta') {
      this.outbox.push(packetOfDelta(item.delta), this);
      return;
    }
    const { event } = item.event;
    this.count(event);
    if (TERMINAL.has(event.type)) this.tellProgress();
    this.outbox.push(packetOfEvent(item.event), this);
  }

  /** A step inside a loop has a path of its own and does not count. */
  private count({ seq, type, path }: RunEvent): void {
    if (!SETTLING.has(type) || path !== undefined || seq <= this.countedSeq) return;
    this.progress = progressOf(this.progress.completed + 1, this.progress.total);
    if (!this.hasProgressed) this.onProgress(this);
    this.hasProgressed = true;
  }
}
