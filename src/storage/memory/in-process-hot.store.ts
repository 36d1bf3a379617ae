import type { Clock } from '../../platform/clock/clock.js';
import { HotStore, type HotKey } from '../../platform/ports/hot.store.js';

interface Kept {
  readonly value: unknown;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Keeps at most `maxEntries` values; beyond that the one that was not used for longest goes. */
export class InProcessHotStore extends HotStore {
  /** From the least recently used. */
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly clock: Clock,
    private readonly maxEntries = 10_000,
  ) {
    super();
  }

  override get<T>(key: HotKey): Promise<T | undefined> {
    const id = idOf(key);
    const kept = this.kept.get(id);
    if (kept === undefined) return Promise.resolve(undefined);
    this.kept.delete(id);
    if (kept.until <= this.clock.monotonic()) return Promise.resolve(undefined);
    this.kept.set(id, kept);
    return Promise.resolve(kept.value as T);
  }

  override set(key: HotKey, value: unknown, ttlMs: number): Promise<void> {
    const id = idOf(key);
    this.kept.delete(id);
    this.kept.set(id, { value, until: this.clock.monotonic() + ttlMs });
    if (this.kept.size > this.maxEntries) this.evictOldest();
    return Promise.resolve();
  }

  override invalidate(key: HotKey): Promise<void> {
    this.kept.delete(idOf(key));
    return Promise.resolve();
  }

  private evictOldest(): void {
    for (const id of this.kept.keys()) {
      this.kept.delete(id);
      return;
    }
  }
}

/** Namespace and area hold no line feed, so no two keys share an id. */
function idOf({ namespace, area, id }: HotKey): string {
  return `${namespace}\n${area}\n${id}`;
}
