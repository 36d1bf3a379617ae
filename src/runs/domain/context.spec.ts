import type { Json, JsonObject } from '../../kernel/json.js';
import type { Reducer } from '../../workflows/domain/context-writes.js';
import { written } from './context.js';

/** What the context holds at `a` after a write there, or the code that refuses it. */
function afterWrite(reducer: Reducer, present: Json | undefined, value: Json): unknown {
  const context: JsonObject = present === undefined ? {} : { a: present };
  const result = written(context, { path: 'a', value, reducer });
  return result.ok ? result.value['a'] : result.failure.code;
}

const INVALID = 'context.write-invalid';

describe('a write to the context', () => {
  it.each<readonly [Reducer, Json | undefined, Json, Json]>([
    ['replace', undefined, 1, 1],
    ['replace', { b: 1 }, [], []],
    ['replace', 1, null, null],
    ['merge', undefined, { b: 1 }, { b: 1 }],
    ['merge', null, { b: 1 }, { b: 1 }],
    ['merge', { b: 1, c: { d: 1 } }, { c: { e: 2 } }, { b: 1, c: { e: 2 } }],
    ['merge', { b: 1 }, [1], INVALID],
    ['merge', [1], { b: 1 }, INVALID],
    ['append', undefined, 1, [1]],
    ['append', [1], [2], [1, [2]]],
    ['append', [1], null, [1, null]],
    ['append', 'text', 1, INVALID],
    ['sum', undefined, 2, 2],
    ['sum', 3, -2, 1],
    ['sum', 3, '2', INVALID],
    ['sum', '3', 2, INVALID],
    ['sum', Number.MAX_VALUE, Number.MAX_VALUE, INVALID],
    ['max', undefined, -2, -2],
    ['max', 3, 2, 3],
    ['max', 3, 4, 4],
    ['max', 3, [], INVALID],
    ['max', 'x', 3, INVALID],
    ['union', undefined, [1, 1, 2], [1, 2]],
    ['union', [1, { b: 1, c: 2 }], [{ c: 2, b: 1 }, 3], [1, { b: 1, c: 2 }, 3]],
    ['union', [1], 1, INVALID],
    ['union', {}, [1], INVALID],
  ])('by %s onto %j: %j gives %j', (reducer, present, value, expected) => {
    expect(afterWrite(reducer, present, value)).toEqual(expected);
  });

  it('makes the objects on its way and leaves everything beside it', () => {
    const context = { a: { b: 1 }, z: 1 };
    const result = written(context, { path: 'a.c.d', value: 2, reducer: 'replace' });

    expect(result).toEqual({ ok: true, value: { a: { b: 1, c: { d: 2 } }, z: 1 } });
    expect(context).toEqual({ a: { b: 1 }, z: 1 });
  });

  it('goes through no value that is not an object', () => {
    const result = written({ a: [1] }, { path: 'a.b', value: 2, reducer: 'replace' });

    expect(result).toMatchObject({ ok: false, failure: { code: INVALID, details: { path: 'a.b' } } });
  });

  it.each(['__proto__.x', 'constructor.prototype', 'toString'])('takes "%s" for ordinary keys', (path) => {
    const result = written({}, { path, value: 1, reducer: 'replace' });
    const text = JSON.stringify(result.ok ? result.value : undefined);

    expect(text).toBe(path.split('.').reduceRight((inner, key) => `{${JSON.stringify(key)}:${inner}}`, '1'));
    expect(({} as { readonly x?: unknown }).x).toBeUndefined();
  });
});
