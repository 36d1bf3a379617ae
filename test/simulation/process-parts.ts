/** What a simulated process has of its own: timers, and a feed that notes what it is told. */
import { Clock } from '../../src/platform/clock/clock.js';
import { TimerService, type Timer } from '../../src/runs/engine/timer.service.js';
import type { EncodedEvent } from '../../src/runs/domain/run.events.js';
import { RunFeed, type FeedItem } from '../../src/runs/run.feed.js';
import type { RunHint } from '../../src/runs/run.queue.js';
import { InProcessRunQueue } from '../../src/storage/memory/in-process-run.queue.js';
import type { SeededRandom } from './seeded-random.js';
import { EPOCH_MS, type VirtualTime } from './virtual-time.js';

/** Who calls back after a delay. */
interface Delays {
  after(delayMs: number, callback: () => void): () => void;
}

/** Who is told of events that are durable. */
interface Listener {
  published(runId: string, events: readonly EncodedEvent[]): void;
}

/** The clock of every process: it keeps true time, and its wall may be set. */
export class SimulatedClock extends Clock {
  /** How far the wall is off, in milliseconds. */
  wallOffsetMs = 0;

  constructor(private readonly time: VirtualTime) {
    super();
  }

  override now(): number {
    return this.time.now;
  }

  override monotonic(): number {
    return this.time.now - EPOCH_MS;
  }

  override wall(): number {
    return this.time.now + this.wallOffsetMs;
  }
}

export class SimulatedTimers extends TimerService {
  constructor(
    private readonly virtual: Clock,
    private readonly delays: Delays,
  ) {
    super(virtual);
  }

  override at(at: number, callback: () => void): Timer {
    return { cancel: this.delays.after(Math.max(0, at - this.virtual.now()), callback) };
  }
}

/** Hints come once, twice or three times, some of them late, so that they overtake each other. */
export class SimulatedQueue extends InProcessRunQueue {
  constructor(
    private readonly delays: Delays,
    private readonly random: SeededRandom,
  ) {
    super((flush) => {
      delays.after(0, flush);
    });
  }

  override hint(hint: RunHint): void {
    super.hint(hint);
    for (let more = this.random.below(3); more > 0; more -= 1)
      this.delays.after(this.random.below(300), () => {
        super.hint(hint);
      });
  }
}

/** Nobody follows: what is published is noted, to be compared with the record. */
export class SimulatedFeed extends RunFeed {
  constructor(private readonly listener: Listener) {
    super();
  }

  override follow(): AsyncIterable<FeedItem> {
    throw new Error('nobody follows a simulated run');
  }

  override watch(): AsyncIterable<ReadonlySet<string>> {
    throw new Error('nobody watches a simulated run');
  }

  override publish(_namespace: string, runId: string, events: readonly EncodedEvent[]): void {
    this.listener.published(runId, events);
  }

  override publishDelta(): void {
    // nobody follows
  }
}
