import { RingListeners } from '../../platform/duties/ring-listeners.js';
import { Bell, type BellReach, type RingListener } from '../../platform/ports/bell.js';

/** Rings within one process. */
export class InProcessBell extends Bell {
  override readonly reach: BellReach = 'all';
  private readonly listeners = new RingListeners();

  override ring(name: string, about: string): void {
    this.listeners.call(name, about);
  }

  override onRing(name: string, listener: RingListener): () => void {
    return this.listeners.add(name, listener);
  }
}
