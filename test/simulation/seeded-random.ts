/** Numbers that look random and follow from a seed: the same seed, the same numbers, on every machine. */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    // Seeds that lie beside each other must not give numbers that do.
    this.state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
  }

  /** In [0, 1). The generator is mulberry32 (T. Ettinger, public domain). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to `below - 1`. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of some values, each as likely. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }
}
