import type { Json } from '../kernel/json.js';
import { compileTemplate, evaluateTemplate, type CompiledTemplate, type CompileOptions } from './liquid.js';
import type { Scope } from './references.js';

const ROOTS: ReadonlySet<string> = new Set(['input', 'context', 'steps', 'run']);

describe('a template', () => {
  it.each<[what: string, text: string, value: Json]>([
    ['text without braces', 'plain { text }', 'plain { text }'],
    ['a variable in text', 'Hello {{ input.name }}!', 'Hello Ann!'],
    ['numbers as JSON writes them', '{{ input.count }} {{ input.half }} {{ input.huge }}', '3 1.5 1e+21'],
    ['an object in text as JSON', 'it is {{ input.object }}', 'it is {"a":[1,{"b":2}]}'],
    ['a list in text as JSON', 'list: {{ input.words }}', 'list: ["x","y"]'],
    ['null in text as nothing', '[{{ input.nothing }}]', '[]'],
    ['what stands behind null as null', '[{{ input.nothing.deeper }}]', '[]'],
    ['a value with braces as text', 'say {{ input.braces }}', 'say {{ input.name }}'],
    ['a condition', '{% if input.count > 2 %}many{% else %}few{% endif %}', 'many'],
    ['a condition on a missing variable', '{% if input.none %}yes{% else %}no{% endif %}', 'no'],
    ['a condition on part of a missing variable', '{% unless input.none.deep == 1 %}no{% endunless %}', 'no'],
    [
      'a loop',
      '{% for word in input.words %}{{ forloop.index }}{{ word }}{% unless forloop.last %},{% endunless %}{% endfor %}',
      '1x,2y',
    ],
    ['a loop with limits', '{% for i in (1..9) reversed limit: input.count %}{{ i }}{% endfor %}', '321'],
    ['a default for a missing variable', '{{ input.none | default: "plain" }} text', 'plain text'],
    ['filters on an object', '{{ input.object | append: "!" }}', '{"a":[1,{"b":2}]}!'],
    ['a join of objects', '{{ input.people | join: "; " }}', '{"name":"A"}; {"name":"B"}; {"age":3}'],
    ['a capture', '{% capture it %}<{{ input.object }}>{% endcapture %}{{ it }}', '<{"a":[1,{"b":2}]}>'],
    ['an assignment', '{% assign it = input.name | upcase %}{{ it }} {{ it }}', 'ANN ANN'],
    ['a case', '{% case input.name %}{% when "Bob" %}B{% when "Ann" %}A{% endcase %}', 'A'],
    ['raw braces', '{% raw %}{{ input.name }}{% endraw %}', '{{ input.name }}'],
    ['a comment', 'a{% comment %}{{ nobody }}{% endcomment %}b{% # nothing %}c', 'abc'],
    ['white space around an output', 'a {{- input.name -}} b', 'aAnnb'],
    ['a step by its quoted id', '{{ steps["step-1"].output.text }}!', 'done!'],
    ['a step that is named constructor', '{{ steps.constructor.output }}!', 'built!'],
  ])('writes %s', (_what, text, value) => {
    expect(evaluate(text)).toEqual(value);
  });

  it.each<[what: string, text: string, value: Json]>([
    ['an object', '{{ input.object }}', { a: [1, { b: 2 }] }],
    ['a number', '{{ input.count }}', 3],
    ['null', '{{ input.nothing }}', null],
    ['a text with braces', '{{ input.braces }}', '{{ input.name }}'],
    ['a comparison', '{{ input.count == 3 and input.name == "Ann" }}', true],
    ['a group', '{{ (input.name | upcase) == "ANN" }}', true],
    ['a range', '{{ (1..input.count) }}', [1, 2, 3]],
    ['a default', '{{ input.none | default: 5 }}', 5],
    ['a filtered list', '{{ input.people | where: "name", "A" }}', [{ name: 'A' }]],
    ['a mapped list', '{{ input.people | map: "name" }}', ['A', 'B', null]],
    ['nil put into a list', '{{ input.words | push: nil }}', ['x', 'y', null]],
    ['a literal', '{{ 5 }}', 5],
    ['nil', '{{ nil }}', null],
    ['with dashes', '{{- input.count -}}', 3],
    ['an element by an index that is computed', '{{ input.words[input.index] }}', 'y'],
    ['the last element', '{{ input.words[-1] }}', 'y'],
    ['a size', '{{ input.words.size }}', 2],
    ['an own key named size', '{{ input.measured.size }}', 9],
  ])('keeps the type of %s that is all of it', (_what, text, value) => {
    expect(evaluate(text)).toEqual(value);
  });

  it('remembers in a loop what an earlier round assigned', () => {
    const text = '{% for i in (1..3) %}{{ last | default: "-" }}{% assign last = i %}{% endfor %}';

    expect(evaluate(text, {}, {})).toBe('-12');
    expect(evaluate(text, {}, { last: 'x' })).toBe('x12');
  });

  it('gives a value of the scope itself, not a copy', () => {
    expect(evaluate('{{ input.object }}')).toBe(SCOPE.input.object);
  });

  it('is text as soon as something stands beside the output', () => {
    expect(evaluate(' {{ input.count }}')).toBe(' 3');
    expect(evaluate('{{ input.count }}{{ input.count }}')).toBe('33');
  });
});

