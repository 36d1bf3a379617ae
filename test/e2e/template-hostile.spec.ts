/** Templates that mean harm: each row with status, code and where the first problem stands, or what comes out. */
import type { RenderedTemplateDto } from '../../src/templates/dto/render-template.dto.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aName, aTemplate, refusalIn } from '../support/templates.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_WRITE: '0', RATE_LIMIT_RENDER: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const LIMIT = 262_144;
const many = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `v${String(index)}`);

/** What is asked · content · variables · status · code · pointer of the first issue. */
const refused: readonly (readonly [string, string, string, number, string, string | undefined])[] = [
  ['constructor', '{{constructor}}', '{}', 422, 'template.variable-missing', '/variables/constructor'],
  [
    'constructor of a value',
    '{{a.constructor}}',
    '{"a":{}}',
    422,
    'template.variable-missing',
    '/variables/a/constructor',
  ],
  [
    'a constructor’s constructor',
    '{{a.constructor.constructor}}',
    '{"a":"x"}',
    422,
    'template.variable-missing',
    '/variables/a/constructor/constructor',
  ],
  ['__proto__', '{{__proto__.x}}', '{}', 422, 'template.variable-missing', '/variables/__proto__/x'],
  [
    '__proto__ of a value',
    '{{a.__proto__.toString}}',
    '{"a":{}}',
    422,
    'template.variable-missing',
    '/variables/a/__proto__/toString',
  ],
  [
    'a method of a string',
    '{{a.toUpperCase}}',
    '{"a":"x"}',
    422,
    'template.variable-missing',
    '/variables/a/toUpperCase',
  ],
  ['a method of a list', '{{a.map}}', '{"a":[1]}', 422, 'template.variable-missing', '/variables/a/map'],
  [
    'a path through a list',
    '{{a.b.c}}',
    '{"a":[{"b":1}]}',
    422,
    'template.variable-missing',
    '/variables/a/b/c',
  ],
  [
    'a path through a string',
    '{{a.b.c}}',
    '{"a":{"b":"text"}}',
    422,
    'template.variable-missing',
    '/variables/a/b/c',
  ],
  [
    'a path through a number',
    '{{a.b.c}}',
    '{"a":{"b":7}}',
    422,
    'template.variable-missing',
    '/variables/a/b/c',
  ],
  [
    'a range without end',
    '{% for i in (1..1000000000) %}{{ i }}{% endfor %}',
    '{}',
    422,
    'expression.failed',
    '/content',
  ],
  ['a range as a value', '{{ (1..1000000000) | size }}', '{}', 422, 'expression.failed', '/content'],
  [
    'loops in loops',
    '{% for a in (1..9999) %}{% for b in (1..9999) %}x{% endfor %}{% endfor %}',
    '{}',
    422,
    'expression.failed',
    '/content',
  ],
  [
    'text that grows without end',
    '{% assign a = "xxxxxxxx" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
    '{}',
    422,
    'expression.failed',
    '/content',
  ],
  [
    'a path through a missing key',
    '{{a.b.c}}',
    '{"a":{}}',
    422,
    'template.variable-missing',
    '/variables/a/b/c',
  ],
  [
    'a path through a list that is empty',
    '{{a[0].b}}',
    '{"a":[]}',
    422,
    'template.variable-missing',
    '/variables/a/0/b',
  ],
  ['a tag that reads a file', '{% layout "/etc/passwd" %}', '{}', 422, 'template.invalid', '/content'],
  ['an include of a file', '{% include "/etc/passwd" %}', '{}', 422, 'template.invalid', '/content'],
  ['an include of a path', '{% render "../../package.json" %}', '{}', 422, 'template.invalid', '/content'],
  [
    'an include that is computed',
    '{% render a %}',
    '{"a":"/etc/passwd"}',
    422,
    'template.invalid',
    '/content',
  ],
  [
    'a filter that evaluates text',
    '{{ a | where_exp: "x", "x.b" }}',
    '{"a":[]}',
    422,
    'template.invalid',
    '/content',
  ],
  ['a call of a function', '{{ a.toString() }}', '{"a":{}}', 422, 'template.invalid', '/content'],
  ['a tag without end', 'one\n{% if a %}', '{"a":1}', 422, 'template.invalid', '/content'],
  ['10,001 outputs', '{{a}}'.repeat(10_001), '{"a":1}', 422, 'template.invalid', '/content'],
  [
    'tags 40 deep',
    `${'{% if a %}'.repeat(40)}${'{% endif %}'.repeat(40)}`,
    '{"a":1}',
    422,
    'template.invalid',
    '/content',
  ],
  ['one byte more than 256 KiB', 'x'.repeat(LIMIT + 1), '{}', 413, 'template.too-large', '/content'],
  ['one byte more, of two', `${'x'.repeat(LIMIT - 1)}é`, '{}', 413, 'template.too-large', '/content'],
  [
    '10,000 variables without a value',
    many(10_000)
      .map((name) => `{{${name}}}`)
      .join(''),
    '{}',
    422,
    'template.variable-missing',
    '/variables/v0',
  ],
  ['variables that are a list', '{{a}}', '[]', 400, 'request.invalid', '/variables'],
];

