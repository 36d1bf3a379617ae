import { RunQueue, type RunHint } from '../../runs/run.queue.js';

type Consumer = (hint: RunHint) => void;

/** Beyond this many waiting runs a hint is dropped: the sweeper finds the run all the same. */
const MAX_WAITING = 10_000;

/** Hints of one turn of the event loop go out together in the next one, so that priority can order them. */
export class InProcessRunQueue extends RunQueue {
  private readonly waiting = new Map<string, RunHint>();
  private readonly consumers: Consumer[] = [];
  private nextConsumer = 0;
  private isScheduled = false;

  /** @param schedule calls back later, never before it returns; a simulation passes its own */
  constructor(private readonly schedule: (flush: () => void) => void = setImmediate) {
    super();
  }

  override hint(hint: RunHint): void {
    const known = this.waiting.get(hint.runId);
    if (known === undefined && this.waiting.size >= MAX_WAITING) return;
    if (known === undefined || known.priority < hint.priority) this.waiting.set(hint.runId, hint);
    this.scheduleFlush();
  }

  override consume(onHint: Consumer): () => void {
    // Wrapped, so that a function given twice is two consumers and each stops on its own.
    const consumer: Consumer = (hint) => {
      onHint(hint);
    };
    this.consumers.push(consumer);
    this.scheduleFlush();
    return () => {
      const index = this.consumers.indexOf(consumer);
      if (index >= 0) this.consumers.splice(index, 1);
    };
  }

  private scheduleFlush(): void {
    if (this.isScheduled || this.waiting.size === 0 || this.consumers.length === 0) return;
    this.isScheduled = true;
    this.schedule(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  /** A consumer may hint, stop or throw meanwhile: new hints wait for the next turn, hints that nobody took stay. */
  private flush(): void {
    const batch = [...this.waiting.values()].sort((a, b) => b.priority - a.priority);
    try {
      for (const hint of batch) this.deliver(hint);
    } finally {
      this.scheduleFlush();
    }
  }

  private deliver(hint: RunHint): void {
    const consumer = this.takeTurn();
    if (consumer === undefined) return;
    this.waiting.delete(hint.runId);
    consumer(hint);
  }

  private takeTurn(): Consumer | undefined {
    this.nextConsumer = (this.nextConsumer + 1) % Math.max(this.consumers.length, 1);
    return this.consumers[this.nextConsumer];
  }
}