describe('missing variables', () => {
  it.each<[what: string, text: string, variables: string[]]>([
    [
      'all of them',
      '{{ input.a }} {{ input.b.c }} {{ input.name }} {{ input.d }}',
      ['input.a', 'input.b.c', 'input.d'],
    ],
    ['each once', '{{ input.a }} {{ input.a }}', ['input.a']],
    ['in arguments of filters', '{{ input.a | append: input.b }}', ['input.a', 'input.b']],
    ['behind a default that is missing itself', '{{ input.a | default: input.b }}', ['input.b']],
    ['in loops', '{% for x in input.a %}{{ x }}{% endfor %}', ['input.a']],
    ['in the body of a loop', '{% for p in input.people %}{{ p.name }}{% endfor %}', ['p.name']],
    [
      'in a branch that is taken',
      '{% if input.name %}{{ input.a }}{% else %}{{ input.b }}{% endif %}',
      ['input.a'],
    ],
    ['in assignments', '{% assign it = input.a %}[{{ it }}]', ['input.a']],
    [
      'when a filter stumbles over them',
      '{{ input.a | base64_decode | json }} {{ input.b }}',
      ['input.a', 'input.b'],
    ],
    ['of a value', '{{ "abc".length }} {{ "abc".height }}', ['"abc".height']],
    [
      'inherited names',
      '{{ input.toString }} {{ input.constructor.name }} {{ input.__proto__ }}',
      ['input.toString', 'input.constructor.name', 'input.__proto__'],
    ],
    [
      'inherited names of lists and text',
      '{{ input.words.map }} {{ input.name.trim }}',
      ['input.words.map', 'input.name.trim'],
    ],
  ])('are listed: %s', (_what, text, variables) => {
    expect(failureOf(text)).toMatchObject({
      code: 'template.variable-missing',
      kind: 'unprocessable',
      retryable: false,
      details: { variables },
    });
  });

  it('are inherited names too, where any name may be read', () => {
    expect(failureOf('{{ constructor }} {{ __proto__.x }} {{ toString }} {{ user.name }}', {})).toMatchObject(
      {
        details: { variables: ['constructor', '__proto__.x', 'toString', 'user.name'] },
      },
    );
  });

  it.each(['size', 'first', 'last', 'forloop'])('are names that lists have: %s', (name) => {
    expect(failureOf(`{{ ${name} }}`, {}, { words: ['a'] })).toMatchObject({
      details: { variables: [name] },
    });
  });

  it('are a variable of a loop, after the loop', () => {
    const text = '{% for word in words %}{{ word }}{% endfor %}{{ word }}';

    expect(failureOf(text, {}, { words: ['a'] })).toMatchObject({ details: { variables: ['word'] } });
  });
});

