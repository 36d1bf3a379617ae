/** Definitions as files: import and export, YAML and JSON, and the schema for editors. */
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { SavedWorkflowDto } from '../../src/workflows/dto/workflow.dto.js';
import { EXAMPLE_WORKFLOW } from '../../src/workflows/examples.js';
import { Api, type Answer } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { aName, refusalIn } from '../support/templates.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ env: { RATE_LIMIT_WRITE: '0' } });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const YAML = { 'content-type': 'application/yaml' };

function importYaml<T = SavedWorkflowDto>(text: string, query = '', headers = YAML): Promise<Answer<T>> {
  return api.postText<T>(`/workflows/import${query}`, text, headers);
}

async function exported(path: string): Promise<readonly [type: string | null, text: string]> {
  const answer = await fetch(`${service.url}/api/v1/workflows/${path}`);
  expect(answer.status).toBe(200);
  return [answer.headers.get('content-type'), await answer.text()];
}

/** A definition that YAML and JSON write differently. */
const definition = {
  description: 'yes',
  context: { list: [1, 2.5, null, true], 'odd key: #': '- x', lines: 'one\ntwo\n', empty: {} },
  steps: [{ id: 'a', agent: 'echo', input: '{{ context.list }}' }],
};

describe('an import', () => {
  it('makes a workflow, then a version of it, and none when nothing changes', async () => {
    const name = aName();
    const text = (input: string): string =>
      `name: ${name}\nsteps:\n  - id: a\n    agent: echo\n    input: ${input}\n`;

    const first = await importYaml(text('one'));
    expect([first.status, first.body.version, first.headers.get('etag')]).toEqual([201, 1, '"1"']);
    expect(first.headers.get('location')).toBe(`/api/v1/workflows/${first.body.id}`);
    const second = await importYaml(text('two'));
    expect([second.status, second.body.version, second.body.id]).toEqual([200, 2, first.body.id]);
    const third = await importYaml(text('two'));
    expect([third.status, third.body.version]).toEqual([200, 2]);
  });

  it('takes JSON, and the name from the query', async () => {
    const name = aName();
    const { status, body } = await api.post<SavedWorkflowDto>(`/workflows/import?name=${name}`, definition);

    expect([status, body.name]).toEqual([201, name]);
    expect(body.definition).toEqual(definition);
  });

  it('keeps names of prototypes as keys', async () => {
    const { body } = await importYaml(
      'context:\n  __proto__: { polluted: 1 }\n  constructor: 2\nsteps: [{ id: a, agent: echo }]',
      `?name=${aName()}`,
    );

    expect(JSON.stringify(body.definition['context'])).toBe('{"__proto__":{"polluted":1},"constructor":2}');
    expect('polluted' in {}).toBe(false);
  });

  it.each<[what: string, text: string, status: number, code: string, detail: string]>([
    ['bad indentation', 'steps:\n  - id: a\n agent: echo', 400, 'request.invalid', 'line 3, column'],
    ['a tag of one’s own', 'steps: !!js/function x', 400, 'request.invalid', 'line 1, column 8'],
    ['a key twice', 'name: a\nname: b', 400, 'request.invalid', 'line 2, column 1'],
    ['deep nesting', `a: ${'['.repeat(1_000)}${']'.repeat(1_000)}`, 400, 'request.invalid', 'levels'],
    [
      'growing aliases',
      `a: &a [1, 1]\n${'bcdefghijklmnopqrstuvwxyz'
        .split('')
        .map(
          (key, index) =>
            `${key}: &${key} [*${'abcdefghijklmnopqrstuvwxyz'.charAt(index)}, *${'abcdefghijklmnopqrstuvwxyz'.charAt(index)}]`,
        )
        .join('\n')}`,
      400,
      'request.invalid',
      'aliases are used more than 100 times',
    ],
    ['a text that is too long', `a: ${'x'.repeat(300_000)}`, 413, 'request.too-large', '262144 bytes'],
    ['what is no definition', '- 1', 422, 'definition.invalid', '1 problem'],
    ['nothing', '', 422, 'definition.invalid', '1 problem'],
    ['no name', 'steps: [{ id: a, agent: echo }]', 422, 'workflow.name-invalid', 'has a name'],
  ])('refuses %s', async (_what, text, status, code, detail) => {
    const answer = await importYaml<ProblemDocument>(text);

    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.detail).toContain(detail);
  });

  it('points into the definition, and into the query for the name', async () => {
    expect(refusalIn(await importYaml('name: x\nsteps: [{ id: a, agent: nobody }]'))).toEqual([
      422,
      'definition.invalid',
      '/steps/0/agent',
    ]);
    expect(refusalIn(await importYaml('steps: []', '?name=A title'))).toEqual([
      400,
      'request.invalid',
      '/name',
    ]);
  });

  it('is the only operation that takes YAML', async () => {
    expect(refusalIn(await api.postText('/workflows', 'name: x', YAML)).slice(0, 2)).toEqual([
      415,
      'request.unsupported-media',
    ]);
    expect((await importYaml('{', '', { 'content-type': 'text/plain' })).status).toBe(415);
  });
});

describe('an export', () => {
  it('is imported as the same definition, in both formats', async () => {
    const { body } = await api.post<SavedWorkflowDto>('/workflows', { name: aName(), definition });
    const whole = { name: body.name, ...definition };

    const [jsonType, json] = await exported(`${body.id}/export`);
    expect([jsonType?.split(';')[0], JSON.parse(json)]).toEqual(['application/json', whole]);
    const [yamlType, yaml] = await exported(`${body.id}/export?format=yaml`);
    expect(yamlType?.split(';')[0]).toBe('application/yaml');
    expect((await importYaml(yaml)).body).toMatchObject({ id: body.id, version: 2, definition: whole });
    expect((await importYaml(yaml)).body.version).toBe(2);
  });

  it('is of the version that is asked for', async () => {
    expect((await exported(`${EXAMPLE_WORKFLOW}/export?version=2&format=yaml`))[1]).toContain(
      'maxAttempts: 2',
    );
    expect((await exported(`${EXAMPLE_WORKFLOW}/export?format=yaml`))[1]).not.toContain('maxAttempts');
    expect(refusalIn(await api.get(`/workflows/${EXAMPLE_WORKFLOW}/export?format=xml`)).slice(0, 2)).toEqual([
      400,
      'request.invalid',
    ]);
  });
});

it('the schema of definitions is served at the root to anybody', async () => {
  const secured = await startApp({ env: { ADMIN_KEY: 'a-key-of-the-administrator' } });
  try {
    const answer = await fetch(`${secured.url}/schemas/workflow.json`);

    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'application/schema+json; charset=utf-8',
    ]);
    expect(await answer.json()).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: '/schemas/workflow.json',
      required: ['steps'],
    });
  } finally {
    await secured.close();
  }
});
