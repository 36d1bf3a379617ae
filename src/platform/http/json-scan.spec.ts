import fc from 'fast-check';

import { findJsonProblem } from './json-scan.js';

const bounds = { maxDepth: 64, maxKeys: 100_000 };

function problemOf(text: string | Buffer): ReturnType<typeof findJsonProblem> {
  return findJsonProblem(Buffer.from(text as string), bounds);
}

function canParse(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('findJsonProblem', () => {
  it.each([
    ['null'],
    [' {"a" : [1, -0.5e+3, "x\\u00e9\\ud83d\\ude00", true, false, null, {}, []] }\n'],
    ['"\u{1F600}"'],
    ['{"__proto__":1,"constructor":{"prototype":2}}'],
    ['1e308'],
  ])('accepts %s', (text) => {
    expect(problemOf(text)).toBeUndefined();
  });

  it.each([
    ['', 0, 'expected a value, and the text ends'],
    ['{', 1, 'expected a key in double quotes, and the text ends'],
    ['{"a" 1}', 5, 'expected a colon'],
    ['{"a":1,}', 7, 'expected a key in double quotes'],
    ['[1,]', 3, 'expected a value'],
    ['[1 2]', 3, 'expected a comma or ]'],
    ['{"a":1]', 6, 'expected a comma or }'],
    ['[1] x', 4, 'expected the end of the text'],
    ['01', 1, 'expected the end of the text'],
    ['1.', 2, 'expected a digit, and the text ends'],
    ['"abc', 4, 'the string does not end, and the text ends'],
    ['"a\nb"', 2, 'a control character in a string must be escaped'],
    ['"\\x"', 1, 'unknown escape in a string'],
    ['"\\u12g4"', 1, 'expected four hexadecimal digits after \\u'],
    ['"\\ud800"', 1, 'half of a surrogate pair'],
    ['"\\udc00"', 1, 'half of a surrogate pair'],
    ['[1e999]', 1, 'the number is beyond the range of a double'],
    ['nul', 0, 'expected a value'],
    ['\ufeff1', 0, 'expected a value'],
  ])('refuses %j at its place', (text, offset, message) => {
    expect(problemOf(text)).toEqual({ reason: 'syntax', offset, message });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(problemOf(Buffer.from([0x22, 0xff, 0x22]))).toMatchObject({ reason: 'syntax' });
  });

  it.each([
    ['arrays', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('bounds the depth of %s', (_, open, close) => {
    const nested = (levels: number): string => `${open.repeat(levels)}1${close.repeat(levels)}`;

    expect(problemOf(nested(64))).toBeUndefined();
    expect(problemOf(nested(65))).toMatchObject({ reason: 'too-deep' });
    expect(problemOf('['.repeat(2_000_000))).toMatchObject({ reason: 'too-deep' });
  });

  it('bounds the number of keys over all objects, and the number of containers', () => {
    const pairs = (count: number): string =>
      Array.from({ length: count }, (_, index) => `"k${index}":1`).join(',');

    expect(problemOf(`{${pairs(100_000)}}`)).toBeUndefined();
    expect(problemOf(`[{${pairs(60_000)}},{${pairs(40_001)}}]`)).toMatchObject({ reason: 'too-many-keys' });
    expect(problemOf(`[${'[],'.repeat(100_000)}1]`)).toMatchObject({ reason: 'too-many-keys' });
  });

  it('agrees with JSON.parse on any JSON value and on any damage to it', () => {
    const unpaired = /\\u[dD][89a-fA-F]/;
    const damaged = fc
      .tuple(
        fc.json({ maxDepth: 6 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '0', '\\', ' ', 'e', '-'),
      )
      .map(([text, at, insert]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place + (at % 2));
      });

    fc.assert(
      fc.property(fc.oneof(fc.json({ maxDepth: 6 }), damaged), (text) => {
        fc.pre(text.isWellFormed() && !unpaired.test(text) && !/[eE]\+?\d{3}/.test(text));
        expect(problemOf(text) === undefined).toBe(canParse(text));
      }),
      { numRuns: 3000 },
    );
  });
});
