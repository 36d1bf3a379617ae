import type { Json, JsonObject } from '../../kernel/json.js';
import type { Result } from '../../kernel/result.js';
import { compilePinned, pinWith, type PinnedTemplate } from './pinned.js';
import {
  compileSource,
  contentBytesOf,
  missingIncludes,
  type SourcedTemplate,
  type TemplateProgram,
} from './parse.js';
import { renderProgram, type RenderedTemplate } from './render.js';
import type { TemplateContent, VariableDeclaration } from './template.js';
import { estimateTokens } from './token-estimate.js';

const text = (content: string, ...variables: readonly VariableDeclaration[]): TemplateContent => ({
  kind: 'text',
  content,
  variables,
});

function compiled(content: TemplateContent, includes: SourcedTemplate['includes'] = {}): TemplateProgram {
  const result = compileSource({ content, includes });
  if (!result.ok) throw new Error(JSON.stringify(result.failure));
  return result.value;
}

function render(content: TemplateContent, variables: JsonObject): Result<RenderedTemplate> {
  return renderProgram(compiled(content), variables, () => []);
}

describe('a lone output', () => {
  it.each<[Json, string]>([
    [7, '7'],
    [true, 'true'],
    [null, ''],
    [['a', 1], '["a",1]'],
    [{ a: 1 }, '{"a":1}'],
  ])('of %j is the text %j', (value, expected) => {
    expect(render(text('{{ x }}'), { x: value })).toMatchObject({ ok: true, value: { text: expected } });
  });
});

describe('values', () => {
  const declared = (fields: Partial<VariableDeclaration>): TemplateContent =>
    text('[{{ x }}]', { name: 'x', type: 'string', ...fields });

  it.each<[string, Partial<VariableDeclaration>, JsonObject, string]>([
    ['a default, where none is given', { default: 'd' }, {}, '[d]'],
    ['a default, where null is given', { default: 'd' }, { x: null }, '[d]'],
    ['nothing, where it may be left out', { required: false }, {}, '[]'],
    ['what is given', { default: 'd' }, { x: 'g' }, '[g]'],
  ])('are %s', (_, fields, variables, expected) => {
    expect(render(declared(fields), variables)).toMatchObject({ ok: true, value: { text: expected } });
  });

  it.each<[string, Partial<VariableDeclaration>, JsonObject, string]>([
    ['that are missing', {}, {}, 'template.variable-missing'],
    ['that are null and required', {}, { x: null }, 'template.variable-invalid'],
    ['of another type', {}, { x: 1 }, 'template.variable-invalid'],
  ])('%s are refused', (_, fields, variables, code) => {
    expect(render(declared(fields), variables)).toMatchObject({ ok: false, failure: { code } });
  });

  it('are not changed by defaults', () => {
    const variables = { y: 1 };
    render(declared({ default: 'd' }), variables);

    expect(variables).toEqual({ y: 1 });
  });
});

describe('missing variables', () => {
  it('are named once each, declared ones first, and wrong values beside them', () => {
    const content = text(
      '{{ u.a }} {{ u.a }} {{ d.x }} {{ n }}',
      { name: 'd', type: 'object' },
      { name: 'n', type: 'number' },
    );

    expect(render(content, { n: 'one' })).toMatchObject({
      ok: false,
      failure: {
        details: { variables: ['d', 'u.a'] },
        issues: [{ pointer: '/variables/d' }, { pointer: '/variables/u/a' }, { pointer: '/variables/n' }],
      },
    });
  });

  it.each([
    ['{{ a["b c"].d }}', '/variables/a/b c/d'],
    ["{{ a['x/y'] }}", '/variables/a/x~1y'],
    ['{{ a[0][1] }}', '/variables/a/0/1'],
    ['{{ a[i].b }}', '/variables/a'],
  ])('of %s stand at %s', (content, pointer) => {
    expect(render(text(content), { a: {}, i: 0 })).toMatchObject({
      ok: false,
      failure: { issues: [{ pointer }] },
    });
  });
});

describe('a placeholder', () => {
  const chat = (...variables: readonly VariableDeclaration[]): TemplateContent => ({
    kind: 'chat',
    messages: [{ placeholder: 'history' }],
    variables,
  });

  it('takes only what a message has', () => {
    const history = [{ role: 'user', content: 'x', extra: 1 }];

    expect(render(chat(), { history })).toMatchObject({
      ok: true,
      value: { messages: [{ role: 'user', content: 'x' }], usedVariables: ['history'] },
    });
  });

  it.each<[string, JsonObject, string, string]>([
    ['no value', {}, 'template.variable-missing', '/variables/history'],
    ['a text', { history: 'x' }, 'template.variable-invalid', '/variables/history'],
    [
      'a message without content',
      { history: [{ role: 'user' }] },
      'template.variable-invalid',
      '/variables/history/0',
    ],
    [
      'a role that is none',
      { history: [{ role: 'tool', content: 'x' }] },
      'template.variable-invalid',
      '/variables/history/0',
    ],
  ])('refuses %s', (_, variables, code, pointer) => {
    expect(render(chat(), variables)).toMatchObject({ ok: false, failure: { code, issues: [{ pointer }] } });
  });

  it('may be left out where it is declared so', () => {
    expect(render(chat({ name: 'history', type: 'messages', required: false }), {})).toMatchObject({
      ok: true,
      value: { messages: [], missingVariables: ['history'] },
    });
  });
});

describe('includes', () => {
  const include = { id: 'tpl_1', name: 'b', version: 1, content: '{{ x }}', variables: [] };

  it('are asked for until all are known', () => {
    const content = text('{% render "b" %}{% if false %}{% include "c@live" %}{% endif %}');

    expect(missingIncludes({ content, includes: {} })).toEqual(['b', 'c@live']);
    expect(missingIncludes({ content, includes: { b: include } })).toEqual(['c@live']);
    expect(missingIncludes({ content: text('no render'), includes: {} })).toEqual([]);
  });

  it('are kept with a pinned template', () => {
    const pinned: PinnedTemplate = {
      ...{ id: 'tpl_2', name: 'a', version: 1, label: 'latest' },
      ...text('{% render "b" %}'),
      includes: { b: include },
    };

    const program = compilePinned(pinned);

    expect(program).toMatchObject({ ok: true, value: { needed: ['x'] } });
    if (program.ok) expect(compilePinned(pinWith(pinned, program.value))).toEqual(program);
  });
});

it('bytes are those of UTF-8, of all messages together', () => {
  const messages = [
    { role: 'user', content: 'é€' } as const,
    { placeholder: 'x' },
    { role: 'user', content: 'a' } as const,
  ];

  expect(contentBytesOf({ kind: 'chat', messages, variables: [] })).toBe(6);
});

it.each([
  [[], 0],
  [[''], 0],
  [['abc', 'de'], 2],
  [['abcd'], 1],
])('%j has about %i tokens', (texts, tokens) => {
  expect(estimateTokens(texts)).toEqual({ tokens, estimator: 'chars-div-4' });
});
