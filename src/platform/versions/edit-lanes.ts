/**
 * Edits of one thing, one after the other within this process. What other processes do at the same time is decided
 * by the record.
 */
export class EditLanes {
  /** The last edit of each thing that is under way. */
  private readonly last = new Map<string, Promise<unknown>>();

  /** Does an edit when those before it have ended, however they ended. */
  async run<T>(key: string, edit: () => Promise<T>): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const mine = before.then(edit, edit);
    this.last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.last.get(key) === mine) this.last.delete(key);
    }
  }
}
