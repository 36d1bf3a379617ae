import { BoundedMap } from '../../kernel/bounded-map.js';
import type { Clock } from '../../platform/clock/clock.js';
import { HotStore, type HotKey } from '../../platform/ports/hot.store.js';

interface Kept {
  readonly value: unknown;
  /** On the monotonic clock. */
  readonly until: number;
}

/** Keeps at most `maxEntries` values; beyond that the one that was not used for longest goes. */
export class InProcessHotStore extends HotStore {
  override readonly isShared = false;
  private readonly kept: BoundedMap<Kept>;
  /** How often something was invalidated: what was loaded before is not kept after. */
  private invalidations = 0;

  constructor(
    private readonly clock: Clock,
    maxEntries = 10_000,
  ) {
    super();
    this.kept = new BoundedMap({ entries: maxEntries, weight: Infinity });
  }

  override get<T>(key: HotKey): Promise<T | undefined> {
    return Promise.resolve(this.find(idOf(key)) as T | undefined);
  }

  override async fill<T>(
    key: HotKey,
    ttlMs: number,
    load: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const known = this.find(idOf(key));
    if (known !== undefined) return known as T;
    const before = this.invalidations;
    const value = await load();
    if (value !== undefined && before === this.invalidations) await this.set(key, value, ttlMs);
    return value;
  }

  override set(key: HotKey, value: unknown, ttlMs: number): Promise<void> {
    this.kept.set(idOf(key), { value, until: this.clock.monotonic() + ttlMs }, 1);
    return Promise.resolve();
  }

  override invalidate(key: HotKey): Promise<void> {
    this.invalidations += 1;
    this.kept.delete(idOf(key));
    return Promise.resolve();
  }

  private find(id: string): unknown {
    const kept = this.kept.get(id);
    if (kept === undefined || kept.until > this.clock.monotonic()) return kept?.value;
    this.kept.delete(id);
    return undefined;
  }
}

/** Namespace and area hold no line feed, so no two keys share an id. */
function idOf({ namespace, area, id }: HotKey): string {
  return `${namespace}\n${area}\n${id}`;
}
