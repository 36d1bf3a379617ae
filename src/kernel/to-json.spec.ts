import fc from 'fast-check';

import type { Json } from './json.js';
import { MAX_JSON_DEPTH, toJson } from './to-json.js';

const circle: { self?: unknown } = {};
circle.self = { deep: [circle] };

class Point {
  constructor(
    readonly x: number,
    private readonly secret = 1,
  ) {}

  get double(): number {
    return 2 * this.x * this.secret;
  }
}

describe('plain JSON', () => {
  it.each<readonly [string, unknown]>([
    ['null', null],
    ['a text with half a character', '\ud800'],
    ['0', 0],
    ['the largest number', Number.MAX_VALUE],
    ['an empty list', []],
    ['an object without a prototype', Object.create(null)],
    ['keys of any name', JSON.parse('{"__proto__":{"a":1},"constructor":2,"toJSON":3,"":4}')],
    ['the deepest nesting', nested(MAX_JSON_DEPTH)],
  ])('is answered as it is, not copied: %s', (_, value) => {
    expect(toJson(value)).toStrictEqual({ ok: true, value });
    expect((toJson(value) as { readonly value: unknown }).value).toBe(value);
  });

  it('comes back from the log exactly as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const result = toJson(value);
        expect(result.ok).toBe(true);
        if (result.ok) expect(result.value).toStrictEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('what JSON changes', () => {
  it.each<readonly [string, unknown, Json]>([
    ['nothing at all', undefined, null],
    ['-0', -0, 0],
    ['NaN', Number.NaN, null],
    ['an infinity within', { a: [-Infinity] }, { a: [null] }],
    ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['a hole in a list', sparse(), [1, null, 3]],
    ['undefined in a list', [undefined], [null]],
    ['undefined in an object', { a: undefined }, {}],
    ['a function in an object', { a: () => 1, b: 2 }, { b: 2 }],
    ['an instance', new Point(3), { x: 3, secret: 1 }],
    ['a map', new Map([['a', 1]]), {}],
    ['an own toJSON', { toJSON: () => 'told' }, 'told'],
    ['a hidden toJSON', Object.defineProperty({}, 'toJSON', { value: () => 'told' }), 'told'],
    ['bytes', Uint8Array.from([1, 2]), { 0: 1, 1: 2 }],
    ['a boxed text', Object('text'), 'text'],
  ])('is answered as it comes back: %s', (_, value, json) => {
    const result = toJson(value);

    expect(result).toStrictEqual({ ok: true, value: json });
  });
});

describe('what has no JSON', () => {
  it.each<readonly [string, unknown, RegExp]>([
    ['a function', () => 1, /a function has no JSON/],
    ['a symbol', Symbol('s'), /a symbol has no JSON/],
    ['a big integer', 1n, /BigInt/i],
    ['a big integer within', { a: [1n] }, /BigInt/i],
    ['a circle', circle, /circular/i],
    ['a level too many', nested(MAX_JSON_DEPTH + 1), /deeper than 64/],
    ['a level too many behind toJSON', { toJSON: () => nested(65) }, /deeper than 64/],
    ['levels beyond any stack', nested(100_000), /./],
    [
      'something that throws when it is written',
      {
        toJSON: () => {
          throw new Error('not me');
        },
      },
      /not me/,
    ],
    [
      'something that throws a text',
      {
        toJSON: () => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- code of others throws anything
          throw 'not me';
        },
      },
      /can not be written/,
    ],
    ['something that is nothing when it is written', { toJSON: () => undefined }, /has no JSON/],
  ])('is refused with a sentence: %s', (_, value, sentence) => {
    const result = toJson(value);

    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.failure).toMatch(sentence);
  });
});

function nested(depth: number): Json {
  let value: Json = 0;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

function sparse(): readonly unknown[] {
  const list: unknown[] = [1];
  list[2] = 3;
  return list;
}
