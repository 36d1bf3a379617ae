import { RunQueue, type HintSubscription, type HintTaker, type RunHint } from '../../runs/run.queue.js';

/** Beyond this many waiting runs a hint is dropped: the sweeper finds the run all the same. */
const MAX_WAITING = 10_000;

/** Hints of one turn of the event loop go out together in the next one, so that priority can order them. */
export class InProcessRunQueue extends RunQueue {
  private readonly waiting = new Map<string, RunHint>();
  /** By subscription, so that a taker given twice is two and each stops on its own. */
  private readonly takers: { readonly taker: HintTaker }[] = [];
  private nextTaker = 0;
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

  override note(): void {
    // There is no other process.
  }

  override consume(taker: HintTaker): HintSubscription {
    const subscribed = { taker };
    this.takers.push(subscribed);
    this.scheduleFlush();
    return {
      resume: () => {
        this.scheduleFlush();
      },
      stop: () => {
        const index = this.takers.indexOf(subscribed);
        if (index >= 0) this.takers.splice(index, 1);
      },
    };
  }

  private scheduleFlush(): void {
    if (this.isScheduled || this.waiting.size === 0) return;
    if (!this.takers.some(({ taker }) => taker.isOpen())) return;
    this.isScheduled = true;
    this.schedule(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  /** A taker may hint, stop, close or throw meanwhile: new hints wait for the next turn, hints that nobody took stay. */
  private flush(): void {
    const batch = [...this.waiting.values()].sort((a, b) => b.priority - a.priority);
    try {
      for (const hint of batch) this.deliver(hint);
    } finally {
      this.scheduleFlush();
    }
  }

  private deliver(hint: RunHint): void {
    const taker = this.takeTurn();
    if (taker === undefined) return;
    this.waiting.delete(hint.runId);
    void taker.take(hint);
  }

  /** The next one, in turn, that is open. */
  private takeTurn(): HintTaker | undefined {
    const inTurn = [...this.takers.slice(this.nextTaker), ...this.takers.slice(0, this.nextTaker)];
    const next = inTurn.find(({ taker }) => taker.isOpen());
    if (next === undefined) return undefined;
    this.nextTaker = (this.takers.indexOf(next) + 1) % this.takers.length;
    return next.taker;
  }
}
