/** The right to append to a run. How it is won and lost: run.lease.ts. */

/** (owner, epoch) of one run: the right to append to it. */
export interface Claim {
  readonly runId: string;
  readonly ownerId: string;
  /** Grows by one with each claim; an append with another epoch is refused. */
  readonly epoch: number;
}
