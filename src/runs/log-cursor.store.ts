/**
 * How far followers of the log have come, for those that keep nothing else: they see every event at least once.
 *
 * A follower that keeps what it made of the events moves its cursor in the same transaction, through a port of its own.
 */
export abstract class LogCursorStore {
  /** Where a follower stands; undefined before it first moved. */
  abstract find(follower: string): Promise<string | undefined>;

  /** Moves a follower on, or back. The last one to move wins. */
  abstract move(follower: string, cursor: string): Promise<void>;
}
