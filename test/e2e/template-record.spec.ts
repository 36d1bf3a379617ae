/** Templates and the record: many saves at once, cached renderings, what refers to a template. */
import { Module } from '@nestjs/common';

import type { Page } from '../../src/kernel/page.js';
import type { TemplateDto, TemplateRevisionDto } from '../../src/templates/dto/template.dto.js';
import {
  ReferenceCheck,
  ReferenceChecks,
  type ReferredTemplate,
  type TemplateReference,
} from '../../src/templates/reference.check.js';
import { TemplatesModule } from '../../src/templates/templates.module.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { SqlLog } from '../support/sql-log.js';
import { aTemplate, refusalIn, rendered } from '../support/templates.js';

const NO_LIMITS = { RATE_LIMIT_WRITE: '0', RATE_LIMIT_RENDER: '0', RATE_LIMIT_READ: '0' };
/** Stands for stored workflows. */
class FakeReferences extends ReferenceCheck {
  readonly used = new Map<string, readonly TemplateReference[]>();

  override referencesTo(
    namespace: string,
    { id, name }: ReferredTemplate,
  ): Promise<readonly TemplateReference[]> {
    const found = namespace === 'default' ? (this.used.get(id) ?? this.used.get(name)) : undefined;
    return Promise.resolve(found ?? []);
  }
}

const references = new FakeReferences();

@Module({ imports: [TemplatesModule] })
class ReferringModule {
  constructor(checks: ReferenceChecks) {
    checks.register(references);
  }
}

let log: SqlLog;
let service: RunningApp;
let api: Api;

beforeAll(async () => {
  log = new SqlLog();
  // A follower of the log reads beside what is measured here.
  const env = { ...NO_LIMITS, METRICS_ENABLED: 'false' };
  service = await startApp({ env, imports: [ReferringModule] });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
  log.close();
});

async function versionsOf(id: string): Promise<readonly TemplateRevisionDto[]> {
  const all: TemplateRevisionDto[] = [];
  let cursor = '';
  for (;;) {
    const { body } = await api.get<Page<TemplateRevisionDto>>(`/templates/${id}/versions?limit=200${cursor}`);
    all.push(...body.items);
    if (body.nextCursor === undefined) return all;
    cursor = `&cursor=${body.nextCursor}`;
  }
}

describe('1,000 saves of one template at the same time', () => {
  const contents = Array.from({ length: 1_000 }, (_, index) => `content ${String(index)}`);

  it('make as many versions as succeed, numbered without a gap, and none is lost', async () => {
    const { id } = await aTemplate(api, 'first');

    const answers = await Promise.all(
      contents.map((content) => api.put<TemplateDto>(`/templates/${id}`, { content })),
    );

    const saved = answers.filter(({ status }) => status === 200).map(({ body }) => body);
    const numbers = saved.map(({ version }) => version).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from(saved, (_, index) => index + 2));
    expect(saved).toHaveLength(1_000);
    const versions = await versionsOf(id);
    expect(versions.map(({ version }) => version)).toEqual(
      Array.from({ length: saved.length + 1 }, (_, index) => saved.length + 1 - index),
    );
    for (const { version, content } of saved.slice(0, 100)) {
      const { body } = await api.get<TemplateDto>(`/templates/${id}/versions/${String(version)}`);
      expect(body.content).toBe(content);
    }
    expect(new Set(saved.map(({ content }) => content)).size).toBe(1_000);
  });

  it('that are all based on one version make one', async () => {
    const { id } = await aTemplate(api, 'first');

    const answers = await Promise.all(
      contents.map((content) => api.put<TemplateDto>(`/templates/${id}`, { content }, { 'If-Match': '"1"' })),
    );

    const saved = answers.filter(({ status }) => status === 200);
    expect(saved.map(({ body }) => body.version)).toEqual([2]);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(999);
    expect((await api.get<TemplateDto>(`/templates/${id}`)).body.content).toBe(saved[0]?.body.content);
  });
});

