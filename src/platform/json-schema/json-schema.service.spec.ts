import type { Json, JsonObject } from '../../kernel/json.js';
import { JsonSchemaService } from './json-schema.service.js';

let schemas: JsonSchemaService;

beforeEach(() => {
  schemas = new JsonSchemaService();
});

const upTo = (length: number, text: string): Json => Array.from({ length }, () => text);
const parsed = (text: string): Json => JSON.parse(text) as Json;

describe('a schema', () => {
  it.each<readonly [string, Json]>([
    ['true', true],
    ['false', false],
    ['the empty one', {}],
    ['one with an id', { $id: 'urn:example:person', type: 'object' }],
    ['the dialect by name', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'string' }],
    ['references within itself', { $defs: { a: { type: 'string' } }, items: { $ref: '#/$defs/a' } }],
    ['references to itself further within', { properties: { next: { $ref: '#' } } }],
    ['formats', { type: 'string', format: 'date-time' }],
    ['a format that nobody knows', { format: 'made-up' }],
    ['keywords that nobody knows', { 'x-hint': { pattern: 'text' } }],
    ['an enumeration of anything', { enum: [null, { $ref: 'text' }, [1]] }],
    ['a property of any name', parsed('{"properties":{"__proto__":{},"constructor":{},"pattern":{}}}')],
  ])('is good: %s', (_, schema) => {
    expect(schemas.problems(schema)).toEqual([]);
  });

  it.each<readonly [string, Json, RegExp]>([
    ['a text', 'string', /an object or a boolean/],
    ['a list', [], /an object or a boolean/],
    ['null', null, /an object or a boolean/],
    ['a type that does not exist', { type: 'text' }, /schema is invalid/],
    ['a bound that is none', { minimum: 'one' }, /schema is invalid/],
    ['a pattern that is none', { pattern: '[' }, /Invalid regular expression/],
    ['a reference to nowhere', { $ref: '#/$defs/none' }, /can't resolve reference/],
    ['a remote reference', { $ref: 'http://127.0.0.1:1/schema' }, /can't resolve reference/],
    ['a remote dynamic reference', { items: { $ref: 'https://example.com/a.json#/b' } }, /can't resolve/],
    ['a file', { $ref: 'file:///etc/passwd' }, /can't resolve reference/],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, /no schema with key or ref/],
    ['more than 65,536 characters', { description: 'x'.repeat(65_536) }, /longer than 65536 characters/],
    ['what would be checked later', { $async: true, type: 'string' }, /\$async/],
    ['the same further within', { properties: { a: { $async: true } } }, /\$async/],
    [
      'references in a circle',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      /refers to itself without end/,
    ],
  ])('is refused: %s', (_, schema, problem) => {
    expect(schemas.problems(schema)).toEqual([expect.stringMatching(problem)]);
    expect(schemas.validate(schema, 1)).toEqual([
      { pointer: '', code: 'schema.invalid', message: expect.stringMatching(problem) },
    ]);
  });

  const COSTLY = '^(a+)+$';

  it.each<readonly [string, Json]>([
    ['itself', { pattern: COSTLY }],
    ['a property', { properties: { a: { pattern: COSTLY } } }],
    ['an alternative', { anyOf: [{}, { items: { pattern: COSTLY } }] }],
    ['a pattern of names', { patternProperties: { [COSTLY]: {} } }],
    ['names', { propertyNames: { pattern: COSTLY } }],
    ['a definition', { $defs: { a: { pattern: COSTLY } } }],
    ['a place that only a reference reaches', { anywhere: [{ pattern: COSTLY }], $ref: '#/anywhere/0' }],
    ['a property named pattern', { properties: { pattern: { pattern: COSTLY } } }],
  ])('is refused for a costly pattern of %s', (_, schema) => {
    expect(schemas.problems(schema)).toEqual([`the pattern "${COSTLY}" can take too long`]);
  });
});

describe('a value', () => {
  it.each<readonly [string, Json, Json, readonly (readonly [string, string])[]]>([
    ['that is good', { type: 'string' }, 'text', []],
    ['of another type', { type: 'string' }, 1, [['', 'schema.type']]],
    ['that nothing allows', false, 1, [['', 'schema.false-schema']]],
    [
      'with several problems',
      {
        required: ['c'],
        properties: { a: { type: 'string' }, b: { minimum: 3 } },
        additionalProperties: false,
      },
      { a: 1, b: 2, d: 3 },
      [
        ['', 'schema.required'],
        ['', 'schema.additional-properties'],
        ['/a', 'schema.type'],
        ['/b', 'schema.minimum'],
      ],
    ],
    ['deep within', { items: { items: { const: 0 } } }, [[0], [0, 1]], [['/1/1', 'schema.const']]],
    [
      'under keys that pointers escape',
      { additionalProperties: { type: 'string' } },
      { 'a/b': 1, 'm~n': 2 },
      [
        ['/a~1b', 'schema.type'],
        ['/m~0n', 'schema.type'],
      ],
    ],
    ['of a wrong format', { format: 'email' }, 'nobody', [['', 'schema.format']]],
    ['that lacks what objects inherit', { required: ['constructor'] }, {}, [['', 'schema.required']]],
    ['that lacks a prototype of its own', { required: ['__proto__'] }, {}, [['', 'schema.required']]],
    ['that has a key named constructor', { required: ['constructor'] }, { constructor: 1 as never }, []],
    ['that has a key named __proto__', { required: ['__proto__'] }, parsed('{"__proto__":1}'), []],
    [
      'with keys that are not allowed, whatever their names',
      { additionalProperties: false },
      parsed('{"__proto__":1,"toString":2}'),
      [
        ['', 'schema.additional-properties'],
        ['', 'schema.additional-properties'],
      ],
    ],
  ])('%s', (_, schema, value, issues) => {
    expect(schemas.validate(schema, value).map(({ pointer, code }) => [pointer, code])).toEqual(issues);
  });

  const LONG = 'a'.repeat(1_000_000);

  it.each<readonly [string, Json, Json]>([
    ['a pattern that may begin anywhere', { pattern: 'a+x' }, LONG],
    ['two repetitions', { pattern: '^a*a*x' }, LONG],
    ['three repetitions', { pattern: '^a*a*a*x' }, LONG.slice(0, 1_000)],
    ['an alternative', { pattern: '^b|a+x' }, LONG],
    ['a pattern of names', { patternProperties: { 'a+x': false } }, { [LONG]: 1 }],
    ['many texts', { items: { pattern: 'a+' } }, Array.from({ length: 100 }, () => LONG.slice(0, 5_000))],
    ['a url', { format: 'url' }, `http://${':'.repeat(1_000_000)}`],
  ])('that would take long to match is not matched: %s', (_, schema, value) => {
    expect(schemas.problems(schema)).toEqual([]);
    expect(schemas.validate(schema, value)).toEqual([
      { pointer: '', code: 'schema.invalid', message: 'checking a value with this schema takes too long' },
    ]);
  });

  it.each<readonly [string, Json, Json]>([
    ['a long text', { pattern: '^a+$' }, LONG],
    ['a text of some pages', { pattern: 'b|a' }, LONG],
    ['many short texts', { items: { pattern: '^[^@]+@[^@]+\\.[^@]+$' } }, upTo(5_000, 'ada@example.com')],
    ['many addresses', { items: { format: 'url' } }, upTo(5_000, 'https://example.com/a/b')],
  ])('that takes no time to match is matched: %s', (_, schema, value) => {
    for (let time = 0; time < 3; time += 1) expect(schemas.validate(schema, value)).toEqual([]);
  });

  it('is never changed', () => {
    const value = { a: '1' };
    schemas.validate({ properties: { a: { type: 'number' }, b: { default: 5 } } }, value);

    expect(value).toEqual({ a: '1' });
  });

  it('is told at most 100 problems', () => {
    const value = Array.from({ length: 500 }, () => 'text');

    expect(schemas.validate({ items: { type: 'number' } }, value)).toHaveLength(100);
  });

  it('that is large is told the first problem only', () => {
    const value = Array.from({ length: 100_000 }, (_, index) => (index < 99_000 ? 1 : 'text'));

    expect(
      schemas.validate({ items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'number' } } }, value),
    ).toEqual([{ pointer: '/99000', code: 'schema.type', message: 'must be number' }]);
  });
});

describe('a check that would not end', () => {
  const TOO_LONG = {
    pointer: '',
    code: 'schema.invalid',
    message: 'checking a value with this schema takes too long',
  };

  it.each<readonly [string, JsonObject]>([
    ['a reference to itself', { $ref: '#' }],
    ['a dynamic reference to itself', { $dynamicAnchor: 'a', $dynamicRef: '#a' }],
    ['alternatives that double at each step', doubling(40)],
    ['the same, all of them asked', doubling(40, 'allOf')],
  ])('is given up: %s', (_, schema) => {
    expect(schemas.validate(schema, 1)).toEqual([TOO_LONG]);
  });

  it('is given up when it doubles at each level of the value', () => {
    const branch = { properties: { next: { $ref: '#' } } };
    const schema = { anyOf: [branch, branch], not: { const: 0 }, maxProperties: 1, required: ['next'] };
    let value: JsonObject = {};
    for (let depth = 0; depth < 60; depth += 1) value = { next: value };

    expect(schemas.validate(schema, value)).toEqual([TOO_LONG]);
  });

  it('does not spend what the next check may take', () => {
    const schema = { items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'number' } } };
    const value = Array.from({ length: 300_000 }, () => 1);

    for (let n = 0; n < 5; n += 1) expect(schemas.validate(schema, value)).toEqual([]);
  });
});

