import { LogCursorStore } from '../../runs/log-cursor.store.js';

export class MemoryLogCursorStore extends LogCursorStore {
  private readonly cursors = new Map<string, string>();

  override find(follower: string): Promise<string | undefined> {
    return Promise.resolve(this.cursors.get(follower));
  }

  override move(follower: string, cursor: string): Promise<void> {
    this.cursors.set(follower, cursor);
    return Promise.resolve();
  }
}
