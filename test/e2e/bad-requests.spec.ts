/** Bad requests: each row with its status, its code and where the first problem stands. None is answered with a 5xx. */
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly issues?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
}

const echo = { id: 'a', agent: 'echo' };
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const wide = (keys: number): string =>
  `{${Array.from({ length: keys }, (_, index) => `"k${String(index)}":1`).join(',')}}`;
const withSteps = (...steps: readonly unknown[]): string => JSON.stringify({ definition: { steps } });

/** What is wrong · the body of POST /runs · status · code · pointer and code of the first issue. */
const rows: readonly (readonly [string, string, number, string, string?, string?])[] = [
  ['text that is not JSON', '{"definition": ', 400, 'request.invalid'],
  ['an empty body', '', 400, 'request.invalid'],
  ['a list instead of an object', '[]', 400, 'request.invalid'],
  ['null', 'null', 400, 'request.invalid'],
  ['a missing definition', '{}', 400, 'request.invalid', '/definition', 'field.required'],
  [
    'a definition that is a list',
    '{"definition":[]}',
    400,
    'request.invalid',
    '/definition',
    'field.invalid',
  ],
  [
    'an unknown field',
    '{"definition":{"steps":[]},"colour":1}',
    400,
    'request.invalid',
    '/colour',
    'field.unknown',
  ],
  [
    '__proto__ as a field',
    '{"definition":{},"__proto__":{}}',
    400,
    'request.invalid',
    '/__proto__',
    'field.unknown',
  ],
  [
    'constructor as a field',
    '{"definition":{},"constructor":1}',
    400,
    'request.invalid',
    '/constructor',
    'field.unknown',
  ],
  [
    'a priority that is text',
    '{"definition":{},"priority":"high"}',
    400,
    'request.invalid',
    '/priority',
    'field.invalid',
  ],
  [
    'a priority above 100',
    '{"definition":{},"priority":101}',
    400,
    'request.invalid',
    '/priority',
    'field.invalid',
  ],
  ['tags that are no list', '{"definition":{},"tags":"a"}', 400, 'request.invalid', '/tags', 'field.invalid'],
  [
    'a context that is no object',
    '{"definition":{},"context":[1]}',
    400,
    'request.invalid',
    '/context',
    'field.invalid',
  ],
  ['nesting deeper than 64', `{"definition":{},"input":${nested(65)}}`, 400, 'request.invalid'],
  ['nesting of 2,000', `{"definition":{},"input":${nested(2_000)}}`, 400, 'request.invalid'],
  ['more than 100,000 keys', `{"definition":{},"input":${wide(100_001)}}`, 413, 'request.too-large'],
  ['a body too large', `{"input":"${'x'.repeat(4_194_304)}"}`, 413, 'request.too-large'],
  ['no steps', '{"definition":{}}', 422, 'definition.invalid', '/definition/steps', 'field.required'],
  ['an empty list of steps', withSteps(), 422, 'definition.invalid', '/definition/steps', 'field.invalid'],
  [
    'more steps than allowed',
    withSteps(...Array.from({ length: 51 }, (_, i) => ({ id: `s${String(i)}`, agent: 'echo' }))),
    422,
    'definition.invalid',
    '/definition/steps',
    'definition.too-many-steps',
  ],
  [
    'an unknown field of a step',
    withSteps({ ...echo, colour: 1 }),
    422,
    'definition.invalid',
    '/definition/steps/0/colour',
    'field.unknown',
  ],
  [
    'a step id with a space',
    withSteps({ ...echo, id: 'a b' }),
    422,
    'definition.invalid',
    '/definition/steps/0/id',
    'field.invalid',
  ],
  [
    'a step id used twice',
    withSteps(echo, echo),
    422,
    'definition.invalid',
    '/definition/steps/1/id',
    'step.duplicate-id',
  ],
  [
    'a missing dependency',
    withSteps({ ...echo, dependsOn: ['b'] }),
    422,
    'definition.invalid',
    '/definition/steps/0/dependsOn/0',
    'step.unknown-dependency',
  ],
  [
    'a cycle',
    withSteps({ ...echo, dependsOn: ['b'] }, { ...echo, id: 'b', dependsOn: ['a'] }),
    422,
    'definition.invalid',
    '/definition/steps/0',
    'graph.cycle',
  ],
  [
    'a step that depends on itself',
    withSteps({ ...echo, dependsOn: ['a'] }),
    422,
    'definition.invalid',
    '/definition/steps/0',
    'graph.cycle',
  ],
  [
    'an unknown agent',
    withSteps({ id: 'a', agent: 'nobody' }),
    422,
    'definition.invalid',
    '/definition/steps/0/agent',
    'agent.not-found',
  ],
  [
    'an agent named constructor',
    withSteps({ id: 'a', agent: 'constructor' }),
    422,
    'definition.invalid',
    '/definition/steps/0/agent',
    'agent.not-found',
  ],
  [
    'a bad condition',
    withSteps({ ...echo, when: '1 +' }),
    422,
    'definition.invalid',
    '/definition/steps/0/when',
    'expression.invalid',
  ],
  [
    'a bad template',
    withSteps({ ...echo, input: { text: '{{ input.x' } }),
    422,
    'definition.invalid',
    '/definition/steps/0/input/text',
    'expression.invalid',
  ],
  [
    'an unknown filter',
    withSteps({ ...echo, input: '{{ input.x | shout }}' }),
    422,
    'definition.invalid',
    '/definition/steps/0/input',
    'expression.invalid',
  ],
  [
    'a reference to no step',
    withSteps({ ...echo, input: '{{ steps.b.output }}' }),
    422,
    'definition.invalid',
    '/definition/steps/0/input',
    'reference.unknown-step',
  ],
  [
    'an unknown root',
    withSteps({ ...echo, input: '{{ secret.x }}' }),
    422,
    'definition.invalid',
    '/definition/steps/0/input',
    'reference.unknown-root',
  ],
  [
    'a bad schema',
    JSON.stringify({ definition: { inputSchema: { type: 'nothing' }, steps: [echo] } }),
    422,
    'definition.invalid',
    '/definition/inputSchema',
    'schema.invalid',
  ],
  [
    'a pattern that can take exponential time',
    JSON.stringify({ definition: { inputSchema: { pattern: '(a+)+$' }, steps: [echo] } }),
    422,
    'definition.invalid',
    '/definition/inputSchema',
    'schema.invalid',
  ],
  [
    'an input that the schema refuses',
    JSON.stringify({ definition: { inputSchema: { required: ['name'] }, steps: [echo] }, input: {} }),
    422,
    'input.invalid',
    '/input',
    'schema.required',
  ],
];

