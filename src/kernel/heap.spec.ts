import fc from 'fast-check';

import { Heap } from './heap.js';

const ascending = (a: number, b: number): boolean => a < b;

function drained<T>(heap: Heap<T>): readonly T[] {
  const items: T[] = [];
  while (heap.size > 0) items.push(heap.pop() as T);
  return items;
}

describe('a heap', () => {
  it('gives nothing when it is empty', () => {
    const heap = new Heap<number>(ascending);

    expect([heap.size, heap.peek(), heap.pop(), heap.size]).toEqual([0, undefined, undefined, 0]);
  });

  it('shows the least without taking it out', () => {
    const heap = new Heap<number>(ascending);
    for (const item of [3, 1, 2]) heap.push(item);

    expect([heap.peek(), heap.peek(), heap.size]).toEqual([1, 1, 3]);
  });

  it('can be used again after it was emptied', () => {
    const heap = new Heap<number>(ascending);
    heap.push(1);
    heap.pop();
    heap.push(2);

    expect(drained(heap)).toEqual([2]);
  });

  it('orders by what it was given', () => {
    const heap = new Heap<{ readonly at: number; readonly index: number }>(
      (a, b) => a.at < b.at || (a.at === b.at && a.index > b.index),
    );
    for (const [at, index] of [
      [2, 1],
      [1, 1],
      [1, 2],
    ] as const)
      heap.push({ at, index });

    expect(drained(heap)).toEqual([
      { at: 1, index: 2 },
      { at: 1, index: 1 },
      { at: 2, index: 1 },
    ]);
  });

  it('sorts anything that is pushed and popped in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }))), (moves) => {
        const heap = new Heap<number>(ascending);
        const kept: number[] = [];
        for (const move of moves) {
          if (move === null) {
            expect(heap.pop()).toBe(kept.shift());
          } else {
            heap.push(move);
            kept.push(move);
            kept.sort((a, b) => a - b);
          }
          expect([heap.size, heap.peek()]).toEqual([kept.length, kept[0]]);
        }
        expect(drained(heap)).toEqual(kept);
      }),
    );
  });

  it('costs in the logarithm of its size', () => {
    let compared = 0;
    const heap = new Heap<number>((a, b) => {
      compared += 1;
      return a < b;
    });
    const size = 4_096;
    for (let n = size; n > 0; n -= 1) heap.push(n);
    compared = 0;

    heap.pop();
    heap.push(0);

    expect(compared).toBeLessThanOrEqual(3 * Math.log2(size));
  });
});
