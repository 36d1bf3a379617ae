/**
 * Which owner carries out a duty: work that one process does for all.
 *
 * Decided here: who holds a duty, through the lease that its owner renews anyway. Decided elsewhere: when that is
 * looked at, and what a duty does (duties/duty-roster.ts).
 */
export abstract class DutyStore {
  /**
   * Gives an owner with a live lease every one of these duties that nobody holds: it is new, was given up, or its
   * holder's lease was retired. A holder whose lease has run out keeps it until the lease is retired, so nobody who
   * may still renew loses a duty. Of owners that ask at the same time one gets it. Safe to call again.
   *
   * @returns the duties of these that the owner holds now, in no order; none when its lease does not hold
   */
  abstract take(names: readonly string[], ownerId: string): Promise<readonly string[]>;

  /** Gives up every duty of an owner: the next one that asks gets it. Safe to call again. */
  abstract giveUp(ownerId: string): Promise<void>;
}