it.each(refused)('%s is refused', async (_, content, variables, status, code, pointer) => {
  const body = `{"content":${JSON.stringify(content)},"variables":${variables}}`;

  expect(refusalIn(await api.postText('/templates/render', body))).toEqual([status, code, pointer]);
});

/** What is asked · content · variables · what comes out. */
const taken: readonly (readonly [string, string, unknown, string])[] = [
  [
    'a value that contains Liquid stays text',
    '{{a}} {{b}}',
    { a: '{{b}}{% if %}', b: 'x' },
    '{{b}}{% if %} x',
  ],
  ['a key named __proto__ is a key', '{{a.b}}', JSON.parse('{"a":{"__proto__":{"b":1},"b":2}}'), '2'],
  ['an own key named constructor is a key', '{{constructor.name}}', { constructor: { name: 'own' } }, 'own'],
  ['null that is given is no text', '[{{a}}]', { a: null }, '[]'],
  ['what stands behind null that is given is null', '[{{a.b.c}}]', { a: { b: null } }, '[]'],
  ['a default stands in for what is behind null', '{{a.b.c | default: "x"}}', { a: null }, 'x'],
  ['no time is known', '{{ "x" | date: "%Y" }}', {}, 'x'],
  ['256 KiB are taken', 'x'.repeat(LIMIT), {}, 'x'.repeat(LIMIT)],
  [
    '10,000 variables are taken',
    many(10_000)
      .map((name) => `{{${name}}}`)
      .join(''),
    Object.fromEntries(many(10_000).map((name) => [name, 1])),
    '1'.repeat(10_000),
  ],
];

it.each(taken)('%s', async (_, content, variables, text) => {
  const { status, body } = await api.post<RenderedTemplateDto>('/templates/render', { content, variables });

  expect([status, body.text]).toEqual([200, text]);
});

/** Unbalanced braces · line and column of the problem. */
it.each([
  ['one {{ a', 1, 5],
  ['one\n  {{ a }', 2, 3],
  ['one }} two\n{{ a | }} {% if', 2, 11],
  ['{% for x in y %}\n{% endif %}', 2, 1],
  ['{{ {{ a }} }}', 1, 4],
])('%j is refused with its place when it is saved', async (content, line, column) => {
  const answer = await api.post<ProblemDocument>('/templates', { name: aName(), content });

  expect(refusalIn(answer)).toEqual([422, 'template.invalid', '/content']);
  expect(answer.body.details).toMatchObject({ line, column });
  expect(answer.body.issues?.[0]?.message).toContain(`line ${String(line)}, column ${String(column)}`);
});

/** What is wrong · the body of POST /templates · status · code · pointer. */
const malformed: readonly (readonly [string, Record<string, unknown>, number, string, string?])[] = [
  ['neither text nor messages', {}, 422, 'template.invalid', '/content'],
  [
    'both text and messages',
    { content: 'x', messages: [{ role: 'user', content: 'x' }] },
    422,
    'template.invalid',
    '/messages',
  ],
  ['a kind that the text is not', { content: 'x', kind: 'chat' }, 422, 'template.invalid', '/kind'],
  ['a message without a role', { messages: [{ content: 'x' }] }, 422, 'template.invalid', '/messages/0'],
  [
    'a role that is none',
    { messages: [{ role: 'robot', content: 'x' }] },
    400,
    'request.invalid',
    '/messages/0/role',
  ],
  [
    'a message that cannot be parsed',
    { messages: [{ placeholder: 'h' }, { role: 'user', content: '{% x' }] },
    422,
    'template.invalid',
    '/messages/1/content',
  ],
  [
    'messages larger than 256 KiB together',
    { messages: Array.from({ length: 5 }, () => ({ role: 'user', content: 'x'.repeat(60_000) })) },
    413,
    'template.too-large',
    '/messages',
  ],
  ['an empty text', { content: '' }, 400, 'request.invalid', '/content'],
  ['a name that is no slug', { name: 'Not a slug', content: 'x' }, 400, 'request.invalid', '/name'],
  ['a name like an id', { name: 'tpl_1', content: 'x' }, 400, 'request.invalid', '/name'],
  [
    'a variable that is declared twice',
    {
      content: 'x',
      variables: [
        { name: 'a', type: 'any' },
        { name: 'a', type: 'any' },
      ],
    },
    422,
    'template.invalid',
    '/variables/1/name',
  ],
  [
    'a type that is none',
    { content: 'x', variables: [{ name: 'a', type: 'date' }] },
    400,
    'request.invalid',
    '/variables/0/type',
  ],
  [
    'a default of another type',
    { content: 'x', variables: [{ name: 'a', type: 'string', default: 1 }] },
    422,
    'template.invalid',
    '/variables/0/default',
  ],
  [
    'a default beside required',
    { content: 'x', variables: [{ name: 'a', type: 'any', default: 1, required: true }] },
    422,
    'template.invalid',
    '/variables/0/required',
  ],
  [
    'a schema that is none',
    { content: 'x', variables: [{ name: 'a', type: 'any', schema: { type: 'nothing' } }] },
    422,
    'template.invalid',
    '/variables/0/schema',
  ],
  [
    'a pattern of exponential time',
    { content: 'x', variables: [{ name: 'a', type: 'any', schema: { pattern: '(a+)+$' } }] },
    422,
    'template.invalid',
    '/variables/0/schema',
  ],
  [
    '10,000 declared variables',
    { content: 'x', variables: many(10_000).map((name) => ({ name, type: 'any' })) },
    400,
    'request.invalid',
    '/variables',
  ],
  ['21 tags', { content: 'x', tags: many(21) }, 400, 'request.invalid', '/tags'],
  [
    'a note of 501 characters',
    { content: 'x', changeNote: 'x'.repeat(501) },
    400,
    'request.invalid',
    '/changeNote',
  ],
  ['an unknown field', { content: 'x', colour: 1 }, 400, 'request.invalid', '/colour'],
];