describe('own keys of hostile names', () => {
  const scope = { input: JSON.parse('{"__proto__":{"x":1},"constructor":"c","toString":"t"}') as Json };

  it.each([
    ['{{ input.__proto__.x }}', 1],
    ['{{ input.constructor }}', 'c'],
    ['{{ input.toString }}', 't'],
    ['{{ input["__proto__"]["x"] }} {{ input.constructor }}', '1 c'],
  ])('are read like any other: %s', (text, value) => {
    expect(evaluate(text, { roots: ROOTS }, scope)).toEqual(value);
  });

  it('leave the prototype of objects alone', () => {
    evaluate('{% assign __proto__ = input.count %}{% assign constructor = 1 %}{{ constructor }}');
    evaluate('{% for __proto__ in input.words %}{{ __proto__ }}{% endfor %}');

    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as Record<string, unknown>)['count']).toBeUndefined();
  });
});

describe('a template is refused', () => {
  it.each<[what: string, text: string, code: string, at: [line: number, column: number]]>([
    ['an output that is not closed', 'one\ntwo {{ input.name', 'expression.invalid', [2, 5]],
    ['a tag that is not closed', '{% if input.name %}', 'expression.invalid', [1, 1]],
    ['an empty output', '{{ }}', 'expression.invalid', [1, 4]],
    ['two values without an operator', '{{ input.name input.count }}', 'expression.invalid', [1, 4]],
    ['a dot without a name', '{{ input. }}', 'expression.invalid', [1, 4]],
    ['an unknown filter', 'a\n  {{ input.name | shout }}', 'expression.invalid', [2, 3]],
    ['an unknown filter in a group', '{{ (input.name | shout) }}', 'expression.invalid', [1, 4]],
    ['an unknown tag', '{% explode %}', 'expression.invalid', [1, 1]],
    ['an include where there are none', '{% include "greeting" %}', 'expression.invalid', [1, 1]],
    ['render', 'x {% render "greeting" %}', 'expression.invalid', [1, 3]],
    ['layout', '{% layout "page" %}', 'expression.invalid', [1, 1]],
    ['increment, which changes what it is given', '{% increment input %}', 'expression.invalid', [1, 1]],
    ['a random filter', '{{ input.words | sample }}', 'expression.invalid', [1, 1]],
    [
      'a filter that evaluates text',
      '{{ input.people | where_exp: "p", "p.name" }}',
      'expression.invalid',
      [1, 1],
    ],
    ['a name that is not offered', '{{ input.name }}\n{{ secrets.key }}', 'reference.unknown-root', [2, 4]],
    ['an inherited name', '{{ constructor }}', 'reference.unknown-root', [1, 4]],
    ['a name that is assigned later', '{{ it }}{% assign it = 1 %}', 'reference.unknown-root', [1, 4]],
    [
      'a variable of a loop, after it',
      '{% for x in input.words %}{% endfor %}{{ x }}',
      'reference.unknown-root',
      [1, 42],
    ],
    ['a root that is assigned', '{% assign steps = input.name %}', 'expression.invalid', [1, 11]],
    ['a root that is captured', '{% capture input %}{% endcapture %}', 'expression.invalid', [1, 12]],
    [
      'a root that is a loop variable',
      '{% for context in input.words %}{% endfor %}',
      'expression.invalid',
      [1, 1],
    ],
    ['a step whose id is computed', '{{ steps[input.name].output }}', 'reference.not-static', [1, 4]],
    ['all steps at once', '{% for s in steps %}{{ s }}{% endfor %}', 'reference.not-static', [1, 13]],
    ['a root that is computed', '{{ [input.name].a }}', 'reference.not-static', [1, 4]],
    ['a field that steps do not have', '{{ steps.a.result }}', 'reference.unknown-field', [1, 4]],
  ])('%s', (_what, text, code, [line, column]) => {
    expect(compileTemplate(text, { roots: ROOTS })).toMatchObject({
      ok: false,
      failure: { code, line, column },
    });
  });

  it.each([
    ['too long', `{{ a }}${' '.repeat(262_144)}`],
    ['too many outputs', '{{a}}'.repeat(10_001)],
    ['tags nested too deeply', '{% if a %}'.repeat(40) + '{% endif %}'.repeat(40)],
    ['tags nested beyond the call stack', '{% if a %}'.repeat(5_000) + '{% endif %}'.repeat(5_000)],
    ['parentheses nested beyond the call stack', `{{ ${'('.repeat(50_000)}a${')'.repeat(50_000)} }}`],
  ])('%s', (_what, text) => {
    expect(compileTemplate(text)).toMatchObject({ ok: false, failure: { code: 'expression.invalid' } });
  });
});

