import type { RingListener } from '../ports/bell.js';

/** Who listens to which bell in this process. */
export class RingListeners {
  private readonly byName = new Map<string, Set<RingListener>>();

  /** @returns takes the listener away */
  add(name: string, listener: RingListener): () => void {
    // Wrapped, so that a function given twice is called twice and each stops on its own.
    const own: RingListener = (about) => {
      listener(about);
    };
    const known = this.byName.get(name) ?? new Set();
    this.byName.set(name, known.add(own));
    return () => {
      known.delete(own);
    };
  }

  call(name: string, about?: string): void {
    for (const listener of [...(this.byName.get(name) ?? [])]) listener(about);
  }

  /** Calls all of them: rings may have been lost. */
  callAll(): void {
    for (const name of this.byName.keys()) this.call(name);
  }
}
