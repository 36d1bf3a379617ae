/** Work that one process does for all: a loop, or a follower of the log. */
export interface Duty {
  /** Unique: `schedules`. It is kept in the record, so it does not change. */
  readonly name: string;

  /** Begins, after a stop anew. Resolves when it has begun; what it rejects with is logged, and it is begun again soon. */
  start(): void | Promise<void>;

  /**
   * Ends; resolves when nothing of it goes on here.
   *
   * @param deadline aborted when what is under way has to be broken off: at once when the duty may have another holder
   */
  stop(deadline: AbortSignal): void | Promise<void>;

  /**
   * Looks for work: it was made in another process. Called while it is held only.
   *
   * @param about what was changed; undefined: anything may have been
   */
  wake?(about?: string): void;
}
