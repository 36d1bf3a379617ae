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
  /**
   * Sends a hint. Never throws, never blocks an answer, never calls a consumer before it returns. Hints of a run that
   * wait together may become one.
   */
  abstract hint(hint: RunHint): void;

  /** Calls back for each hint, highest priority first of those waiting, one consumer per hint. Returns the way to stop. */
  abstract consume(onHint: (hint: RunHint) => void): () => void;
}
