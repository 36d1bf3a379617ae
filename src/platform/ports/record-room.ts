/**
 * Room on the disk of the record. A record without room is read as ever, and nothing can be accepted.
 *
 * Decided here: what counts as full. Decided elsewhere: what follows from it (health/).
 */
export abstract class RecordRoom {
  /**
   * True once a write has found no room, until writes find some again, which is tried out for as long as somebody asks.
   * Never rejects.
   */
  abstract isFull(): Promise<boolean>;
}
