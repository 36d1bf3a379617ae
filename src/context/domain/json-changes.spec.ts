import { changesBetween } from './json-changes.js';

describe('the changes between two values', () => {
  it('are told place by place', () => {
    const before = { input: { name: 'Ada', age: 36 }, list: [1, 2], same: { deep: true } };
    const after = { input: { name: 'Bob', 'a/b': 1 }, list: [1, 2, 3], same: { deep: true } };

    expect(changesBetween(before, after, 100)).toEqual([
      { pointer: '/input/name', before: 'Ada', after: 'Bob' },
      { pointer: '/input/age', before: 36 },
      { pointer: '/input/a~1b', after: 1 },
      { pointer: '/list', before: [1, 2], after: [1, 2, 3] },
    ]);
  });

  it('are none between equal values, whatever the order of keys', () => {
    expect(changesBetween({ a: 1, b: [{}] }, { b: [{}], a: 1 }, 100)).toEqual([]);
  });

  it('are bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${String(index)}`, index]));

    expect(changesBetween({}, many, 7)).toHaveLength(7);
  });
});
