/**
 * Hints that some worker should look at a run. Never truth: a hint may be lost, doubled or late, and the sweeper
 * finds the run in SQL all the same.
 */
export interface RunHint {
  readonly runId: string;
  /** 0 to 100, higher first. */
  readonly priority: number;
}

export abstract class RunQueue {
  /** Sends a hint. Never throws, never blocks an answer. */
  abstract hint(hint: RunHint): void;

  /** Calls back for each hint, highest priority first, in no more than one process. Returns the way to stop. */
  abstract consume(onHint: (hint: RunHint) => void): () => void;
}
