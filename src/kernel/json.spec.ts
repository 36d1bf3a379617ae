import fc from 'fast-check';

import {
  canonicalJson,
  fromEntries,
  getOwn,
  isJsonObject,
  pointerOf,
  pointerToken,
  setOwn,
  type Json,
  type JsonObject,
} from './json.js';

const HOSTILE_KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', ''];

describe('own keys', () => {
  it.each(HOSTILE_KEYS)('named %j are missing in an object that has none', (key) => {
    expect(getOwn({}, key)).toBeUndefined();
  });

  it.each(HOSTILE_KEYS)('named %j are set and read like any other', (key) => {
    const object: JsonObject = {};
    setOwn(object, key, { polluted: true });

    expect(getOwn(object, key)).toEqual({ polluted: true });
    expect(Object.keys(object)).toEqual([key]);
    expect(JSON.stringify(object)).toBe(`{${JSON.stringify(key)}:{"polluted":true}}`);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('can be set twice, and keep the last value', () => {
    const object = {};
    setOwn(object, '__proto__', 1);
    setOwn(object, '__proto__', 2);

    expect(getOwn(object, '__proto__')).toBe(2);
  });

  it('come from entries in their order, the last of equal ones wins', () => {
    const object = fromEntries([
      ['b', 1],
      ['__proto__', 2],
      ['b', 3],
    ]);

    expect(JSON.stringify(object)).toBe('{"b":3,"__proto__":2}');
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });

  it('may hold undefined as little as an object may lack them', () => {
    expect(getOwn({ a: null }, 'a')).toBeNull();
  });
});

it.each<readonly [unknown, boolean]>([
  [{}, true],
  [Object.create(null), true],
  [[], false],
  [null, false],
  [undefined, false],
  ['text', false],
  [() => 1, false],
])('tells objects from everything else: %j', (value, isObject) => {
  expect(isJsonObject(value)).toBe(isObject);
});

describe('canonical JSON', () => {
  it.each<readonly [Json, string]>([
    [null, 'null'],
    ['ä"\n', '"ä\\"\\n"'],
    [1e21, '1e+21'],
    [[], '[]'],
    [{}, '{}'],
    [{ b: [{ d: 1, c: 2 }], a: null }, '{"a":null,"b":[{"c":2,"d":1}]}'],
    [JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}') as Json, '{"__proto__":{"a":2,"z":1},"b":1}'],
  ])('of %j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('is the same for equal values, and means the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (given) => {
        const value = JSON.parse(JSON.stringify(given)) as Json;
        expect(JSON.parse(canonicalJson(value))).toEqual(value);
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });
});

describe('pointers', () => {
  it.each<readonly [readonly (string | number)[], string]>([
    [[], ''],
    [['a', 0, 'b'], '/a/0/b'],
    [[''], '/'],
    [['a/b', 'm~n', '~1'], '/a~1b/m~0n/~01'],
    [['__proto__', 'ä b'], '/__proto__/ä b'],
  ])('of %j are %j', (path, pointer) => {
    expect(pointerOf(path)).toBe(pointer);
  });

  it('lead back to their path', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (path) => {
        const tokens = pointerOf(path).split('/').slice(1);
        expect(tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))).toEqual(path);
        expect(path.map(pointerToken)).toEqual(tokens);
      }),
    );
  });
});

/** The same value with the keys of every object in another order. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, reversed(member)] as const),
  );
}
