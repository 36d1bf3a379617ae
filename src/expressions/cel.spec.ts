import type { Json } from '../kernel/json.js';
import { compileCel, evaluateCel, evaluateCondition, type CelOptions, type CompiledCel } from './cel.js';
import type { Scope } from './references.js';

const ROOTS: ReadonlySet<string> = new Set(['input', 'context', 'steps', 'run']);

describe('an expression', () => {
  it.each<[text: string, value: Json]>([
    ['steps.a.output.score >= 1 && input.half + 1 == 2.5', true],
    ['input.count + 1', 4],
    ['1 + input.half * 2', 4],
    ['input.count - 1 > 1.5', true],
    ['input.count % 2 == 1', true],
    ['input.half % 1', 0.5],
    ['7 / 2', 3],
    ['input.count / 2', 1.5],
    ['-input.count', -3],
    ['size(input.numbers) == input.count', true],
    ['size(input.numbers) == 3.0', true],
    ['input.count in [1, 2, 3]', true],
    ['1 in input.numbers', true],
    ['steps.a.output.kind in ["song", "poem"]', true],
    ['input.numbers == [1, 2, 3]', true],
    ['input.object == {"a": 1}', true],
    ['input.nothing == null', true],
    ['input.name == null', false],
    ['null == input.name', false],
    ['input.count == "3"', false],
    ['steps["step-1"].output[0]', 'x'],
    ['input.numbers[input.index]', 2],
    ['[1, "a", {"b": null, "c": [input.half]}]', [1, 'a', { b: null, c: [1.5] }]],
    ['input.numbers.filter(n, n > 1).map(n, {"is": n})', [{ is: 2 }, { is: 3 }]],
    ['input.numbers.map(n, n > 1, n * 10)', [20, 30]],
    ['input.numbers.all(n, n > 0) && input.numbers.exists_one(n, n == 2)', true],
    ['input.object.map(key, key)', ['a']],
    ['has(input.object.a) && !has(input.object.b)', true],
    ['input.?none.orValue("plain")', 'plain'],
    ['input.?none', null],
    ['input.?name', 'Ann'],
    ['cel.bind(n, input.count + 1, n * n)', 16],
    ['input.name.startsWith("A") ? "yes" : "no"', 'yes'],
    ['string(input.count) + input.name', '3Ann'],
    ['type(input.count) == double', true],
    ['timestamp("2024-02-29T12:00:00Z")', '2024-02-29T12:00:00.000Z'],
    ['timestamp("2024-02-29T12:00:00Z") + duration("90m") > timestamp("2024-02-29T13:00:00Z")', true],
    ['"a,b".split(",").map(part, part.upperAscii()).join("+")', 'A+B'],
    ['steps.constructor.output', 'built'],
  ])('%s', (text, value) => {
    expect(evaluate(text)).toEqual(value);
  });

  it('gives numbers, never integers of another type', () => {
    expect(evaluate('[1, size(input.numbers), {"n": 2}]')).toStrictEqual([1, 3, { n: 2 }]);
  });
});

describe('an evaluation fails', () => {
  it.each<[what: string, text: string, message: string]>([
    ['a missing key', 'input.none', 'No such key: none (line 1, column 7)'],
    ['a key of null', 'input.nothing.key > 1', 'No such key: key'],
    ['an inherited key', 'input.toString', 'No such key: toString'],
    ['an inherited key named constructor', 'input.constructor.name', 'No such key: constructor'],
    ['a step that is absent', 'steps.b.output', 'No such key: b'],
    ['an index beyond the end', 'input.numbers[9]', 'index 9 >= size 3'],
    ['a comparison of unlike values', 'input.name > 1', 'no such overload'],
    ['a condition that is no truth value', 'input.name && true', 'requires bool'],
    ['a division by zero', '1 / (input.numbers.size() - 3)', 'division by zero'],
    ['a number that JSON does not have', '1.0 / 0.0', 'Infinity, which JSON does not have'],
    ['an integer that JSON cannot hold', '9007199254740992 + 1', 'cannot hold exactly'],
    ['a duration', 'duration("1m")', 'which JSON does not have'],
    ['a type', 'type(input.name)', 'which JSON does not have'],
    ['a position behind a line break', 'input.count > 1 &&\n  input.none', '(line 2, column 9)'],
  ])('for %s', (_what, text, message) => {
    expect(evaluateCel(compiled(text), SCOPE)).toMatchObject({
      ok: false,
      failure: {
        code: 'expression.failed',
        kind: 'unprocessable',
        retryable: false,
        message: expect.stringContaining(message),
      },
    });
  });

  it('for inherited names, where any name may be read', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      expect(evaluateCel(compiled(name, {}), {})).toMatchObject({ failure: { code: 'expression.failed' } });
    }
  });
});

