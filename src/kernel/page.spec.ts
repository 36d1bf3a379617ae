import fc from 'fast-check';

import { decodeCursor, encodeCursor, pageOf } from './page.js';

const characters = fc.constantFrom(
  'a',
  'Z',
  '9',
  '-',
  '_',
  '=',
  '+',
  '/',
  '\n',
  '\u0000',
  'ä',
  '\ufeff',
  '😀',
);

describe('a cursor', () => {
  it.each(['run_0199', '', 'ä€😀', '\ufeffbom', '\u0000', 'a/b+c=', '￿'])('brings %j back', (key) => {
    const cursor = encodeCursor(key);

    expect(cursor).toMatch(/^[A-Za-z0-9_-]*$/);
    if (key !== '') expect(decodeCursor(cursor)).toBe(key);
  });

  it('brings any well-formed key back', () => {
    fc.assert(
      fc.property(fc.string({ unit: characters, minLength: 1, maxLength: 80 }), (key) => {
        expect(decodeCursor(encodeCursor(key))).toBe(key);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['characters of another alphabet', 'abc='],
    ['a space', 'YWJj '],
    ['a line feed', 'YWJj\n'],
    ['a length that no bytes have', 'YWJjA'],
    ['bytes that are no text', '_____w'],
    ['more than 512 characters', 'A'.repeat(513)],
    ['text beyond ASCII', 'ä'],
  ])('that is none of ours gives nothing: %s', (_, text) => {
    expect(decodeCursor(text)).toBeUndefined();
  });

  it('is never an error, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: characters }), (text) => {
        expect(() => decodeCursor(text)).not.toThrow();
      }),
    );
  });
});

describe('a page', () => {
  const keyOf = (item: string): string => item;

  it.each<readonly [string, readonly string[], number, readonly string[], string | undefined]>([
    ['nothing', [], 2, [], undefined],
    ['fewer than asked', ['a'], 2, ['a'], undefined],
    ['as many as asked', ['a', 'b'], 2, ['a', 'b'], undefined],
    ['one more than asked', ['a', 'b', 'c'], 2, ['a', 'b'], 'b'],
  ])('of %s', (...[, read, limit, items, lastKey]) => {
    const { items: kept, nextCursor } = pageOf(read, limit, keyOf);

    expect(kept).toEqual(items);
    expect(nextCursor === undefined ? undefined : decodeCursor(nextCursor)).toBe(lastKey);
  });

  it('has no cursor at all when it is the last', () => {
    expect(Object.keys(pageOf(['a'], 1, keyOf))).toEqual(['items']);
  });
});
