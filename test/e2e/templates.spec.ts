/** Templates over HTTP: versions, labels, includes, renderings, differences. */
import type {
  TemplateDiffDto,
  TemplateDto,
  TemplateItemDto,
  TemplateRevisionDto,
} from '../../src/templates/dto/template.dto.js';
import type { RenderedTemplateDto } from '../../src/templates/dto/render-template.dto.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aName, aTemplate, refusalIn, rendered } from '../support/templates.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_WRITE: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const read = async (path: string): Promise<TemplateDto> => {
  const { status, body } = await api.get<TemplateDto>(`/templates/${path}`);
  expect(status).toBe(200);
  return body;
};

describe('creating', () => {
  it('answers version 1 with its place, and finds undeclared variables', async () => {
    const name = aName();
    const { status, headers, body } = await api.post<TemplateDto>('/templates', {
      name,
      content: 'Hello {{ user.name }}{{ topics[0].title }}, {{ tone }}',
      variables: [{ name: 'tone', type: 'string', default: 'kindly', description: 'How.' }],
      description: 'A greeting',
      tags: ['b', 'a', 'b'],
      changeNote: 'first',
    });

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/v1/templates/${body.id}`);
    expect(headers.get('etag')).toBe('"1"');
    expect(body).toMatchObject({
      ...{ name, version: 1, kind: 'text', description: 'A greeting', tags: ['b', 'a'], changeNote: 'first' },
      ...{ author: 'anonymous', undeclaredVariables: ['user', 'topics'], latestVersion: 1 },
      labels: [{ label: 'latest', version: 1 }],
      variables: [{ name: 'tone', type: 'string', default: 'kindly', description: 'How.' }],
    });
    expect((await read(body.id)).label).toBe('latest');
    expect(await read(name)).toEqual(await read(body.id));
  });

  it('refuses a name that is taken', async () => {
    const { name } = await aTemplate(api, 'x');

    expect(refusalIn(await api.post('/templates', { name, content: 'y' }))).toEqual([
      409,
      'template.name-taken',
      undefined,
    ]);
  });

  it('answers a repeated key with the first template', async () => {
    const body = { name: aName(), content: 'x' };
    const key = { 'Idempotency-Key': body.name };

    const first = await api.post<TemplateDto>('/templates', body, key);
    const second = await api.post<TemplateDto>('/templates', body, key);

    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.headers.get('etag')).toBe('"1"');
  });

  it('keeps the author: the key that asked', async () => {
    const secured = await startApp({ env: { ADMIN_KEY: 'a-key-of-the-administrator' } });
    try {
      const admin = new Api(secured.url, { authorization: 'Bearer a-key-of-the-administrator' });

      expect((await aTemplate(admin, 'x')).author).toMatch(/^key_/);
    } finally {
      await secured.close();
    }
  });
});

describe('saving', () => {
  it('makes a version, keeps what is left out, and never changes an old one', async () => {
    const { id } = await aTemplate(api, { content: 'one', tags: ['t'], description: 'd' });
    const before = await read(`${id}/versions/1`);

    const { status, headers, body } = await api.put<TemplateDto>(`/templates/${id}`, {
      content: 'two',
      changeNote: 'why',
    });

    expect([status, headers.get('etag')]).toEqual([200, '"2"']);
    expect(body).toMatchObject({
      version: 2,
      content: 'two',
      tags: ['t'],
      description: 'd',
      changeNote: 'why',
    });
    expect(await read(`${id}/versions/1`)).toEqual(
      Object.assign({}, before, { latestVersion: 2, labels: body.labels }),
    );
  });

  it('makes no version when nothing changes', async () => {
    const body = { content: 'one', tags: ['t'], variables: [{ name: 'x', type: 'any' }] };
    const { id } = await aTemplate(api, body);

    const same = await api.put<TemplateDto>(`/templates/${id}`, { ...body, changeNote: 'nothing' });

    expect(same.body).toMatchObject({ version: 1, latestVersion: 1 });
    expect(same.body.changeNote).toBeUndefined();
    const { body: list } = await api.get<{ items: TemplateRevisionDto[] }>(`/templates/${id}/versions`);
    expect(list.items).toHaveLength(1);
  });

  it('is refused when it is based on another version', async () => {
    const { id } = await aTemplate(api, 'one');
    const first = await api.put<TemplateDto>(`/templates/${id}`, { content: 'two' }, { 'If-Match': '"1"' });
    const late = await api.put(`/templates/${id}`, { content: 'three' }, { 'If-Match': '"1"' });
    const odd = await api.put(`/templates/${id}`, { content: 'three' }, { 'If-Match': 'one' });

    expect(first.body.version).toBe(2);
    expect(refusalIn(late)).toEqual([412, 'version.stale', undefined]);
    expect(refusalIn(odd)).toEqual([400, 'request.invalid', undefined]);
    expect((await read(id)).content).toBe('two');
  });

  it('turns a text into a chat', async () => {
    const { id } = await aTemplate(api, 'one');

    const { body } = await api.put<TemplateDto>(`/templates/${id}`, {
      messages: [{ role: 'user', content: 'hi' }],
    });

    expect(body).toMatchObject({ version: 2, kind: 'chat', messages: [{ role: 'user', content: 'hi' }] });
    expect(body.content).toBeUndefined();
  });

  it('by rollback makes a version that says what an old one says', async () => {
    const { id } = await aTemplate(api, { content: 'one {{ a }}', tags: ['old'] });
    await api.put(`/templates/${id}`, { content: 'two', tags: ['new'] });

    const { status, body } = await api.post<TemplateDto>(`/templates/${id}/rollback`, { version: 1 });
    const again = await api.post<TemplateDto>(`/templates/${id}/rollback`, { version: 3 });
    const stale = await api.post(`/templates/${id}/rollback`, { version: 1 }, { 'If-Match': '"2"' });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ version: 3, content: 'one {{ a }}', tags: ['old'], undeclaredVariables: ['a'] },
      changeNote: 'rollback to version 1',
    });
    expect(again.body.version).toBe(3);
    expect(refusalIn(stale)).toEqual([412, 'version.stale', undefined]);
    expect(refusalIn(await api.post(`/templates/${id}/rollback`, { version: 9 }))).toEqual([
      404,
      'template.version-not-found',
      undefined,
    ]);
  });
});

describe('labels', () => {
  it('move with a reason; production is what is meant where none is named', async () => {
    const { id } = await aTemplate(api, 'one');
    await api.put(`/templates/${id}`, { content: 'two' });
    const moved = await api.put<TemplateDto>(`/templates/${id}/labels/production`, {
      version: 1,
      reason: 'tested',
    });

    expect(moved.body).toMatchObject({ version: 1, label: 'production' });
    expect(moved.body.labels).toEqual([
      { label: 'latest', version: 2 },
      {
        label: 'production',
        version: 1,
        reason: 'tested',
        movedBy: 'anonymous',
        movedAt: expect.any(String),
      },
    ]);
    expect(await read(id)).toMatchObject({ version: 1, label: 'production' });
    expect(await read(`${id}?label=latest`)).toMatchObject({ version: 2, label: 'latest' });
    expect((await read(`${id}?version=2`)).label).toBeUndefined();
  });

  it('are gone when they are taken away, and asking for one by name is 404', async () => {
    const { id } = await aTemplate(api, 'one');
    await api.put(`/templates/${id}/labels/production`, { version: 1 });

    expect((await api.delete(`/templates/${id}/labels/production`)).status).toBe(204);

    const notFound = [404, 'template.label-not-found', undefined];
    expect(refusalIn(await api.delete(`/templates/${id}/labels/production`))).toEqual(notFound);
    expect(refusalIn(await api.get(`/templates/${id}?label=production`))).toEqual(notFound);
    expect(refusalIn(await api.post(`/templates/${id}/render`, { label: 'production' }))).toEqual(notFound);
    expect(await read(id)).toMatchObject({ label: 'latest' });
  });

  it.each([
    ['latest, which is the system’s', 'latest', 1, 422, 'template.label-reserved'],
    ['a version that is not there', 'staging', 9, 404, 'template.version-not-found'],
    ['a name that is no label', 'Not+a+label', 1, 400, 'request.invalid'],
  ])('refuse %s', async (_, label, version, status, code) => {
    const { id } = await aTemplate(api, 'one');

    const answer = await api.put(`/templates/${id}/labels/${label}`, { version });

    expect(refusalIn(answer).slice(0, 2)).toEqual([status, code]);
  });

  it('refuse to take latest away', async () => {
    const { id } = await aTemplate(api, 'one');

    expect(refusalIn(await api.delete(`/templates/${id}/labels/latest`))[1]).toBe('template.label-reserved');
  });
});

describe('lists', () => {
  it('are in pages, newest first, by tag and by search', async () => {
    const tag = aName();
    const made: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      made.unshift((await aTemplate(api, { content: 'x', tags: [tag], description: `Of ${tag}` })).id);
    }
    const list = async (query: string): Promise<{ items: TemplateItemDto[]; nextCursor?: string }> =>
      (await api.get<{ items: TemplateItemDto[]; nextCursor?: string }>(`/templates?${query}`)).body;

    const first = await list(`tag=${tag}&limit=2`);
    const second = await list(`tag=${tag}&limit=2&cursor=${first.nextCursor ?? ''}`);

    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
    expect(second.nextCursor).toBeUndefined();
    expect((await list(`search=OF+${tag}`)).items).toHaveLength(3);
    expect((await list('search=nothing-has-this')).items).toEqual([]);
    expect(first.items[0]).toMatchObject({ latestVersion: 1, kind: 'text', tags: [tag] });
  });

  it('of versions are in pages, newest first', async () => {
    const { id } = await aTemplate(api, { content: '1', changeNote: 'one' });
    for (const content of ['2', '3']) await api.put(`/templates/${id}`, { content });
    interface Page {
      readonly items: readonly TemplateRevisionDto[];
      readonly nextCursor: string;
    }

    const { body: first } = await api.get<Page>(`/templates/${id}/versions?limit=2`);
    const { body: second } = await api.get<Page>(
      `/templates/${id}/versions?limit=2&cursor=${first.nextCursor}`,
    );

    expect(first.items.map(({ version }) => version)).toEqual([3, 2]);
    expect(second.items).toEqual([
      { version: 1, kind: 'text', author: 'anonymous', changeNote: 'one', createdAt: expect.any(String) },
    ]);
  });
});

describe('rendering', () => {
  it('puts values in, with defaults, conditions, loops, filters and nested paths', async () => {
    const { id, name } = await aTemplate(api, {
      content:
        '{{ user.name | upcase }}, {{ items[0].title }}{% if extra %} +{{ extra }}{% endif %}' +
        '{% for item in items %} {{ forloop.index }}:{{ item.title }}{% endfor %} {{ tone }} {{ size | default: "S" }}',
      variables: [
        { name: 'tone', type: 'string', default: 'calm' },
        { name: 'extra', type: 'string', required: false },
        { name: 'items', type: 'array' },
      ],
    });
    const variables = { user: { name: 'Ada' }, items: [{ title: 'x' }, { title: 'y' }] };

    const byId = await rendered(api, id, { variables });

    expect(byId).toEqual({
      template: { id, name, version: 1, label: 'latest' },
      kind: 'text',
      text: 'ADA, x 1:x 2:y calm S',
      usedVariables: ['user', 'items', 'tone'],
      missingVariables: ['extra', 'size'],
      tokenEstimate: { tokens: 6, estimator: 'chars-div-4' },
    });
    expect(await rendered(api, name, { variables })).toEqual(byId);
  });

  it('of a chat gives messages, with a list of messages in its place', async () => {
    const { id } = await aTemplate(api, {
      messages: [
        { role: 'system', content: 'You are {{ who }}.' },
        { placeholder: 'history' },
        { role: 'user', content: '{{ question }}' },
      ],
    });
    const history = [
      { role: 'user', content: '{{ question }}' },
      { role: 'assistant', content: 'yes' },
    ];

    const { kind, messages, usedVariables } = await rendered(api, id, {
      variables: { who: 'Bo', history, question: 'Why?' },
    });

    expect(kind).toBe('chat');
    expect(usedVariables).toEqual(['who', 'history', 'question']);
    expect(messages).toEqual([
      { role: 'system', content: 'You are Bo.' },
      ...history,
      { role: 'user', content: 'Why?' },
    ]);
  });

  it('of a content that is not stored works with includes', async () => {
    const { name } = await aTemplate(api, 'for {{ who }}');
    const { status, body } = await api.post<RenderedTemplateDto>('/templates/render', {
      content: `Made {% render "${name}" %} {{ 1 | plus: 1 }}`,
      variables: { who: 'you' },
    });

    expect(status).toBe(200);
    expect(body).toMatchObject({ text: 'Made for you 2', usedVariables: ['who'] });
    expect(body.template).toBeUndefined();
  });

  it('names every missing variable, each with its pointer', async () => {
    const { id } = await aTemplate(api, {
      content: '{{ a }} {{ user.name }} {{ items[1].title }} {{ declared }}',
      variables: [
        { name: 'declared', type: 'string' },
        { name: 'unused', type: 'string', required: true },
      ],
    });

    const { status, body } = await api.post<{ details: object; issues: { pointer: string }[] }>(
      `/templates/${id}/render`,
      { variables: { items: [{}] } },
    );

    expect(status).toBe(422);
    expect(body.details).toEqual({ variables: ['declared', 'unused', 'a', 'user.name', 'items[1].title'] });
    expect(body.issues.map(({ pointer }) => pointer)).toEqual([
      '/variables/declared',
      '/variables/unused',
      '/variables/a',
      '/variables/user/name',
      '/variables/items/1/title',
    ]);
  });

  it('checks types and schemas of values', async () => {
    const { id } = await aTemplate(api, {
      content: '{{ s }}{{ n }}{{ i }}{{ b }}{{ l }}{{ o.x }}',
      variables: [
        { name: 's', type: 'string', schema: { maxLength: 2 } },
        { name: 'n', type: 'number' },
        { name: 'i', type: 'integer' },
        { name: 'b', type: 'boolean' },
        { name: 'l', type: 'array' },
        { name: 'o', type: 'object', schema: { properties: { x: { type: 'string' } } } },
      ],
    });
    const variables = { s: 'long', n: '1', i: 1.5, b: 0, l: {}, o: { x: 1 } };

    const { status, body } = await api.post<{ code: string; issues: { pointer: string }[] }>(
      `/templates/${id}/render`,
      { variables },
    );

    expect([status, body.code]).toEqual([422, 'template.variable-invalid']);
    expect(body.issues.map(({ pointer }) => pointer)).toEqual([
      ...['/variables/s', '/variables/n', '/variables/i', '/variables/b', '/variables/l', '/variables/o/x'],
    ]);
  });
});

describe('includes', () => {
  it('follow a label at once when it moves, and a version never', async () => {
    const inner = await aTemplate(api, 'one');
    await api.put(`/templates/${inner.id}/labels/live`, { version: 1 });
    const { name } = inner;
    const outer = await aTemplate(
      api,
      `{% render "${name}@live" %} {% render "${name}@1" %} {% render "${name}" %}`,
    );
    const text = async (): Promise<string | undefined> => (await rendered(api, outer.id)).text;
    expect(await text()).toBe('one one one');

    await api.put(`/templates/${inner.id}`, { content: 'two' });
    expect(await text()).toBe('one one two');

    await api.put(`/templates/${inner.id}/labels/live`, { version: 2 });
    expect(await text()).toBe('two one two');
  });

  it('bring their declarations along, unless they are given their variables', async () => {
    const { name } = await aTemplate(api, {
      content: '{{ firm }}/{{ place }}',
      variables: [
        { name: 'firm', type: 'string', default: 'ACME' },
        { name: 'place', type: 'string' },
      ],
    });
    const outer = await aTemplate(api, `{% render "${name}", place: city %}`);

    expect(outer.undeclaredVariables).toEqual(['city']);
    expect((await rendered(api, outer.id, { variables: { city: 'Rome' } })).text).toBe('ACME/Rome');
  });

  it('are refused when they are gone at the time of rendering', async () => {
    const inner = await aTemplate(api, 'x');
    const outer = await aTemplate(api, `{% render "${inner.name}" %}`);
    await rendered(api, outer.id);
    await api.delete(`/templates/${inner.id}?force=true`);

    expect(refusalIn(await api.post(`/templates/${outer.id}/render`, {}))).toEqual([
      422,
      'template.invalid',
      '/content',
    ]);
  });

  it('may nest 5 deep', async () => {
    let { name } = await aTemplate(api, 'core');
    for (let depth = 0; depth < 5; depth += 1) {
      ({ name } = await aTemplate(api, `{% render "${name}" %}`));
    }

    expect((await rendered(api, name)).text).toBe('core');
    const sixth = await api.post('/templates', { name: aName(), content: `{% render "${name}" %}` });
    expect(refusalIn(sixth)).toEqual([422, 'template.invalid', '/content']);
  });
});

describe('differences', () => {
  it('are lines, and variables that were added, removed and changed', async () => {
    const { id } = await aTemplate(api, {
      content: 'a\nb\nc {{ gone }}',
      variables: [
        { name: 'tone', type: 'string' },
        { name: 'old', type: 'any', required: false },
      ],
    });
    await api.put(`/templates/${id}`, {
      content: 'a\nB\nc {{ fresh }}\nd',
      variables: [{ name: 'tone', type: 'string', default: 'x' }],
    });

    const { status, body } = await api.get<TemplateDiffDto>(`/templates/${id}/diff?from=1&to=2`);

    expect(status).toBe(200);
    expect(body.lines).toEqual([
      { op: 'same', from: 1, to: 1, text: 'a' },
      { op: 'removed', from: 2, text: 'b' },
      { op: 'removed', from: 3, text: 'c {{ gone }}' },
      { op: 'added', to: 2, text: 'B' },
      { op: 'added', to: 3, text: 'c {{ fresh }}' },
      { op: 'added', to: 4, text: 'd' },
    ]);
    expect(body.variables).toEqual({
      added: [{ name: 'fresh' }],
      removed: [{ name: 'old', type: 'any', required: false }, { name: 'gone' }],
      changed: [
        {
          name: 'tone',
          from: { name: 'tone', type: 'string' },
          to: { name: 'tone', type: 'string', default: 'x' },
        },
      ],
    });
    expect((await api.get<TemplateDiffDto>(`/templates/${id}/diff`)).body).toEqual(body);
    expect(refusalIn(await api.get(`/templates/${id}/diff?from=1&to=7`))[1]).toBe(
      'template.version-not-found',
    );
  });
});

describe('deleting', () => {
  it('takes a template away with all its versions, and frees its name', async () => {
    const { id, name } = await aTemplate(api, 'x');
    await rendered(api, name);

    expect((await api.delete(`/templates/${name}`)).status).toBe(204);

    for (const path of [id, name, `${id}/versions/1`, `${id}/versions`, `${id}/diff`]) {
      expect(refusalIn(await api.get(`/templates/${path}`))).toEqual([404, 'template.not-found', undefined]);
    }
    expect(refusalIn(await api.delete(`/templates/${id}`))[0]).toBe(404);
    expect((await aTemplate(api, 'y', name)).version).toBe(1);
    expect((await rendered(api, name)).text).toBe('y');
  });
});

it('a template that is not there is 404 for every operation', async () => {
  const answers = await Promise.all([
    api.get('/templates/tpl_00000000000070008000000000000099'),
    api.put('/templates/no-such-template', { content: 'x' }),
    api.post('/templates/no-such-template/render', {}),
    api.post('/templates/no-such-template/rollback', { version: 1 }),
    api.put('/templates/no-such-template/labels/x', { version: 1 }),
    api.delete('/templates/no-such-template/labels/x'),
  ]);

  expect(answers.map(refusalIn)).toEqual(answers.map(() => [404, 'template.not-found', undefined]));
});
