import type { Json } from '../kernel/json.js';
import { compileValue, evaluateValue, type CompiledValue } from './value.js';

const ROOTS: ReadonlySet<string> = new Set(['input', 'steps']);
const SCOPE = { input: { name: 'Ann', list: [1, { a: 2 }], nothing: null }, steps: {} };

describe('a value', () => {
  it('without templates is itself', () => {
    const json = { prompt: 'plain', nested: [{ deep: true }, null, 1.5] };

    expect(evaluate(json)).toBe(json);
  });

  it('evaluates strings wherever they stand and keeps their types', () => {
    const json = {
      a: '{{ input.list }}',
      b: ['x', 'Hi {{ input.name }}', { c: '{{ input.nothing }}' }],
      d: 1,
    };

    expect(evaluate(json)).toEqual({ a: [1, { a: 2 }], b: ['x', 'Hi Ann', { c: null }], d: 1 });
  });

  it('shares what has no templates and leaves the original as it was', () => {
    const json = { plain: { big: [1, 2, 3] }, prompt: '{{ input.name }}' };
    const result = evaluate(json) as typeof json;

    expect(result.plain).toBe(json.plain);
    expect(json.prompt).toBe('{{ input.name }}');
  });

  it('keeps keys as they are, hostile ones and such with braces', () => {
    const text =
      '{"__proto__":"{{ input.name }}","constructor":["{{ input.name }}",{"__proto__":{"toString":"{{ input.name }}"}}],"{{ key }}":1}';
    const result = evaluate(JSON.parse(text) as Json);

    expect(JSON.stringify(result)).toBe(text.replaceAll('{{ input.name }}', 'Ann'));
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it('can be one string', () => {
    expect(evaluate('{{ input.list }}')).toEqual([1, { a: 2 }]);
  });

  it('names what is missing in all of its strings', () => {
    const value = compiled({
      a: '{{ input.a }}',
      b: ['{{ input.b }} {{ input.a }}'],
      c: '{{ 1 | divided_by: 0 }}',
    });

    expect(evaluateValue(value, SCOPE)).toMatchObject({
      ok: false,
      failure: { code: 'template.variable-missing', details: { variables: ['input.a', 'input.b'] } },
    });
  });

  it('fails with the place of the first text that fails', () => {
    const value = compiled({
      a: '{{ input.name }}',
      'b/c': [0, '{{ 1 | divided_by: 0 }}'],
      d: '{{ "%" | url_decode }}',
    });

    expect(evaluateValue(value, SCOPE)).toMatchObject({
      ok: false,
      failure: { code: 'expression.failed', details: { pointer: '/b~1c/1', line: 1, column: 1 } },
    });
  });

  it('bounds the work of all of its strings together', () => {
    const half = '{% for i in (1..60000) %}{% endfor %}';

    expect(evaluateValue(compiled([half]), SCOPE)).toMatchObject({ ok: true });
    expect(evaluateValue(compiled([half, half]), SCOPE)).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('more than 100000 parts'), details: { pointer: '/1' } },
    });
  });

  it('reads what all of its strings read, each with its place', () => {
    const { references, texts } = compiled({
      a: '{{ steps.a.output }}',
      b: ['{{ steps.b.status }} {{ steps.a.error }}'],
    });

    expect([...references.roots]).toEqual(['steps']);
    expect(Array.from(references.steps, ([id, fields]) => [id, ...fields])).toEqual([
      ['a', 'output', 'error'],
      ['b', 'status'],
    ]);
    expect(texts.map(({ pointer }) => pointer)).toEqual(['/a', '/b/0']);
  });

  it('is refused with every problem of every string', () => {
    const json = { a: ['{{ secrets.key }}', 'fine'], 'b~': '{{ input.name', c: '{{ steps.a.result }}' };

    expect(compileValue(json, { roots: ROOTS })).toMatchObject({
      ok: false,
      failure: [
        { pointer: '/a/0', code: 'reference.unknown-root', line: 1, column: 4 },
        { pointer: '/b~0', code: 'expression.invalid', line: 1, column: 1 },
        { pointer: '/c', code: 'reference.unknown-field' },
      ],
    });
  });

  it('is refused when it nests too deeply', () => {
    const json = JSON.parse(`${'['.repeat(5_000)}"{{ input.name }}"${']'.repeat(5_000)}`) as Json;

    expect(compileValue(json)).toMatchObject({ ok: false, failure: [{ code: 'expression.invalid' }] });
  });
});

function compiled(json: Json): CompiledValue {
  const result = compileValue(json, { roots: ROOTS });
  if (!result.ok) throw new Error(result.failure.map(({ message }) => message).join());
  return result.value;
}

function evaluate(json: Json): Json {
  const result = evaluateValue(compiled(json), SCOPE);
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}