describe('a condition', () => {
  it('is true or false', () => {
    expect(evaluateCondition(compiled('input.count > 2'), SCOPE)).toEqual({ ok: true, value: true });
    expect(evaluateCondition(compiled('input.count > 5'), SCOPE)).toEqual({ ok: true, value: false });
  });

  it.each([
    ['input.count', 'this one is a number'],
    ['input.name', 'this one is a text'],
    ['input.nothing', 'this one is null'],
    ['input.numbers', 'this one is a list'],
    ['input.object', 'this one is a map'],
    ['input.none', 'No such key'],
    ['input.?none', 'this one is null'],
  ])('fails, and is not false, for %s', (text, message) => {
    expect(evaluateCondition(compiled(text), SCOPE)).toMatchObject({
      ok: false,
      failure: { code: 'expression.failed', message: expect.stringContaining(message) },
    });
  });

  it('is refused when its type is known and another', () => {
    expect(compileCel('1 + 1', { result: 'bool' })).toMatchObject({
      ok: false,
      failure: {
        code: 'expression.invalid',
        message: 'a condition must be true or false; this one is of type int',
      },
    });
  });
});

describe('an expression is refused', () => {
  it.each<[what: string, text: string, code: string, at: [line: number, column: number]]>([
    ['nothing', '', 'expression.invalid', [1, 1]],
    ['an operand that is missing', 'input.count >\n', 'expression.invalid', [2, 1]],
    ['an assignment', 'input.count = 3', 'expression.invalid', [1, 13]],
    ['a text that is not closed', 'input.name == "Ann', 'expression.invalid', [1, 15]],
    ['types that never fit', 'true &&\n  1 + "a" == 2', 'expression.invalid', [2, 3]],
    ['branches of unlike types', 'input.count > 1 ? 1 : "a"', 'expression.invalid', [1, 1]],
    ['an unknown function', 'shout(input.name)', 'expression.invalid', [1, 1]],
    ['an unknown method', 'input.name.shout()', 'expression.invalid', [1, 1]],
    ['matches, which can run for ever', 'input.name.matches("(a+)+")', 'expression.invalid', [1, 1]],
    ['a duration of unknown length', 'duration(input.name) > duration("1s")', 'expression.invalid', [1, 1]],
    ['four loops in each other', nested(4), 'expression.invalid', [1, 67]],
    ['bind of another thing', 'input.numbers.bind(n, 1, n)', 'expression.invalid', [1, 1]],
    ['a key that would be dropped', '{"constructor": 1}', 'expression.invalid', [1, 2]],
    ['a key that is computed', '{input.name: 1}', 'expression.invalid', [1, 2]],
    ['a variable that hides a root', 'input.numbers.map(steps, steps)', 'expression.invalid', [1, 19]],
    ['a name that is not offered', 'input.count > secrets.limit', 'reference.unknown-root', [1, 15]],
    ['an inherited name', 'constructor', 'reference.unknown-root', [1, 1]],
    [
      'a variable of a loop, after it',
      'input.numbers.all(n, n > 0) && n > 0',
      'reference.unknown-root',
      [1, 32],
    ],
    ['a step whose id is computed', 'steps[input.name].output', 'reference.not-static', [1, 1]],
    ['a step whose id is computed, optionally', 'steps[?input.name]', 'reference.not-static', [1, 1]],
    ['all steps at once', 'size(steps) > 1', 'reference.not-static', [1, 6]],
    ['looking for a step', '"a" in steps', 'reference.not-static', [1, 8]],
    ['a field that steps do not have', 'steps.a.result', 'reference.unknown-field', [1, 1]],
  ])('for %s', (_what, text, code, [line, column]) => {
    expect(compileCel(text, { roots: ROOTS })).toMatchObject({ ok: false, failure: { code, line, column } });
  });

  it.each([
    ['too long', `"${'a'.repeat(16_384)}"`],
    ['too many parts', `1${'+1'.repeat(600)}`],
    ['nested too deeply', `${'('.repeat(60)}1${')'.repeat(60)}`],
    ['nested beyond the call stack', `${'!'.repeat(15_000)}true`],
  ])('for being %s', (_what, text) => {
    expect(compileCel(text)).toMatchObject({ ok: false, failure: { code: 'expression.invalid' } });
  });
});

describe('references of an expression', () => {
  it.each<[text: string, steps: Record<string, string[]>]>([
    ['steps.a.output.score > 0.5', { a: ['output'] }],
    ['steps["step-1"].status == "completed"', { 'step-1': ['status'] }],
    [
      'has(steps.a.output.score) ? steps.b.output : steps.c.error',
      { a: ['output'], b: ['output'], c: ['error'] },
    ],
    ['steps.a', { a: ['output', 'status', 'error'] }],
    ['steps.?a.?output.orValue(steps.b.output)', { a: ['output'], b: ['output'] }],
    ['steps.a.output.all(x, x in steps.b.output)', { a: ['output'], b: ['output'] }],
    [
      'cel.bind(x, steps.a.output, x == [steps.b.output, {"k": steps.c.output}])',
      {
        a: ['output'],
        b: ['output'],
        c: ['output'],
      },
    ],
    ['input.numbers[steps.a.output] == -steps.b.output', { a: ['output'], b: ['output'] }],
    [
      'input.numbers.map(n, n > steps.a.output, optional.of(steps.b.output))',
      { a: ['output'], b: ['output'] },
    ],
    ['(steps.a.output).score', { a: ['output'] }],
    ['"steps.a.output" != input.name', {}],
  ])('are found in %s', (text, steps) => {
    const found = compiled(text).references.steps;

    expect(Object.fromEntries(Array.from(found, ([id, fields]) => [id, [...fields]]))).toEqual(steps);
  });

  it('are roots and paths, without variables of loops', () => {
    const { references } = compiled('user.tags.all(t, t.size() > limits[user.level].tag)', {});

    expect([...references.roots]).toEqual(['user', 'limits']);
    expect([...references.paths]).toEqual(['user.tags', 'user.level', 'limits']);
  });
});