describe('POST /runs', () => {
  it.each(rows.map((row) => ({ what: row[0], row })))('refuses $what', async ({ row }) => {
    const [, body, status, code, pointer, issue] = row;
    const answer = await api.postText<Problem>('/runs', body);

    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
    if (pointer !== undefined) expect(answer.body.issues?.[0]).toMatchObject({ pointer, code: issue });
  });

  it('names the whole cycle', async () => {
    const { body } = await api.postText<Problem>(
      '/runs',
      withSteps(
        { ...echo, dependsOn: ['c'] },
        { ...echo, id: 'b', dependsOn: ['a'] },
        { ...echo, id: 'c', dependsOn: ['b'] },
      ),
    );

    expect(body.issues?.[0]?.message).toMatch(/a → c → b → a|a → b → c → a/);
  });

  it('reports every problem at once', async () => {
    const { body } = await api.postText<Problem>(
      '/runs',
      withSteps({ id: 'a', agent: 'nobody', when: '((' }, { id: 'a', agent: 'echo', dependsOn: ['x', 'y'] }),
    );

    expect(body.issues?.map(({ code }) => code).toSorted()).toEqual([
      'agent.not-found',
      'expression.invalid',
      'step.duplicate-id',
      'step.unknown-dependency',
      'step.unknown-dependency',
    ]);
  });

  it('refuses what is not JSON by its media type', async () => {
    const answer = await fetch(`${service.url}/api/v1/runs`, {
      method: 'POST',
      body: 'a=b',
      headers: { 'content-type': 'text/plain' },
    });

    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([
      415,
      'request.unsupported-media',
    ]);
  });
});

describe('bad queries', () => {
  it.each([
    ['/runs?limit=0', 400, '/limit'],
    ['/runs?limit=201', 400, '/limit'],
    ['/runs?limit=ten', 400, '/limit'],
    ['/runs?status=unknown', 400, '/status'],
    ['/runs?from=yesterday', 400, '/from'],
    ['/runs?colour=red', 400, '/colour'],
    ['/runs/run_00000000000070008000000000000001/events?afterSeq=-1', 400, '/afterSeq'],
  ])('%s is refused', async (path, status, pointer) => {
    const answer = await api.get<Problem>(path);

    expect([answer.status, answer.body.code]).toEqual([status, 'request.invalid']);
    expect(answer.body.issues?.[0]?.pointer).toBe(pointer);
  });
});

describe('POST /workflows/validate', () => {
  it('answers 200 with the problems of a bad definition', async () => {
    const { status, body } = await api.post<{ valid: boolean; issues: Problem['issues'] }>(
      '/workflows/validate',
      {
        definition: { steps: [{ ...echo, dependsOn: ['b'] }] },
      },
    );

    expect([status, body.valid]).toEqual([200, false]);
    expect(body.issues).toMatchObject([
      { pointer: '/definition/steps/0/dependsOn/0', code: 'step.unknown-dependency' },
    ]);
  });

  it('answers with the plan of a good one', async () => {
    const { body } = await api.post('/workflows/validate', {
      definition: {
        steps: [
          echo,
          { id: 'b', agent: 'echo', input: '{{ steps.a.output }}' },
          { id: 'c', agent: 'echo', dependsOn: ['a'] },
        ],
      },
    });

    expect(body).toEqual({
      valid: true,
      issues: [],
      warnings: [],
      plan: {
        ...{ layers: [['a'], ['b', 'c']], criticalPath: ['a', 'b'] },
        ...{ stepCount: 3, edgeCount: 2, maxWidth: 2, maxFanOut: 2 },
      },
    });
  });
});
