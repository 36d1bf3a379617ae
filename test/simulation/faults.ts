/** Which calls go wrong, and how. */
import type { SeededRandom } from './seeded-random.js';

/** How a call goes wrong. */
export type Fault =
  /** It never comes there, and the caller is told so. */
  | 'refused'
  /** It is done, and the caller is told that it failed. */
  | 'answer-lost'
  /** It comes there late: a lease may run out meanwhile. */
  | 'late'
  /** It is done, and the answer comes late. */
  | 'late-answer'
  /** It is done twice, the second time a while later. */
  | 'doubled'
  /** The caller dies before it is done, or after. */
  | 'killed-before'
  | 'killed-after'
  /** The caller stands still for a while, then goes on as if nothing had happened. */
  | 'frozen';

const FAULTS: readonly Fault[] = [
  'refused',
  'answer-lost',
  'answer-lost',
  'late',
  'late',
  'late-answer',
  'doubled',
  'killed-before',
  'killed-after',
  'frozen',
];

/**
 * What comes late or twice of these would be more than any driver does: who takes a run or gives it up sends that
 * once, and a process that ends all leases before it has one is the only one that there is.
 */
const ONCE: ReadonlySet<string> = new Set(['claim', 'park', 'release']);
const ALONE = 'retire all';

/** Faults until an instant; none afterwards, so that everything can come to its end. */
export class Faults {
  count = 0;

  constructor(
    private readonly random: SeededRandom,
    private until: number,
    /** How likely it is that a call to the record goes wrong. */
    private readonly probability: number,
  ) {}

  /** From now on nothing goes wrong. */
  stop(): void {
    this.until = -Infinity;
  }

  /** The fault of the next call, if it has one. */
  next(operation: string, now: number): Fault | undefined {
    if (now >= this.until || !this.random.chance(this.probability)) return undefined;
    this.count += 1;
    const fault = this.random.pick(FAULTS);
    const isTooMuch =
      (fault === 'doubled' && (ONCE.has(operation) || operation === ALONE)) ||
      (fault === 'late' && operation === ALONE);
    return isTooMuch ? 'answer-lost' : fault;
  }

  /** How long a message is under way, in milliseconds. Most take no time. */
  latencyMs(): number {
    return this.random.chance(0.7) ? 0 : 1 + this.random.below(20);
  }

  /** How long a late message is under way: from a moment to longer than any lease. */
  lateMs(): number {
    return this.random.pick([100, 600, 3_000, 6_000, 9_000]);
  }
}