describe('an evaluation fails', () => {
  it.each<[what: string, text: string, message: string]>([
    ['a range without end', '{% for i in (1..1000000000) %}{% endfor %}', 'more than 16777216'],
    ['a range beyond whole numbers', '{{ (100000000000000000..100000000000000016) }}', 'a bound of a range'],
    ['a range of text', '{{ (1..input.name) }}', 'a bound of a range'],
    [
      'loops in loops',
      `${'{% for i in (1..999) %}'.repeat(3)}${'{% endfor %}'.repeat(3)}`,
      'more than 100000 parts of templates',
    ],
    ['an output without end', '{% for i in (1..999) %}{{ input.long }}{% endfor %}', 'more than 16777216'],
    [
      'lists that double',
      `{% assign a = input.words %}${'{% assign a = a | concat: a %}'.repeat(30)}`,
      'more than 16777216',
    ],
    [
      'comparing long lists',
      '{% for i in (1..9999) %}{{ input.list == input.same }}{% endfor %}',
      'more than 16777216',
    ],
    [
      'running over long lists',
      '{% for i in (1..9999) %}{% for x in input.list limit: 1 %}{% endfor %}{% endfor %}',
      'more than 16777216',
    ],
    [
      'searching long patterns',
      '{% for i in (1..9999) %}{% if input.long contains input.long %}{% endif %}{% endfor %}',
      'more than 16777216',
    ],
    ['replacing long patterns', '{{ input.long | replace: input.long, "" }}', 'more than 16777216'],
    ['a case of lists', '{% case input.list %}{% when 1 %}{% endcase %}', 'case takes a text or a number'],
    [
      'selecting by a list',
      '{{ input.people | where: "name", input.words }}',
      'compare with a text or a number',
    ],
    ['a number that JSON does not have', '{{ 1 | divided_by: 0 }}', 'Infinity'],
    [
      'the same in text',
      'x\n{{ 1 | divided_by: 0 }}',
      'Infinity, which is no JSON number (line 2, column 1)',
    ],
    ['the current time', '{{ "now" | date: "%Y" }}', '"now" is refused'],
    ['a filter that cannot work', '{{ "%" | url_decode }}', 'URI malformed'],
  ])('for %s', (_what, text, message) => {
    const list = Array.from({ length: 20_000 }, (_, index) => index);
    const { input, ...others } = SCOPE;
    const scope = { ...others, input: { ...input, long: 'a'.repeat(100_000), list, same: [...list] } };

    expect(failureOf(text, { roots: ROOTS }, scope)).toMatchObject({
      code: 'expression.failed',
      kind: 'unprocessable',
      retryable: false,
      message: expect.stringContaining(message),
    });
  });

  it('alike at each try, on any machine', () => {
    const text = '{% for i in (1..999) %}{% for j in (1..999) %}{{ j }}{% endfor %}{% endfor %}';

    expect(failureOf(text)).toEqual(failureOf(text));
  });
});