describe('a cached rendering', () => {
  it('by label, by id or by name, with includes, executes no SQL', async () => {
    const inner = await aTemplate(api, 'in {{ place }}');
    const { id, name } = await aTemplate(api, `{{ user.name }} {% render "${inner.name}@latest" %}`);
    await api.put(`/templates/${id}/labels/production`, { version: 1 });
    const request = { variables: { user: { name: 'Ada' }, place: 'Rome' }, label: 'production' };
    await rendered(api, id, request);
    await rendered(api, name, request);

    const statements = await log.during(async () => {
      for (let count = 0; count < 25; count += 1) {
        expect((await rendered(api, id, request)).text).toBe('Ada in Rome');
        expect((await rendered(api, name, request)).text).toBe('Ada in Rome');
      }
    });

    expect(statements).toEqual([]);
  });

  it('is counted rightly: an edit makes the next one read the head again', async () => {
    const { id } = await aTemplate(api, 'one');
    await rendered(api, id);

    const statements = await log.during(async () => {
      await api.put(`/templates/${id}`, { content: 'two' });
      expect((await rendered(api, id)).text).toBe('two');
    });

    expect(statements).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^update "templates"/),
        expect.stringMatching(/from "templates" left join "template_labels"/),
        expect.stringMatching(/from "template_versions"/),
      ]),
    );
  });

  it.each([
    ['an edit', (id: string) => api.put(`/templates/${id}`, { content: 'two' }), 'two', 'latest'],
    [
      'a label',
      async (id: string) => {
        await api.put(`/templates/${id}`, { content: 'two' });
        return api.put(`/templates/${id}/labels/production`, { version: 1 });
      },
      'one',
      'production',
    ],
    [
      'a rollback',
      async (id: string) => {
        await api.put(`/templates/${id}`, { content: 'two' });
        await rendered(api, id);
        return api.post(`/templates/${id}/rollback`, { version: 1 });
      },
      'one',
      'latest',
    ],
  ])('sees %s at once', async (_, edit, text, label) => {
    const { id } = await aTemplate(api, 'one');
    await rendered(api, id);

    await edit(id);

    expect(await rendered(api, id)).toMatchObject({ text, template: { label } });
  });
});

describe('deleting a template that something refers to', () => {
  it('is refused, and says by what, unless it is forced', async () => {
    const { id, name } = await aTemplate(api, 'x');
    references.used.set(name, [
      { kind: 'workflow', id: 'wf_1', version: 3 },
      { kind: 'pattern', id: 'p' },
    ]);

    const answer = await api.delete<ProblemDocument>(`/templates/${id}`);

    expect(refusalIn(answer)).toEqual([409, 'template.in-use', undefined]);
    expect(answer.body.detail).toContain('used by workflow wf_1 version 3, pattern p');
    expect(answer.body.details).toEqual({
      references: [
        { kind: 'workflow', id: 'wf_1', version: 3 },
        { kind: 'pattern', id: 'p' },
      ],
    });
    expect((await api.get(`/templates/${id}`)).status).toBe(200);
    expect((await api.delete(`/templates/${id}?force=true`)).status).toBe(204);
    expect((await api.get(`/templates/${id}`)).status).toBe(404);
  });

  it('is refused while a version of another template includes it, and says which', async () => {
    const inner = await aTemplate(api, 'x');
    const quoting = await aTemplate(api, `{{ "${inner.name}" }}`);
    const outer = await aTemplate(api, `{% render '${inner.name}@latest' %}`);
    await api.put(`/templates/${outer.id}`, {
      content: `{% if a %}{% include "${inner.name}" %}{% endif %}`,
    });
    await api.put(`/templates/${outer.id}`, { content: 'alone' });

    const answer = await api.delete<ProblemDocument>(`/templates/${inner.name}`);

    expect(refusalIn(answer)).toEqual([409, 'template.in-use', undefined]);
    expect(answer.body.detail).toContain(`"${inner.name}" is used by template ${outer.name} version 2.`);
    expect(answer.body.details).toEqual({
      references: [{ kind: 'template', id: outer.id, name: outer.name, version: 2 }],
    });
    expect((await rendered(api, outer.id, { version: 1 })).text).toBe('x');
    expect((await api.delete(`/templates/${quoting.id}`)).status).toBe(204);
    expect((await api.delete(`/templates/${outer.id}`)).status).toBe(204);
    expect((await api.delete(`/templates/${inner.id}`)).status).toBe(204);
  });
});

it('the examples are there on a fresh start', async () => {
  const first = await api.get<Page<{ name: string }>>('/templates?tag=example');

  expect(first.body.items.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['greeting', 'support-chat', 'signature', 'old-notice']),
  );
});
