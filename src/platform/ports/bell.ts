/**
 * A bell: tells other parts of the service, in every process, that there is a reason to look.
 *
 * Decided here: that a ring says nothing that is not in the record. It may be lost or come twice; that costs time and
 * nothing else. Decided elsewhere: what is looked at, and how often without a ring.
 */

/** Called for a ring. `about` is what the ring was about; absent when rings may have been lost: look at everything. */
export type RingListener = (about?: string) => void;

/** Which rings arrive, as far as this process knows: all, because there is no other one; nearly all; none at present. */
export type BellReach = 'all' | 'most' | 'none';

export abstract class Bell {
  abstract readonly reach: BellReach;

  /** Calls the listeners of a name in every process, those of this one included. Never waits, never throws. */
  abstract ring(name: string, about: string): void;

  /** @returns ends the listening */
  abstract onRing(name: string, listener: RingListener): () => void;
}