describe('comparisons', () => {
  it.each([
    ['input.object == input.twin', true],
    ['input.object != input.twin', false],
    ['input.people == input.words', false],
    ['input.people contains input.first', true],
    ['input.words contains "x"', true],
    ['input.name contains "nn"', true],
    ['input.count contains 3', false],
    ['input.nothing == nil', true],
    ['input.none == nil', true],
    ['input.words == empty', false],
    ['input.emptied == empty', true],
    ['input.count >= 3 and not (input.name == "Bob")', true],
  ])('are by content: %s', (condition, value) => {
    const { input, ...others } = SCOPE;
    const scope = {
      ...others,
      input: { ...input, twin: { a: [1, { b: 2 }] }, first: { name: 'A' }, emptied: [] },
    };
    const text = `{% if ${condition} %}yes{% else %}no{% endif %}`;

    expect(evaluate(text, { roots: ROOTS }, scope)).toBe(value ? 'yes' : 'no');
  });
});

describe('references of a template', () => {
  it.each<[where: string, text: string, steps: Record<string, string[]>]>([
    ['in an output', '{{ steps.a.output.text }}', { a: ['output'] }],
    ['by a quoted id', '{{ steps["step-1"].status }}', { 'step-1': ['status'] }],
    ['by a quoted root', '{{ ["steps"]["a"].error }}', { a: ['error'] }],
    ['as a whole', '{{ steps.a }}', { a: ['output', 'status', 'error'] }],
    ['in an argument of a filter', '{{ "x" | append: steps.a.output }}', { a: ['output'] }],
    ['in a named argument', '{{ "x" | default: "y", allow_false: steps.a.output }}', { a: ['output'] }],
    [
      'in a loop',
      '{% for x in steps.a.output limit: steps.b.output %}{% endfor %}',
      { a: ['output'], b: ['output'] },
    ],
    [
      'in a body',
      '{% for x in input.words %}{% if true %}{{ steps.a.output }}{% endif %}{% endfor %}',
      { a: ['output'] },
    ],
    [
      'in a branch',
      '{% if true %}{% elsif steps.a.status == "failed" %}{{ steps.a.error }}{% endif %}',
      {
        a: ['status', 'error'],
      },
    ],
    [
      'in a case',
      '{% case steps.a.output %}{% when steps.b.output %}{% endcase %}',
      { a: ['output'], b: ['output'] },
    ],
    ['in an index', '{{ input.words[steps.a.output] }}', { a: ['output'] }],
    ['in a range', '{{ (steps.a.output..steps.b.output) | json }}', { a: ['output'], b: ['output'] }],
    [
      'in a group',
      '{{ (steps.a.output | default: steps.b.output) | upcase }}',
      { a: ['output'], b: ['output'] },
    ],
    ['behind a group', '{{ (steps.a.output | default: 1).size }}', { a: ['output'] }],
    ['in an assignment', '{% assign it = steps.a.output %}{{ it.b }}', { a: ['output'] }],
    ['in a capture', '{% capture it %}{{ steps.a.output }}{% endcapture %}', { a: ['output'] }],
    ['in a cycle', '{% cycle steps.a.output, steps.b.output %}', { a: ['output'], b: ['output'] }],
    [
      'in lines',
      '{% liquid\n assign it = steps.a.output\n echo steps.b.output\n%}',
      { a: ['output'], b: ['output'] },
    ],
    ['nowhere in raw text', '{% raw %}{{ steps.a.output }}{% endraw %}', {}],
  ])('are found %s', (_where, text, steps) => {
    const found = compiled(text).references.steps;

    expect(Object.fromEntries(Array.from(found, ([id, fields]) => [id, [...fields]]))).toEqual(steps);
  });

  it("name roots and paths, without the template's own variables", () => {
    const { references } = compiled('{% assign it = user.name %}{{ it }} {{ list[index].a }}', {});

    expect([...references.roots]).toEqual(['user', 'index', 'list']);
    expect([...references.paths]).toEqual(['user.name', 'index', 'list']);
  });
});

describe('required roots', () => {
  it.each([
    ['{{ a.b }} {{ c | upcase }}', ['a', 'c']],
    ['{{ a | default: "x" }} {% if b %}{{ c }}{% endif %}', []],
    ['{% for x in list %}{{ x.y }}{{ z }}{% endfor %}', []],
    ['{% assign a = b %}{{ a }} {{ "x" | append: c }}', ['b', 'c']],
    ['{% capture a %}{{ b }}{% endcapture %}', ['b']],
    ['{% render "greeting", x: y %}', ['who']],
  ])('of %s', (text, required) => {
    expect([...compiled(text, { lookup: () => '{{ who }} {{ x }}' }).required]).toEqual(required);
  });
});

