import fc from 'fast-check';

import { compileCel, evaluateCel } from '../../src/expressions/cel.js';
import { estimateCost } from '../../src/expressions/cel-cost.js';
import { compileTemplate, evaluateTemplate } from '../../src/expressions/liquid.js';
import { compileValue, evaluateValue } from '../../src/expressions/value.js';
import type { Json } from '../../src/kernel/json.js';
import type { Result } from '../../src/kernel/result.js';

const RUNS = { numRuns: 1_000 };
const HOSTILE_KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'size', 'first', 'length'];

const key = fc.oneof({ weight: 3, arbitrary: fc.string() }, fc.constantFrom(...HOSTILE_KEYS));
const scalar = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('{{ input.x }}'),
);

/** Any JSON, with keys that objects inherit. */
const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('json'), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie('json')), { maxLength: 5 }).map(objectOf),
  ),
}));

/** Text in which braces, tags and operators are frequent. */
const wildText = fc
  .array(
    fc.constantFrom(
      ...[
        '{{',
        '}}',
        '{%',
        '%}',
        '{{ input.x',
        ' | append: ',
        ' | default: 1',
        'if ',
        'endif',
        'for a in ',
        'steps',
      ],
      ...[
        'endfor',
        'assign b = ',
        '"',
        "'",
        '(',
        ')',
        '[',
        ']',
        '.',
        '..',
        ' ',
        '\n',
        'input',
        '.x',
        '1',
        '-',
        '=',
      ],
      ...[
        '__proto__',
        'constructor',
        '&&',
        '||',
        '!',
        '==',
        '?',
        ':',
        '.map(x, ',
        '.all(x, ',
        'has(',
        ' in ',
        '💥',
      ],
    ),
    { maxLength: 24 },
  )
  .map((parts) => parts.join(''));

