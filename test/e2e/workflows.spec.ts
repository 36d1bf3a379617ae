/** Stored workflows over HTTP: versions, labels, differences, deletion, runs by reference. */
import type { RunView } from '../../src/runs/domain/view.js';
import { EXAMPLE_INCLUDED_TEMPLATE } from '../../src/templates/examples.js';
import type { RevisionDto } from '../../src/platform/http/dto/versions.dto.js';
import type {
  SavedWorkflowDto,
  WorkflowDiffDto,
  WorkflowDto,
  WorkflowItemDto,
} from '../../src/workflows/dto/workflow.dto.js';
import { EXAMPLE_WORKFLOW } from '../../src/workflows/examples.js';
import { Api, scripted, type Answer } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aName, aTemplate, refusalIn } from '../support/templates.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_WRITE: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const echo = (id: string, more: object = {}): object => ({ id, agent: 'echo', ...more });

/** A definition with one step whose output is the text. */
function saying(text: string, more: object = {}): object {
  return { steps: [echo('say', { input: text })], output: '{{ steps.say.output }}', ...more };
}

async function aWorkflow(definition: object = saying('one'), more: object = {}): Promise<SavedWorkflowDto> {
  const answer = await api.post<SavedWorkflowDto>('/workflows', { name: aName(), definition, ...more });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function saved(id: string, definition: object): Promise<SavedWorkflowDto> {
  const { status, body } = await api.put<SavedWorkflowDto>(`/workflows/${id}`, { definition });
  expect(status).toBe(200);
  return body;
}

async function read(path: string): Promise<WorkflowDto> {
  const { status, body } = await api.get<WorkflowDto>(`/workflows/${path}`);
  expect(status).toBe(200);
  return body;
}

const finish = (subject: object): Promise<Answer<RunView>> =>
  api.post<RunView>('/runs', subject, { Prefer: 'wait=30' });

describe('creating', () => {
  it('answers version 1 with its place, and keeps the definition as it was sent', async () => {
    const text =
      '{"steps":[{"id":"a","agent":"echo","input":{"__proto__":{"x":1},"constructor":2}}],"description":"About a."}';
    const name = aName();
    const sent = `{"name":"${name}","tags":["b","a","b"],"changeNote":"first","definition":${text}}`;
    const { status, headers, body } = await api.postText<SavedWorkflowDto>('/workflows', sent);

    expect([status, headers.get('etag')]).toEqual([201, '"1"']);
    expect(headers.get('location')).toBe(`/api/v1/workflows/${body.id}`);
    expect(body).toMatchObject({
      ...{ name, version: 1, tags: ['b', 'a'], changeNote: 'first', author: 'anonymous', latestVersion: 1 },
      ...{ labels: [{ label: 'latest', version: 1 }], warnings: [] },
    });
    expect(JSON.stringify((await read(body.id)).definition)).toBe(text);
    expect(await read(name)).toEqual(await read(body.id));
  });

  it('takes the name of the definition', async () => {
    const name = aName();

    const { status, body } = await api.post<SavedWorkflowDto>('/workflows', {
      definition: saying('x', { name }),
    });
    expect([status, body.name]).toEqual([201, name]);
  });

  it.each<[what: string, body: object, status: number, code: string, pointer: string]>([
    ['without a name', { definition: saying('x') }, 422, 'workflow.name-invalid', '/definition/name'],
    [
      'with a title for a name',
      { definition: saying('x', { name: 'A title' }) },
      422,
      'workflow.name-invalid',
      '/definition/name',
    ],
    [
      'with two names',
      { name: 'one', definition: saying('x', { name: 'two' }) },
      422,
      'workflow.name-invalid',
      '/definition/name',
    ],
    ['with the form of an id', { name: 'wf_1', definition: saying('x') }, 400, 'request.invalid', '/name'],
    ['without a definition', { name: 'x' }, 400, 'request.invalid', '/definition'],
    [
      'with an unknown agent',
      { name: 'x', definition: { steps: [{ id: 'a', agent: 'nobody' }] } },
      422,
      'definition.invalid',
      '/definition/steps/0/agent',
    ],
    [
      'with too many tags',
      { name: 'x', definition: saying('x'), tags: Array.from({ length: 21 }, String) },
      400,
      'request.invalid',
      '/tags',
    ],
  ])('refuses one %s', async (_what, body, status, code, pointer) => {
    const answer = await api.post('/workflows', body);

    expect(refusalIn(answer)).toEqual([status, code, pointer]);
  });

  it('refuses a name that is taken', async () => {
    const { name } = await aWorkflow();

    expect(refusalIn(await api.post('/workflows', { name, definition: saying('y') }))).toEqual([
      409,
      'workflow.name-taken',
      undefined,
    ]);
  });

  it('tells what may be a mistake', async () => {
    const definition = {
      steps: [
        echo('a', { outputSchema: { additionalProperties: false, properties: { x: { type: 'string' } } } }),
        echo('b', { when: '1 > 2', input: '{{ steps.a.output.y }}' }),
        echo('c', { template: { id: EXAMPLE_INCLUDED_TEMPLATE, variables: { z: 1 } } }),
      ],
    };

    const { warnings } = await aWorkflow(definition);
    expect(warnings.map(({ pointer, code, severity }) => [pointer, code, severity])).toEqual([
      ['/steps/1', 'step.unreachable', 'warning'],
      ['/steps/2/template/variables/z', 'template.variable-unknown', 'warning'],
      ['/steps/1/input', 'schema.property-missing', 'warning'],
    ]);
  });

  it('tells what an agent must refuse by its own schema, and what it cannot answer', async () => {
    const object = (properties: object, more: object = {}): object => ({
      ...{ type: 'object', additionalProperties: false, properties },
      ...more,
    });
    await api.post('/agents', {
      ...{ key: 'doubler', kind: 'echo', settings: {} },
      inputSchema: object({ n: { type: 'number' } }, { required: ['n'] }),
      outputSchema: object({ n: { type: 'number' } }),
    });
    const doubler = (id: string, input: object): object => ({ id, agent: 'doubler', input });
    const steps = [
      doubler('a', { n: 'two' }),
      doubler('b', {}),
      doubler('c', { n: '{{ steps.a.output.n }}' }),
      echo('d', { input: '{{ steps.a.output.m }}' }),
    ];

    const { warnings } = await aWorkflow({ steps });
    expect(warnings.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/steps/0/input/n', 'schema.type-mismatch'],
      ['/steps/1/input', 'schema.property-missing'],
      ['/steps/3/input', 'schema.property-missing'],
    ]);
  });
});

