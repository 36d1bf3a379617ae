import type { HintSubscription, HintTaker, RunHint, RunNote, RunQueue } from '../../src/runs/run.queue.js';

/** Takes hints of a queue and remembers them. */
export class HintTakerStub implements HintTaker {
  readonly taken: RunHint[] = [];
  readonly heard: RunNote[] = [];
  /** How often it was told that hints may have been lost. */
  missedCount = 0;
  onTake: (hint: RunHint) => void = () => undefined;
  private readonly subscription: HintSubscription;

  constructor(
    queue: RunQueue,
    private isReady = true,
  ) {
    this.subscription = queue.consume(this);
  }

  open(): void {
    this.isReady = true;
    this.subscription.resume();
  }

  close(): void {
    this.isReady = false;
  }

  stop(): void {
    this.subscription.stop();
  }

  isOpen(): boolean {
    return this.isReady;
  }

  take(hint: RunHint): void {
    this.taken.push(hint);
    this.onTake(hint);
  }

  missed(): void {
    this.missedCount += 1;
  }

  hear(note: RunNote): void {
    this.heard.push(note);
  }
}