describe('own keys of hostile names', () => {
  const hostile = JSON.parse(
    '{"__proto__":{"x":1},"constructor":{"y":2},"toString":"t","deep":[{"constructor":null}]}',
  ) as Json;
  const scope = {
    ...{ input: hostile },
    steps: { constructor: { output: 1, status: 'completed', error: null } },
  };

  it.each<[text: string, value: unknown]>([
    ['input', hostile],
    ['input.constructor.y', 2],
    ['input["__proto__"]["x"]', 1],
    ['input.toString', 't'],
    ['input.deep == input.deep && input.constructor == {"y": 2}', true],
    ['input.deep.all(d, has(d.constructor) && d.constructor == null)', true],
    ['input.?constructor.?y.orValue(0)', 2],
    ['input.?none.orValue(input.constructor)', { y: 2 }],
    ['"constructor" in input && size(input) == 4', true],
    ['input.map(key, key)', ['__proto__', 'constructor', 'toString', 'deep']],
    ['steps.constructor.output + 1', 2],
  ])('are keys like any other: %s', (text, value) => {
    const result = evaluate(text, scope);

    expect(result).toEqual(value);
    expect(JSON.stringify(result)).toBe(JSON.stringify(value));
  });
});

describe('the cost of an evaluation', () => {
  const ones = (length: number): number[] => new Array<number>(length).fill(1);
  const scope = {
    input: {
      thousand: ones(1_000),
      more: ones(1_001),
      matrix: new Array<number[]>(100).fill(ones(100)),
      documents: new Array<Json>(500).fill({ text: 'x'.repeat(5_000), tags: ['a', 'b'] }),
      long: 'a'.repeat(1_000_000),
      pattern: `${'a'.repeat(100_000)}b`,
      name: 'Ann',
    },
  };

  it.each([
    'input.thousand.all(x, input.thousand.all(y, x + y > 1))',
    'input.matrix.all(row, row.all(cell, cell == 1))',
    'input.documents.all(document, document.tags.exists(tag, tag == "a"))',
    'input.documents.all(document, !document.text.contains("needle"))',
    'input.documents.map(document, document.text).exists(text, text == input.name)',
    'input.long.contains(input.name)',
  ])('is within bounds: %s', (text) => {
    expect(evaluateCel(compiled(text), scope)).toMatchObject({ ok: true });
  });

  it.each([
    'input.more.all(x, input.thousand.all(y, x + y > 1))',
    'input.more.all(x, x + 1 in input.thousand.map(y, y + 2))',
    'input.matrix.map(a, input.matrix.map(b, input.thousand.map(c, 1)))',
    'cel.bind(all, input.thousand + input.thousand, all.map(x, all.map(y, 1)))',
    'cel.bind(a, input.long + input.long, cel.bind(b, a + a + a + a, cel.bind(c, b + b + b + b, c + c + c + c)))',
    'input.thousand.exists(x, input.documents == [input.documents])',
    'input.long.contains(input.pattern)',
    `input.long.contains("${'a'.repeat(9_000)}b")`,
    `input.list == [${'input.long + '.repeat(90)} ""]`,
    'input.thousand.map(x, input.long.split("")).size() > 1',
    'input.thousand.map(x, timestamp("2024-02-29T12:00:00Z").getHours("Europe/Berlin") + x).size() + size(input.more.map(y, [y].map(z, timestamp("2024-02-29T12:00:00Z").getHours("Asia/Tokyo"))))',
  ])('is refused before it starts: %s', (text) => {
    expect(evaluateCel(compiled(text), scope)).toMatchObject({
      ok: false,
      failure: { code: 'expression.failed', message: expect.stringContaining('too costly') },
    });
  });
});

const SCOPE: Scope = {
  input: {
    name: 'Ann',
    count: 3,
    half: 1.5,
    index: 1,
    nothing: null,
    numbers: [1, 2, 3],
    object: { a: 1 },
  },
  context: {},
  steps: {
    a: { output: { score: 1, kind: 'song' }, status: 'completed', error: null },
    'step-1': { output: ['x'], status: 'completed', error: null },
    constructor: { output: 'built', status: 'completed', error: null },
  },
  run: { id: 'run_1' },
};

function nested(loops: number): string {
  return loops === 0 ? 'true' : `input.numbers.all(n${loops}, ${nested(loops - 1)})`;
}

function compiled(text: string, options: CelOptions = { roots: ROOTS }): CompiledCel {
  const result = compileCel(text, options);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function evaluate(text: string, scope: Scope = SCOPE): Json {
  const result = evaluateCel(compiled(text), scope);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