describe('saving', () => {
  it('makes a version, keeps what is left out, and never changes an old one', async () => {
    const { id } = await aWorkflow(saying('one'), { tags: ['t'] });
    const first = await read(`${id}/versions/1`);

    expect(await saved(id, saying('two'))).toMatchObject({ version: 2, tags: ['t'], label: 'latest' });
    const { body } = await api.put<SavedWorkflowDto>(`/workflows/${id}`, { tags: ['u'], changeNote: 'tags' });
    expect(body).toMatchObject({ version: 3, tags: ['u'], definition: saying('two'), changeNote: 'tags' });
    expect(await read(`${id}/versions/1`)).toEqual(
      Object.assign({}, first, { latestVersion: 3, labels: body.labels }),
    );
    const { body: page } = await api.get<{ items: RevisionDto[] }>(`/workflows/${id}/versions`);
    expect(page.items.map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  it('makes none when nothing changes', async () => {
    const { id } = await aWorkflow();

    expect(await saved(id, saying('one'))).toMatchObject({ version: 1, latestVersion: 1 });
  });

  it('refuses another name, a definition that may not run, and a version that is not the present one', async () => {
    const { id, name } = await aWorkflow();
    await saved(id, saying('two', { name }));

    expect(
      refusalIn(await api.put(`/workflows/${id}`, { definition: saying('x', { name: 'other' }) })),
    ).toEqual([422, 'workflow.name-invalid', '/definition/name']);
    expect(refusalIn(await api.put(`/workflows/${id}`, { definition: { steps: [] } }))).toEqual([
      422,
      'definition.invalid',
      '/definition/steps',
    ]);
    expect(
      refusalIn(await api.put(`/workflows/${id}`, { definition: saying('x') }, { 'If-Match': '"1"' })),
    ).toEqual([412, 'version.stale', undefined]);
    expect((await read(id)).version).toBe(2);
  });
});

describe('reading', () => {
  it('means the label production where it is, else the latest version, and says which', async () => {
    const { id } = await aWorkflow();
    await saved(id, saying('two'));

    expect(await read(id)).toMatchObject({ version: 2, label: 'latest' });
    await api.put(`/workflows/${id}/labels/production`, { version: 1, reason: 'safe' });
    expect(await read(id)).toMatchObject({ version: 1, label: 'production' });
    expect(await read(`${id}?label=latest`)).toMatchObject({ version: 2, label: 'latest' });
    expect(await read(`${id}?version=2`)).not.toHaveProperty('label');
    expect((await api.delete(`/workflows/${id}/labels/production`)).status).toBe(204);
    expect(await read(id)).toMatchObject({ version: 2, label: 'latest' });
  });

  it.each([
    ['no-such-workflow', 404, 'workflow.not-found'],
    [`${EXAMPLE_WORKFLOW}?version=99`, 404, 'workflow.version-not-found'],
    [`${EXAMPLE_WORKFLOW}?label=nobody`, 404, 'workflow.label-not-found'],
    [`${EXAMPLE_WORKFLOW}?label=x&version=1`, 400, 'request.invalid'],
    [`${EXAMPLE_WORKFLOW}/versions/0`, 400, 'request.invalid'],
  ])('refuses %s', async (path, status, code) => {
    expect(refusalIn(await api.get(`/workflows/${path}`)).slice(0, 2)).toEqual([status, code]);
  });

  it('lists by tag and part of the name or description, page after page', async () => {
    const tag = aName();
    const names = [];
    for (const text of ['Sunny', 'Rainy', 'Sunny'])
      names.push((await aWorkflow(saying('x', { description: `${text} ${tag}` }), { tags: [tag] })).name);
    const list = async (query: string): Promise<{ items: WorkflowItemDto[]; nextCursor?: string }> =>
      (await api.get<{ items: WorkflowItemDto[]; nextCursor?: string }>(`/workflows?${query}`)).body;

    const first = await list(`tag=${tag}&limit=2`);
    const second = await list(`tag=${tag}&limit=2&cursor=${first.nextCursor ?? ''}`);
    expect([...first.items, ...second.items].map(({ name }) => name)).toEqual(names.toReversed());
    expect(second.nextCursor).toBeUndefined();
    expect((await list(`search=sunny ${tag}`)).items).toHaveLength(2);
  });
});

describe('comparing', () => {
  it('tells steps and fields that changed between versions', async () => {
    const { id } = await aWorkflow({ timeoutMs: 1_000, steps: [echo('a'), echo('b')] });
    await saved(id, { timeoutMs: 2_000, steps: [echo('c'), echo('a', { input: 1 })] });

    const { body } = await api.get<WorkflowDiffDto>(`/workflows/${id}/diff`);
    expect(body).toEqual({
      ...{ from: 1, to: 2 },
      steps: {
        added: [{ id: 'c', pointer: '/steps/0' }],
        removed: [{ id: 'b', pointer: '/steps/1' }],
        changed: [
          { id: 'a', pointer: '/steps/1', changes: [{ op: 'added', pointer: '/steps/1/input', to: 1 }] },
        ],
        isReordered: false,
      },
      fields: [{ op: 'changed', pointer: '/timeoutMs', from: 1_000, to: 2_000 }],
    });
    expect((await api.get<WorkflowDiffDto>(`/workflows/${id}/diff?from=2&to=1`)).body.fields).toEqual([
      { op: 'changed', pointer: '/timeoutMs', from: 2_000, to: 1_000 },
    ]);
  });

  it('makes a rollback a new version', async () => {
    const { id } = await aWorkflow();
    await saved(id, saying('two'));

    const { body } = await api.post<SavedWorkflowDto>(`/workflows/${id}/rollback`, { version: 1 });
    expect(body).toMatchObject({
      version: 3,
      definition: saying('one'),
      changeNote: 'rollback to version 1',
    });
  });

  it('refuses a rollback and a label to what may not run any more', async () => {
    const { id: template } = await aTemplate(api, 'x');
    const { id } = await aWorkflow({ steps: [echo('a', { template: { id: template } })] });
    await saved(id, saying('two'));
    await api.delete(`/templates/${template}?force=true`);

    const refused = [422, 'definition.invalid', '/definition/steps/0/template/id'];
    expect(refusalIn(await api.post(`/workflows/${id}/rollback`, { version: 1 }))).toEqual(refused);
    expect(refusalIn(await api.put(`/workflows/${id}/labels/production`, { version: 1 }))).toEqual(refused);
  });
});

describe('deleting', () => {
  it('takes the workflow away with its versions, and its runs go on', async () => {
    const { id } = await aWorkflow({ steps: [scripted('slow', { output: 'done', delayMs: 100 })] });
    const { body: run } = await api.post<RunView>(`/workflows/${id}/runs`);

    expect((await api.delete(`/workflows/${id}`)).status).toBe(204);
    expect(refusalIn(await api.get(`/workflows/${id}`)).slice(0, 2)).toEqual([404, 'workflow.not-found']);
    expect(await api.ended(run.id)).toMatchObject({ status: 'completed', workflow: { id, version: 1 } });
  });

  it('of a template is refused while any version of a workflow uses it, by id or name', async () => {
    const template = await aTemplate(api, 'x');
    const byId = await aWorkflow({ steps: [echo('a', { template: { id: template.id } })] });
    const byName = await aWorkflow({ steps: [echo('a', { template: { name: template.name } })] });
    await saved(byId.id, saying('without'));

    const { status, body } = await api.delete<{ code: string; details: { references: unknown[] } }>(
      `/templates/${template.id}`,
    );
    expect([status, body.code]).toEqual([409, 'template.in-use']);
    expect(body.details.references).toEqual(
      [byId.id, byName.id].map((id) => ({ kind: 'workflow', id, version: 1 })),
    );
    expect((await api.delete(`/templates/${template.id}?force=true`)).status).toBe(204);
  });
});

describe('running by reference', () => {
  it('runs the version that is meant, and the manifest says which', async () => {
    const { id, name } = await aWorkflow();
    await saved(id, saying('two'));
    await api.put(`/workflows/${id}/labels/production`, { version: 1 });

    for (const [workflow, output, version] of [
      [{ id }, 'one', 1],
      [{ name }, 'one', 1],
      [{ name, label: 'latest' }, 'two', 2],
      [{ id, version: 2 }, 'two', 2],
    ] as const) {
      const { status, body } = await finish({ workflow });
      expect([status, body.output]).toEqual([200, output]);
      expect(body.workflow).toEqual({ id, version });
      expect(body.manifest.workflow).toEqual({ id, version });
    }
    const { body } = await api.post<RunView>(
      `/workflows/${name}/runs`,
      { version: 2 },
      { Prefer: 'wait=30' },
    );
    expect(body).toMatchObject({ output: 'two', workflow: { id, version: 2 } });
  });

  it('lists the runs of a workflow', async () => {
    const { id } = await aWorkflow();
    const { body: run } = await finish({ workflow: { id } });

    const { body } = await api.get<{ items: { id: string }[] }>(`/runs?workflowId=${id}`);
    expect(body.items.map((item) => item.id)).toEqual([run.id]);
  });

  it('checks the input against the schema of the version', async () => {
    expect(refusalIn(await api.post('/runs', { workflow: { id: EXAMPLE_WORKFLOW }, input: {} }))).toEqual([
      422,
      'input.invalid',
      '/input',
    ]);
  });

  it('answers a repeated key with the first run, whatever became of the label', async () => {
    const { id } = await aWorkflow();
    const key = { 'Idempotency-Key': id };
    const { body: first } = await api.post<RunView>(`/workflows/${id}/runs`, {}, key);
    await saved(id, saying('two'));

    const second = await api.post<RunView>(`/workflows/${id}/runs`, {}, key);
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(second.body).toMatchObject({ id: first.id, workflow: { id, version: 1 } });
  });

  it.each<[what: string, body: object, status: number, code: string, pointers: readonly string[]]>([
    ['nothing', {}, 400, 'request.invalid', ['/definition', '/workflow']],
    [
      'both',
      { definition: saying('x'), workflow: { id: EXAMPLE_WORKFLOW } },
      400,
      'request.invalid',
      ['/workflow'],
    ],
    ['a workflow that is a text', { workflow: 'welcome' }, 400, 'request.invalid', ['/workflow']],
    ['a workflow without a name', { workflow: {} }, 400, 'request.invalid', ['/workflow']],
    [
      'a workflow with two names',
      { workflow: { id: 'a', name: 'b' } },
      400,
      'request.invalid',
      ['/workflow'],
    ],
    [
      'version and label',
      { workflow: { id: 'a', version: 1, label: 'b' } },
      400,
      'request.invalid',
      ['/workflow'],
    ],
    [
      'a version that is a text',
      { workflow: { id: 'a', version: '1' } },
      400,
      'request.invalid',
      ['/workflow/version'],
    ],
    ['an unknown field', { workflow: { id: 'a', tag: 'x' } }, 400, 'request.invalid', ['/workflow/tag']],
    ['no such workflow', { workflow: { name: 'nobody' } }, 404, 'workflow.not-found', []],
    [
      'no such version',
      { workflow: { id: EXAMPLE_WORKFLOW, version: 9 } },
      404,
      'workflow.version-not-found',
      [],
    ],
    [
      'no such label',
      { workflow: { id: EXAMPLE_WORKFLOW, label: 'x' } },
      404,
      'workflow.label-not-found',
      [],
    ],
  ])('refuses %s', async (_what, body, status, code, pointers) => {
    const answer = await api.post<{ code: string; issues?: { pointer: string }[] }>('/runs', body);

    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((answer.body.issues ?? []).map(({ pointer }) => pointer)).toEqual(pointers);
  });

  it('says what is gone that the version uses', async () => {
    const { id: template } = await aTemplate(api, 'x');
    const { id } = await aWorkflow({ steps: [echo('a', { template: { id: template } })] });
    await api.delete(`/templates/${template}?force=true`);

    expect(refusalIn(await api.post(`/workflows/${id}/runs`))).toEqual([
      422,
      'definition.invalid',
      '/workflow/steps/0/template/id',
    ]);
  });
});
