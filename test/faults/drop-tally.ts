/** How often clients were cut off, when they came back, and how long it took them to be level with the log. */
import type { SeededRandom } from '../simulation/seeded-random.js';

/** When a client that was cut off comes back, taken in turn. */
const RETURNS = ['at once', 'a little later', 'at once', 'after the end'] as const;
export type Return = (typeof RETURNS)[number];

/** How likely a client is cut off at an event, and before it is answered. */
const AT_EVENT = 0.06;
const UNANSWERED = 0.1;

export class DropTally {
  drops = 0;
  /** From coming back, by a connection that was let in, to the last event that the record then had, in milliseconds. */
  readonly levelMs: number[] = [];
  /** What was never to be heard. */
  readonly surprises: string[] = [];
  private readonly counts = new Map<string, number>();

  /** @param wanted how many drops there are to be; those that `drop` is told of beyond it count as well */
  constructor(
    private readonly wanted: number,
    private readonly random: SeededRandom,
  ) {}

  /** Whether a client is to be cut off at an event. */
  isDue(): boolean {
    return this.drops < this.wanted && this.random.chance(AT_EVENT);
  }

  /** Whether a client that comes back is to be cut off before it is answered. */
  isDueUnanswered(): boolean {
    return this.drops < this.wanted && this.random.chance(UNANSWERED);
  }

  /** A client was cut off; answers when it comes back. */
  drop(what: string): Return {
    const back = RETURNS[this.drops % RETURNS.length] ?? 'at once';
    this.drops += 1;
    this.count(`cut ${what}`);
    this.count(`back ${back}`);
    return back;
  }

  /** Something else has happened that is told of in the end. */
  count(what: string): void {
    this.counts.set(what, this.countOf(what) + 1);
  }

  countOf(what: string): number {
    return this.counts.get(what) ?? 0;
  }

  /** All counts, by what was counted. */
  table(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].toSorted(([a], [b]) => a.localeCompare(b)));
  }
}
