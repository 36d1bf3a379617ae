import type { Json } from '../../kernel/json.js';
import { AppError } from '../../kernel/failure.js';
import { readYaml, writeYaml } from './yaml-text.js';

const bounds = { maxDepth: 8, maxKeys: 1_000 };

function read(text: string): unknown {
  return JSON.parse(readYaml({ text, bounds }));
}

function refusalOf(text: string): readonly [place: string, message: string] {
  try {
    return ['read', readYaml({ text, bounds })];
  } catch (error) {
    if (!AppError.is(error)) throw error;
    const { line = 0, column = 0 } = (error.failure.details ?? {}) as { line?: number; column?: number };
    return [`${line}:${column}`, error.failure.message];
  }
}

describe('readYaml', () => {
  it.each<[what: string, text: string, value: string]>([
    ['nothing', '', 'null'],
    ['objects and lists', 'a:\n  - 1\n  - b: two\n', '{"a":[1,{"b":"two"}]}'],
    ['JSON', '{"a": [1, "x", null, true]}', '{"a":[1,"x",null,true]}'],
    [
      'core types only',
      'a: yes\nb: 2020-01-01\nc: 0o17\nd: ~\ne: 1e3',
      '{"a":"yes","b":"2020-01-01","c":15,"d":null,"e":1000}',
    ],
    ['block texts', 'a: |\n  x\n  y\nb: >\n  x\n  y\n', '{"a":"x\\ny\\n","b":"x y\\n"}'],
    ['braces in quotes', `a: "{{ input.x }}"`, '{"a":"{{ input.x }}"}'],
    ['keys that are numbers as texts', '1: a\ntrue: b', '{"1":"a","true":"b"}'],
    ['anchors and aliases', 'a: &x {k: 1}\nb: *x\nc: *x', '{"a":{"k":1},"b":{"k":1},"c":{"k":1}}'],
    ['a merge key as a plain key', 'a: {<<: {x: 1}}', '{"a":{"<<":{"x":1}}}'],
    ['names of prototypes', '__proto__: {a: 1}\nconstructor: 2', '{"__proto__":{"a":1},"constructor":2}'],
    ['standard tags', 'a: !!str 5', '{"a":"5"}'],
  ])('reads %s', (_what, text, value) => {
    expect(JSON.stringify(read(text))).toBe(value);
  });

  it.each<[what: string, text: string, place: string, message: string]>([
    ['an object that does not end', 'a: {b: 1', '1:9', 'Flow map'],
    ['a tab for indentation', 'a:\n\tb: 1', '2:1', 'Tabs'],
    ['a tag of one’s own', 'a:\n  b: !secret x', '2:6', 'Unresolved tag'],
    ['binary', 'a: !!binary aGk=', '1:4', 'Unresolved tag'],
    ['a key that is no text', '? [a]\n: 1', '1:3', 'must be strings'],
    ['a key twice', 'a: 1\nb: 2\na: 3', '3:1', 'the key "a" stands here twice'],
    ['infinity', 'a: .inf', '1:4', 'JSON has no such value'],
    ['no number', 'a: [.nan]', '1:5', 'JSON has no such value'],
    ['half a surrogate pair', String.raw`a: "\ud800"`, '1:4', 'half of a surrogate pair'],
    ['two documents', 'a: 1\n---\nb: 2', '2:1', 'multiple documents'],
    ['an anchor that does not exist', 'a: *x', '1:4', 'x'],
    ['an anchor within itself', 'a: &x [*x]', '1:8', 'levels'],
    ['deep nesting', '[[[[[[[[[1]]]]]]]]]', '1:10', 'more than 8 levels'],
    ['very deep nesting', '['.repeat(100_000), '', ''],
    ['very many values', '- 1\n'.repeat(1_001), '1000:3', 'more than 1000 values'],
    ['aliases used again and again', `- &a 1\n${'- *a\n'.repeat(101)}`, '102:3', 'more than 100 times'],
    [
      'growing aliases',
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]',
      '',
      'more than',
    ],
  ])('refuses %s, with the place', (_what, text, place, message) => {
    const [at, said] = refusalOf(text);

    expect(at).toMatch(place === '' ? /^\d+:\d+$/ : new RegExp(`^${place}$`));
    expect(said).toContain(message);
  });

  it('refuses a text that is too long, and one whose aliases make it too long', () => {
    expect(refusalOf(`a: ${'x'.repeat(262_144)}`)[1]).toContain('at most 262144 bytes');
    expect(refusalOf(`a: &a ${'x'.repeat(200_000)}\nb: [*a, *a, *a, *a, *a, *a]`)[1]).toContain(
      'too long together',
    );
  });

  it('leaves prototypes alone', () => {
    read('__proto__: {polluted: 1}\na: &x {__proto__: {polluted: 1}}\nb: *x');

    expect('polluted' in {}).toBe(false);
  });
});

describe('writeYaml', () => {
  it.each<[what: string, value: Json]>([
    [
      'texts that look like other values',
      ['yes', 'null', '1', '~', '- a', '#', ' x ', '', 'a: b', '2020-01-01', '<<'],
    ],
    ['several lines', { a: 'one\ntwo\n', b: 'x '.repeat(100) }],
    ['names of prototypes', JSON.parse('{"__proto__":{"constructor":1}}') as Json],
    ['what is shared', ((shared) => [shared, shared])({ a: [1, 2.5, -0.1e-7, true, null, {}] })],
    ['control characters', '\u0000\u0007\u2028é😀'],
  ])('is read back as it was: %s', (_what, value) => {
    expect(JSON.stringify(read(writeYaml(value)))).toBe(JSON.stringify(value));
  });
});
