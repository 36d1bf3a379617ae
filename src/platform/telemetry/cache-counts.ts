import { Injectable } from '@nestjs/common';

/** How often something was found in a cache, and how often not, since this process began. */
export interface CacheCount {
  hits: number;
  misses: number;
}

/** Counts of every cache by its name: whoever has a cache counts, whoever shows figures reads. */
@Injectable()
export class CacheCounts {
  private readonly counts = new Map<string, CacheCount>();

  /** The counts of a cache, to be raised. */
  of(cache: string): CacheCount {
    let count = this.counts.get(cache);
    if (count === undefined) this.counts.set(cache, (count = { hits: 0, misses: 0 }));
    return count;
  }

  list(): readonly (readonly [cache: string, count: Readonly<CacheCount>])[] {
    return [...this.counts];
  }
}