describe('includes', () => {
  const texts: Record<string, string> = {
    greeting: 'Hi {{ who }}, {{ input.name }}',
    loop: '{% include "loop" %}',
    broken: 'one\n{{ who | shout }}',
    reading: '{% if true %}{{ steps.a.output }}{% endif %}',
  };
  const options = { roots: ROOTS, lookup: (name: string) => texts[name] };

  it('are found by name, with variables of their own', () => {
    expect(evaluate('{% include "greeting", who: input.count %}!', options)).toBe('Hi 3, Ann!');
  });

  it('are written render as well, with a label', () => {
    const lookup = (name: string): string | undefined =>
      name === 'greeting@staging' ? 'Hey {{ who }}' : undefined;

    expect(evaluate('{% render "greeting@staging", who: "you" %}', { lookup })).toBe('Hey you');
  });

  it.each([
    [5, true],
    [6, false],
  ])('nest %i deep: %s', (depth, isOk) => {
    const lookup = (name: string): string =>
      Number(name) < depth ? `{% render "${String(Number(name) + 1)}" %}` : 'deep';

    expect(compileTemplate('{% render "1" %}', { lookup }).ok).toBe(isOk);
  });

  it('are refused where they lead back to the template itself, by whatever label', () => {
    const lookup = (name: string): string => (name === 'b@staging' ? '{% render "a@production" %}' : '');

    expect(compileTemplate('{% render "b@staging" %}', { lookup, name: 'a' })).toMatchObject({
      ok: false,
      failure: { message: 'in "b@staging": "a" includes itself: a → b → a', line: 1, column: 1 },
    });
  });

  it('are part of what the template reads', () => {
    expect([...compiled('{% include "reading" %}', options).references.steps.keys()]).toEqual(['a']);
  });

  it.each([
    ['an unknown name', '{% include "nobody" %}', 'there is no text template "nobody"'],
    ['a computed name', '{% include input.name %}', 'in quotes'],
    ['a circle', '{% include "loop" %}', '"loop" includes itself: loop → loop'],
    ['a problem in an include', '{% include "broken" who: 1 %}', 'in "broken": undefined filter: shout'],
    ['a variable that is not given', '{% include "greeting" %}', 'in "greeting": "who" is not available'],
    ['a variable that hides a root', '{% include "greeting" input: 1 %}', '"input" has a meaning here'],
  ])('are refused for %s', (_what, text, message) => {
    expect(compileTemplate(text, options)).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining(message) },
    });
  });
});

const SCOPE = {
  input: {
    name: 'Ann',
    count: 3,
    half: 1.5,
    huge: 1e21,
    index: 1,
    nothing: null,
    braces: '{{ input.name }}',
    object: { a: [1, { b: 2 }] },
    words: ['x', 'y'],
    people: [{ name: 'A' }, { name: 'B' }, { age: 3 }],
    measured: { size: 9 },
  },
  context: {},
  steps: {
    'step-1': { output: { text: 'done' }, status: 'completed', error: null },
    constructor: { output: 'built', status: 'completed', error: null },
  },
  run: { id: 'run_1' },
};

function compiled(text: string, options: CompileOptions = { roots: ROOTS }): CompiledTemplate {
  const result = compileTemplate(text, options);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function evaluate(text: string, options?: CompileOptions, scope: Scope = SCOPE): Json {
  const result = evaluateTemplate(compiled(text, options), scope);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function failureOf(text: string, options?: CompileOptions, scope: Scope = SCOPE): unknown {
  const result = evaluateTemplate(compiled(text, options), scope);
  if (result.ok) throw new Error(`it has the value ${JSON.stringify(result.value)}`);
  return result.failure;
}
