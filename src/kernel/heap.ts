/** A binary heap: the least element first, O(log n) in its size. */
export class Heap<T> {
  private readonly items: T[] = [];

  /** @param isBefore a strict order; equal elements come out in any order */
  constructor(private readonly isBefore: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  /** All elements, in no particular order; equal heaps may differ in it. */
  values(): readonly T[] {
    return this.items;
  }

  /** The least element, left in place. */
  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    const items = this.items;
    let child = items.length;
    items.push(item);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.isBefore(item, items[parent] as T)) break;
      items[child] = items[parent] as T;
      child = parent;
    }
    items[child] = item;
  }

  /** Takes the least element out. */
  pop(): T | undefined {
    const least = this.items[0];
    const last = this.items.pop();
    if (this.items.length > 0) this.sink(last as T);
    return least;
  }

  private sink(item: T): void {
    const items = this.items;
    const size = items.length;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= size) break;
      if (child + 1 < size && this.isBefore(items[child + 1] as T, items[child] as T)) child += 1;
      if (!this.isBefore(items[child] as T, item)) break;
      items[parent] = items[child] as T;
      parent = child;
    }
    items[parent] = item;
  }
}
