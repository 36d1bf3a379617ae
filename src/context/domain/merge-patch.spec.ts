import type { Json, JsonObject } from '../../kernel/json.js';
import { mergePatch } from './merge-patch.js';

const parsed = (text: string): JsonObject => JSON.parse(text) as JsonObject;

describe('a merge patch', () => {
  // RFC 7396, appendix A, the cases between objects
  it.each<[string, Json, Json, Json]>([
    ['replaces', { a: 'b' }, { a: 'c' }, { a: 'c' }],
    ['adds', { a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    ['removes', { a: 'b' }, { a: null }, {}],
    ['removes one of two', { a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    ['replaces a list', { a: ['b'] }, { a: 'c' }, { a: 'c' }],
    ['replaces by a list', { a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    ['goes into objects', { a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    ['does not go into lists', { a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    ['keeps null of the target', { e: null }, { a: 1 }, { e: null, a: 1 }],
    ['leaves out nulls of new objects', {}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%s', (_, target, patch, expected) => {
    expect(mergePatch(target as JsonObject, patch as JsonObject)).toEqual(expected);
  });

  it('takes every key as it is, and changes nothing in place', () => {
    const target = parsed('{"__proto__":{"a":1},"constructor":2}');
    const before = JSON.stringify(target);
    const merged = mergePatch(target, parsed('{"__proto__":{"b":3},"constructor":null}'));

    expect(JSON.stringify(merged)).toBe('{"__proto__":{"a":1,"b":3}}');
    expect(JSON.stringify(target)).toBe(before);
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});
