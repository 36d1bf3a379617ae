import { BoundedMap } from './bounded-map.js';

describe('BoundedMap', () => {
  const aMap = (entries: number, weight: number): BoundedMap<string> => new BoundedMap({ entries, weight });
  const keysOf = (map: BoundedMap<string>, keys: string): string =>
    Array.from(keys)
      .filter((key) => map.get(key) !== undefined)
      .join('');

  it('lets go of the entry that was not used for longest when there are too many', () => {
    const map = aMap(3, 100);
    for (const key of 'abc') map.set(key, key, 1);
    map.get('a');
    map.set('b', 'b again', 1);

    map.set('d', 'd', 1);

    expect(keysOf(map, 'abcd')).toBe('abd');
    expect(map.get('b')).toBe('b again');
  });

  it('lets go of as many as are too heavy', () => {
    const map = aMap(10, 10);
    for (const key of 'abcd') map.set(key, key, 2);

    map.set('e', 'e', 6);

    expect(keysOf(map, 'abcde')).toBe('cde');
    expect(map.weight).toBe(10);
  });

  it('keeps nothing that is heavier than all may be, and not what it replaces', () => {
    const map = aMap(10, 10);
    map.set('a', 'light', 1);
    map.set('b', 'b', 1);

    map.set('a', 'heavy', 11);

    expect(keysOf(map, 'ab')).toBe('b');
    expect(map.weight).toBe(1);
  });

  it('counts the weight of what is replaced, deleted and cleared no more', () => {
    const map = aMap(10, 10);
    map.set('a', 'a', 4);
    map.set('a', 'a', 3);
    map.set('b', 'b', 2);
    map.delete('b');
    map.delete('b');
    expect(map.weight).toBe(3);

    map.clear();

    expect([map.size, map.weight]).toEqual([0, 0]);
  });
});