describe('templates', () => {
  it('leave text without braces unchanged', () => {
    const text = fc.string().filter((value) => !/\{[{%]/.test(value));

    fc.assert(
      fc.property(text, (value) => {
        expect(valueOf(compileTemplate(value)).references.roots.size).toBe(0);
        expect(evaluate(value, {})).toBe(value);
      }),
      RUNS,
    );
  });

  it('give any JSON back as it is, where the output is all of the text', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(evaluate('{{ input.x }}', { input: { x: value } })).toBe(value);
      }),
      RUNS,
    );
  });

  it('put any text in once, whatever it says', () => {
    fc.assert(
      fc.property(fc.oneof(wildText, fc.string({ unit: 'grapheme' })), (value) => {
        expect(evaluate('<{{ input.x }}>', { input: { x: value } })).toBe(`<${value}>`);
      }),
      RUNS,
    );
  });

  it('write objects and lists as JSON', () => {
    const compound = json.filter((value) => typeof value === 'object' && value !== null);

    fc.assert(
      fc.property(compound, (value) => {
        expect(evaluate('it: {{ input.x }}', { input: { x: value } })).toBe(`it: ${JSON.stringify(value)}`);
      }),
      RUNS,
    );
  });

  it('read own keys and no others', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...HOSTILE_KEYS), fc.integer()),
        fc.constantFrom(...HOSTILE_KEYS),
        (x, name) => {
          const result = evaluateTemplate(valueOf(compileTemplate(`{{ input.x.${name} }}`)), {
            input: { x },
          });
          const inherited = name === 'size' ? Object.keys(x).length : undefined;
          const expected = Object.hasOwn(x, name) ? x[name] : inherited;

          expect(result.ok ? result.value : undefined).toBe(expected);
        },
      ),
      RUNS,
    );
  });

  it('are refused or evaluated, and never throw', () => {
    fc.assert(
      fc.property(wildText, json, (text, x) => {
        const compiled = compileTemplate(text);
        const code = compiled.ok
          ? codeOf(evaluateTemplate(compiled.value, { input: { x } }))
          : compiled.failure.code;

        expect([
          'ok',
          'template.variable-missing',
          'expression.failed',
          'expression.invalid',
          'reference.not-static',
        ]).toContain(code);
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('values', () => {
  it('without templates are themselves', () => {
    const plain = json.filter((value) => !/\{[{%]/.test(JSON.stringify(value)));

    fc.assert(
      fc.property(plain, (value) => {
        expect(valueOf(evaluateValue(valueOf(compileValue(value)), {}))).toBe(value);
      }),
      RUNS,
    );
  });

  it('are built around their templates byte for byte', () => {
    const hasOneTemplate = (value: Json): boolean =>
      !/\{[{%]/.test(JSON.stringify(value).replaceAll('{{ input.x }}', ''));

    fc.assert(
      fc.property(json.filter(hasOneTemplate), (value) => {
        const compiled = valueOf(compileValue(value));
        const text = JSON.stringify(valueOf(evaluateValue(compiled, { input: { x: 'put in' } })));

        expect(text).toBe(
          JSON.stringify(value, (_key, each: unknown) => (each === '{{ input.x }}' ? 'put in' : each)),
        );
      }),
      RUNS,
    );
  });
});

describe('expressions', () => {
  it('give any JSON back as it came in', () => {
    fc.assert(
      fc.property(json, (value) => {
        for (const text of ['input.x', 'input.?x.orValue(1)', '[input.x][0]', '{"k": input.x}.k']) {
          expect(
            JSON.stringify(valueOf(evaluateCel(valueOf(compileCel(text)), { input: { x: value } }))),
          ).toBe(JSON.stringify(value));
        }
      }),
      RUNS,
    );
  });

  it('compare any JSON with itself as equal', () => {
    fc.assert(
      fc.property(json, (value) => {
        const scope = { input: { x: value, y: JSON.parse(JSON.stringify(value)) as Json } };

        expect(valueOf(evaluateCel(valueOf(compileCel('input.x == input.y')), scope))).toBe(true);
      }),
      RUNS,
    );
  });

  it('compute with numbers as JavaScript does', () => {
    const number = fc.integer({ min: -1_000, max: 1_000 }).map((value) => value / 4);

    fc.assert(
      fc.property(number, fc.integer({ min: 1, max: 99 }), (a, b) => {
        const text = `[input.a + ${b}, ${b} - input.a, input.a * ${b}, input.a / ${b}, input.a % ${b}, input.a + input.b]`;

        expect(valueOf(evaluateCel(valueOf(compileCel(text)), { input: { a, b } }))).toEqual([
          a + b,
          b - a,
          a * b,
          a / b,
          a % b,
          a + b,
        ]);
      }),
      RUNS,
    );
  });

  it('cost at least the steps that their loops take', () => {
    const matrix = fc.array(fc.array(fc.array(fc.integer(), { maxLength: 4 }), { maxLength: 4 }), {
      maxLength: 4,
    });

    fc.assert(
      fc.property(matrix, (x) => {
        const cost = (text: string): number =>
          estimateCost(valueOf(compileCel(text)).program.ast, { input: { x } });

        expect(cost('input.x.map(a, a.map(b, b.map(c, c)))')).toBeGreaterThanOrEqual(x.flat(2).length);
        expect(cost('input.x.map(a, a.map(b, input.x.map(c, b)))')).toBeGreaterThanOrEqual(
          x.flat().length * x.length,
        );
      }),
      RUNS,
    );
  });

  it('are refused or evaluated, and never throw', () => {
    fc.assert(
      fc.property(wildText, json, (text, x) => {
        const compiled = compileCel(text);
        const code = compiled.ok
          ? codeOf(evaluateCel(compiled.value, { input: { x } }))
          : compiled.failure.code;

        expect(['ok', 'expression.failed', 'expression.invalid']).toContain(code);
      }),
      RUNS,
    );
  });
});

function objectOf(entries: readonly (readonly [string, Json])[]): Json {
  return JSON.parse(
    `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`,
  ) as Json;
}

function evaluate(text: string, scope: { readonly [root: string]: Json }): Json {
  return valueOf(evaluateTemplate(valueOf(compileTemplate(text)), scope));
}

function valueOf<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

function codeOf(result: Result<Json>): string {
  return result.ok ? 'ok' : result.failure.code;
}
