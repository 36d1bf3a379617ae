interface Kept<V> {
  readonly value: V;
  readonly weight: number;
}

/** A map that lets go of what was not used for longest when it has too many entries or they are too heavy together. */
export class BoundedMap<V> {
  /** From the least recently used. */
  private readonly kept = new Map<string, Kept<V>>();
  private total = 0;

  constructor(private readonly max: { readonly entries: number; readonly weight: number }) {}

  get size(): number {
    return this.kept.size;
  }

  /** What all entries weigh together. */
  get weight(): number {
    return this.total;
  }

  /** The value of a key, which counts as a use of it. */
  get(key: string): V | undefined {
    const kept = this.kept.get(key);
    if (kept === undefined) return undefined;
    this.kept.delete(key);
    this.kept.set(key, kept);
    return kept.value;
  }

  /** A value that is heavier than all may be together is not kept, and the older one of its key is not either. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.max.weight) return;
    this.kept.set(key, { value, weight });
    this.total += weight;
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.max.entries && this.total <= this.max.weight) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const kept = this.kept.get(key);
    if (kept === undefined) return;
    this.kept.delete(key);
    this.total -= kept.weight;
  }

  clear(): void {
    this.kept.clear();
    this.total = 0;
  }
}