it.each(malformed)('%s is refused when it is saved', async (_, body, status, code, pointer) => {
  expect(refusalIn(await api.post('/templates', Object.assign({ name: aName() }, body)))).toEqual([
    status,
    code,
    pointer,
  ]);
});

describe('an include cycle is refused when it is saved', () => {
  it('of a template with itself', async () => {
    const { id, name } = await aTemplate(api, 'x');

    const answer = await api.put<ProblemDocument>(`/templates/${id}`, {
      content: `a\n{% render "${name}@latest" %}`,
    });

    expect(refusalIn(answer)).toEqual([422, 'template.invalid', '/content']);
    expect(answer.body.issues?.[0]?.message).toContain(`includes itself: ${name} → ${name}`);
    expect(answer.body.details).toMatchObject({ line: 2, column: 1 });
  });

  it('through others, by whatever label', async () => {
    const a = await aTemplate(api, 'x');
    const b = await aTemplate(api, `{% render "${a.name}@latest" %}`);
    const c = await aTemplate(api, `{% render "${b.name}@1" %}`);

    const answer = await api.put<ProblemDocument>(`/templates/${a.id}`, {
      content: `{% render "${c.name}" %}`,
    });

    expect(refusalIn(answer)).toEqual([422, 'template.invalid', '/content']);
    expect(answer.body.issues?.[0]?.message).toContain([a, c, b, a].map(({ name }) => name).join(' → '));
  });

  it('by moving a label', async () => {
    const a = await aTemplate(api, 'x');
    await api.put(`/templates/${a.id}/labels/live`, { version: 1 });
    const b = await aTemplate(api, `{% render "${a.name}@live" %}`);
    const c = await aTemplate(api, 'y');
    await api.put(`/templates/${a.id}`, { content: `{% render "${c.name}" %}` });
    await api.put(`/templates/${c.id}`, { content: `{% render "${b.name}" %}` });

    const answer = await api.put(`/templates/${a.id}/labels/live`, { version: 2 });

    expect(refusalIn(answer)).toEqual([422, 'template.invalid', '/content']);
  });
});

describe('an evaluation that costs too much', () => {
  const ENDLESS = '{% for i in (1..1000000000) %}{{ i }}{% endfor %}';

  it('of a message is told with the message', async () => {
    const messages = [{ placeholder: 'history' }, { role: 'user', content: `a\n${ENDLESS}` }];

    const answer = await api.post<ProblemDocument>('/templates/render', {
      messages,
      variables: { history: [] },
    });

    expect(refusalIn(answer)).toEqual([422, 'expression.failed', '/messages/1/content']);
    expect(answer.body.details).toEqual({ line: 2, column: 1 });
  });

  it('of an include is told with its name', async () => {
    const { name } = await aTemplate(api, `one\n${ENDLESS}`);
    const { id } = await aTemplate(api, `{% render "${name}" %}`);

    const answer = await api.post<ProblemDocument>(`/templates/${id}/render`, {});

    expect(refusalIn(answer)).toEqual([422, 'expression.failed', '/content']);
    expect(answer.body.issues?.[0]?.message).toMatch(new RegExp(`^in "${name}": .* \\(line 2, column 1\\)$`));
  });
});

it('nothing of all this changes what every object inherits', async () => {
  await api.postText('/templates/render', '{"content":"{{a}}","variables":{"__proto__":{"a":1},"a":"b"}}');

  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['a']).toBeUndefined();
});