describe('compiled schemas', () => {
  it('are kept by content: the order of keys makes no difference', () => {
    const [one, other] = [
      { type: 'object', required: ['a'] },
      { required: ['a'], type: 'object' },
    ];

    expect(schemas.validate(one, {})).toEqual(schemas.validate(other, {}));
    expect(schemas.validate(parsed('{"required":["__proto__"]}'), {})).toHaveLength(1);
    expect(schemas.validate(parsed('{"required":[]}'), {})).toEqual([]);
  });

  it('with the same id are no conflict', () => {
    expect(schemas.problems({ $id: 'urn:example:a', type: 'string' })).toEqual([]);
    expect(schemas.validate({ $id: 'urn:example:a', type: 'number' }, 1)).toEqual([]);
  });

  it('go on working after many others have come', () => {
    const first = { const: -1 };
    schemas.validate(first, -1);
    for (let n = 0; n < 520; n += 1) schemas.problems({ const: n, type: n < 510 ? 'nothing' : 'number' });

    expect(schemas.validate({ const: -1 }, -1)).toEqual([]);
  });
});

/** A schema of a few lines whose check takes 2^depth steps. */
function doubling(depth: number, keyword = 'anyOf'): JsonObject {
  const steps = Array.from({ length: depth }, (_, n): [string, Json] => {
    const next = { $ref: `#/$defs/a${String(n + 1)}` };
    return [`a${String(n)}`, { [keyword]: [next, next] }];
  });
  const last: [string, Json] = [`a${String(depth)}`, keyword === 'anyOf' ? { const: 'never' } : {}];
  return { $defs: Object.fromEntries([...steps, last]), $ref: '#/$defs/a0' };
}
