import type { HintSubscription, HintTaker, RunNote } from '../../src/runs/run.queue.js';
import { InProcessRunQueue } from '../../src/storage/memory/in-process-run.queue.js';

/** The queue of several engines in one process, which stand for processes: all hear all notes, in the next turn. */
export class SceneQueue extends InProcessRunQueue {
  private readonly listeners = new Set<HintTaker>();

  override note(note?: RunNote): void {
    if (note === undefined) return;
    setImmediate(() => {
      for (const listener of this.listeners) listener.hear(note);
    });
  }

  override consume(taker: HintTaker): HintSubscription {
    const subscription = super.consume(taker);
    this.listeners.add(taker);
    return {
      resume: () => {
        subscription.resume();
      },
      stop: () => {
        this.listeners.delete(taker);
        subscription.stop();
      },
    };
  }
}
