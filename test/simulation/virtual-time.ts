/**
 * Time that moves only when something is due, shared by everything that a simulation holds.
 *
 * What is due at the same instant happens in the order in which it was asked for. Before the next thing happens, all
 * that follows from the last one has come to rest.
 */
import { Heap } from '../../src/kernel/heap.js';

/** The instant at which simulations begin, in milliseconds since the epoch. */
export const EPOCH_MS = 1_800_000_000_000;

/** A simulation in which more happens goes round in circles. */
const MAX_HAPPENINGS = 30_000;

interface Entry {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

export class VirtualTime {
  /** Now, in milliseconds since the epoch. */
  now = EPOCH_MS;
  private asked = 0;
  private happened = 0;
  private readonly entries = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  /** Calls back once the instant has come; never before this returns. Answers how to take it back. */
  at(instant: number, callback: () => void): () => void {
    const entry: Entry = { at: Math.max(instant, this.now), order: this.asked, callback };
    this.asked += 1;
    this.entries.push(entry);
    return () => {
      entry.callback = undefined;
    };
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.at(this.now + delayMs, callback);
  }

  /** Resolves after a delay. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }

  /**
   * Lets everything happen that is due, one after the other, until a condition holds.
   *
   * @returns false when the end of time has come before, nothing was left to happen, or far too much has happened
   */
  async runUntil(isDone: () => boolean, endMs: number): Promise<boolean> {
    await atRest();
    while (!isDone()) {
      const entry = this.entries.pop();
      if (entry === undefined || entry.at > endMs) return false;
      if (entry.callback === undefined) continue;
      this.happened += 1;
      if (this.happened > MAX_HAPPENINGS) return false;
      this.now = entry.at;
      entry.callback();
      await atRest();
    }
    return true;
  }
}

/** Promises that can go on have gone on. */
function atRest(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
