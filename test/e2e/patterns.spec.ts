/** Orchestration patterns, as a client meets them: started in one call, run as any other run. */
import type { JsonObject } from '../../src/kernel/json.js';
import { patternExamples } from '../../src/patterns/examples.js';
import type { PatternName } from '../../src/patterns/domain/patterns.js';
import type { RunView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { SocketClient } from '../support/socket.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

/** A run of a pattern that has ended. */
async function finish(pattern: string, parameters: JsonObject, input: JsonObject = {}): Promise<RunView> {
  const { status, body } = await api.post<RunView>(
    `/orchestrations/${pattern}`,
    { parameters, input },
    { Prefer: 'wait=30' },
  );
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}

describe('the example of', () => {
  it.each<readonly [PatternName, unknown]>([
    ['sequential', { title: 'A TUNE IN CALM MOOD' }],
    [
      'parallel',
      {
        bass: { status: 'completed', output: 'A minor: low and slow', error: null },
        lead: { status: 'completed', output: 'A minor: high and quick', error: null },
        drums: {
          status: 'failed',
          output: null,
          error: { code: 'agent.scripted-failure', message: 'no sticks' },
        },
      },
    ],
    ['conditional', { branch: 'fast', output: 'Drum and bass' }],
    ['map-reduce', 'ONE AND TWO AND THREE'],
    ['router', { candidate: 'billing', output: 'Your invoice is paid.' }],
    [
      'critique',
      {
        output: 'Title 3 for a lighthouse',
        score: 9,
        scores: { clear: 9, short: 9 },
        feedback: 'Say what it is about.',
        iteration: 3,
        passed: true,
        iterations: 3,
      },
    ],
    [
      'debate',
      {
        conclusion: 'Mostly optimist after 2 rounds',
        statements: [
          { name: 'optimist', text: 'Round 2: yes' },
          { name: 'sceptic', text: 'Round 2: perhaps' },
        ],
        rounds: 2,
        winner: 'optimist',
        votes: { optimist: 2, sceptic: 0 },
      },
    ],
    [
      'supervisor',
      {
        answer: '[words about rain] to [a tune]',
        done: true,
        rounds: 2,
        reports: [
          { round: 1, delegate: 'lyricist', tasks: ['words about rain'], outputs: ['[words about rain]'] },
          { round: 1, delegate: 'composer', tasks: ['a tune'], outputs: ['[a tune]'] },
        ],
      },
    ],
  ])('%s does what it says', async (pattern, output) => {
    const { parameters, input } = patternExamples[pattern];
    const run = await finish(pattern, parameters, input);

    expect(run).toMatchObject({ status: 'completed', name: pattern });
    expect(run.output).toEqual(output);
  });
});

/** A step of the scripted agent that answers what it is told to. */
const says = (output: unknown): JsonObject => ({ agent: 'scripted', input: { output } }) as JsonObject;
const fails: JsonObject = { agent: 'scripted', input: { error: { message: 'no', retryable: false } } };

describe('a sequence', () => {
  it('stops at an error', async () => {
    const run = await finish('sequential', { steps: [fails, says('never')] });

    expect(run).toMatchObject({ status: 'failed', failure: { message: expect.stringContaining('no') } });
  });

  it('goes on after an error when told to, and the next sees null', async () => {
    const steps = [fails, { agent: 'echo', input: { saw: '{{ previous.output }}' } }];

    expect(await finish('sequential', { steps, stopOnError: false })).toMatchObject({
      status: 'completed',
      output: { saw: null },
    });
  });

  it('hands on the output of the step before to one that says nothing', async () => {
    const steps = [{ agent: 'echo' }, { agent: 'echo', id: 'last' }];

    expect((await finish('sequential', { steps }, { a: [1] })).output).toEqual({ a: [1] });
  });
});

it('fails fast with a branch', async () => {
  const slow = { agent: 'scripted', input: { delayMs: 60_000 } };

  expect(await finish('parallel', { branches: [slow, fails] })).toMatchObject({ status: 'failed' });
});

describe('a condition', () => {
  it.each<readonly [string, JsonObject, JsonObject]>([
    [
      'true',
      { condition: 'input.n > 1', then: says('more'), else: says('less') },
      { branch: 'then', output: 'more' },
    ],
    [
      'false',
      { condition: 'input.n > 9', then: says('more'), else: says('less') },
      { branch: 'else', output: 'less' },
    ],
    ['false without else', { condition: 'input.n > 9', then: says('more') }, { branch: null, output: null }],
    [
      'yes of an agent',
      { decide: { question: 'Is it?', ...says('Yes, it is.') }, then: says(1), else: says(0) },
      { branch: 'then', output: 1 },
    ],
    [
      'no of an agent',
      { decide: { question: 'Is it?', ...says({ text: ' NO\n' }) }, then: says(1), else: says(0) },
      { branch: 'else', output: 0 },
    ],
    [
      'true of an agent',
      { decide: { question: 'Is it?', ...says({ pick: true }) }, then: says(1) },
      { branch: 'then', output: 1 },
    ],
    [
      'a case of an agent',
      {
        decide: { question: 'Which?', ...says('It is "blue".') },
        cases: [
          { value: 'red', ...says(1) },
          { value: 'blue', ...says(2) },
        ],
      },
      { branch: 'blue', output: 2 },
    ],
    ['no case', { switch: '"green"', cases: [{ value: 'red', ...says(1) }] }, { branch: null, output: null }],
    [
      'no case and a default',
      { switch: '"green"', cases: [{ value: 'red', ...says(1) }], default: says(3) },
      { branch: 'default', output: 3 },
    ],
  ])('leads on: %s', async (_, parameters, output) => {
    expect((await finish('conditional', parameters, { n: 2 })).output).toEqual(output);
  });

  it('fails when the agent says neither yes nor no', async () => {
    const parameters = { decide: { question: 'Is it?', ...says('I do not know') }, then: says(1) };

    expect(await finish('conditional', parameters)).toMatchObject({
      status: 'failed',
      failure: {
        code: 'pattern.pick-unknown',
        message: 'step "undecided" failed: expected yes or no, got "I do not know"',
      },
    });
  });
});

describe('map-reduce', () => {
  const join = says("{{ item | join: '+' }}");

  it.each<readonly [string, JsonObject, unknown]>([
    ['all at once', { items: [1, 2, 3], map: says('<{{ item }}>'), reduce: join }, '<1>+<2>+<3>'],
    ['nothing', { items: [], map: says(1), reduce: join }, null],
    ['nothing in a tree', { items: [], map: says(1), reduce: join, fanIn: 2 }, null],
    ['one in a tree', { items: [7], map: says('{{ item }}'), reduce: join, fanIn: 2 }, '7'],
    [
      'a tree of three levels',
      { items: [1, 2, 3, 4, 5], map: says('{{ item }}'), reduce: says("({{ item | join: ' ' }})"), fanIn: 2 },
      '(((1 2) (3 4)) ((5)))',
    ],
    [
      'what did not fail',
      {
        items: [1, 2, 3],
        map: {
          agent: 'scripted',
          input: { output: '{{ item }}', failTimes: '{{ item | modulo: 2 | minus: 1 | abs }}' },
        },
        reduce: join,
        toleratedFailureCount: 1,
      },
      '1+3',
    ],
  ])('reduces %s', async (_, parameters, output) => {
    expect((await finish('map-reduce', { ...parameters, retry: { maxAttempts: 1 } })).output).toEqual(output);
  });
});

describe('a router that picks nobody', () => {
  const parameters = {
    task: 'Sing',
    router: says('somebody else'),
    candidates: [{ name: 'alto', description: 'Sings low.', ...says('la') }],
  };

  it('leads to the default', async () => {
    expect((await finish('router', { ...parameters, default: 'alto' })).output).toEqual({
      candidate: 'alto',
      output: 'la',
    });
  });

  it('fails without one', async () => {
    expect(await finish('router', parameters)).toMatchObject({
      status: 'failed',
      failure: {
        code: 'pattern.pick-unknown',
        message: 'step "unknown" failed: expected one of alto, got "somebody else"',
      },
    });
  });
});

it('answers the best draft when none is good enough', async () => {
  const parameters = {
    task: 'Write',
    generator: says('draft {{ iteration }}'),
    judge: says('Style: {% if iteration == 1 %}6/10{% else %}4{% endif %}\nMore colour.'),
    criteria: [{ name: 'style' }],
    maxIterations: 3,
  };

  expect((await finish('critique', parameters)).output).toMatchObject({
    output: 'draft 1',
    score: 6,
    iteration: 2,
    iterations: 3,
    passed: false,
    feedback: 'Style: 6/10\nMore colour.',
  });
});

it('ends a debate when the moderator finds agreement', async () => {
  const parameters = {
    topic: 'Tea',
    participants: [
      { name: 'a', ...says('yes') },
      { name: 'b', ...says('{{ previous.statements[0].text | default: "no" }}') },
    ],
    rounds: 5,
    moderator: says('{% if iteration == 1 %}yes{% else %}no{% endif %}'),
    synthesis: says('{{ steps.debate.output.transcript }}'),
  };

  expect((await finish('debate', parameters)).output).toMatchObject({
    rounds: 2,
    agreed: true,
    conclusion: 'a: yes\nb: no\n\na: yes\nb: yes',
  });
});

describe('a supervisor', () => {
  const delegates = [
    { name: 'good', description: 'Works.', ...says('done {{ item.task }}') },
    { name: 'bad', description: 'Fails.', ...fails },
  ];
  const tasks = [
    { delegate: 'good', task: 'one' },
    { delegate: 'bad', task: 'two' },
    { delegate: 'nobody', task: 'three' },
  ];
  it('checks what delegates brought, and who failed', async () => {
    const run = await finish('supervisor', {
      goal: 'All',
      supervisor: says({ tasks }),
      delegates,
      maxRounds: 1,
      onExhausted: 'continue',
    });

    expect(run.output).toEqual({
      done: false,
      answer: null,
      rounds: 1,
      reports: [
        { round: 1, delegate: 'good', tasks: ['one'], outputs: ['done one'] },
        { round: 1, delegate: 'bad', tasks: ['two'], outputs: [null] },
      ],
    });
  });

  it('fails when it is not done in time', async () => {
    expect(
      await finish('supervisor', { goal: 'All', supervisor: says({ tasks }), delegates, maxRounds: 2 }),
    ).toMatchObject({
      status: 'failed',
      failure: { code: 'loop.exhausted' },
    });
  });
});

describe('parameters are refused', () => {
  it.each<readonly [string, string, JsonObject, number, string, readonly string[]]>([
    [
      'an unknown field',
      'parallel',
      { branches: [{ agent: 'echo', promt: 'x' }] },
      400,
      'request.invalid',
      ['/parameters/branches/0/promt'],
    ],
    [
      'a missing field',
      'router',
      { task: 'x', router: { agent: 'echo' } },
      400,
      'request.invalid',
      ['/parameters/candidates'],
    ],
    [
      'a prompt beside an input',
      'sequential',
      { steps: [{ agent: 'echo', prompt: 'x', input: 1 }] },
      400,
      'request.invalid',
      ['/parameters/steps/0'],
    ],
    [
      'two questions',
      'conditional',
      { condition: 'true', switch: '1', then: { agent: 'echo' } },
      400,
      'request.invalid',
      ['/parameters'],
    ],
    [
      'an agent that does not exist',
      'parallel',
      { branches: [{ agent: 'echo' }, { agent: 'nobody' }] },
      422,
      'definition.invalid',
      ['/parameters/branches/1/agent'],
    ],
    [
      'a bad expression',
      'conditional',
      { condition: 'input.', then: { agent: 'echo' } },
      422,
      'definition.invalid',
      ['/parameters/condition'],
    ],
    [
      'a bad prompt',
      'sequential',
      { steps: [{ agent: 'echo', prompt: '{{ input | nothing }}' }] },
      422,
      'definition.invalid',
      ['/parameters/steps/0/prompt'],
    ],
    [
      'a bad task',
      'critique',
      { task: '{{ item }}', generator: { agent: 'echo' }, judge: says(1), criteria: [{ name: 'a' }] },
      422,
      'definition.invalid',
      ['/parameters/task', '/parameters/task'],
    ],
    [
      'bad items',
      'map-reduce',
      { items: '[', map: { agent: 'echo' }, reduce: { agent: 'echo' } },
      422,
      'definition.invalid',
      ['/parameters/items'],
    ],
    [
      'an id twice',
      'parallel',
      {
        branches: [
          { id: 'a', agent: 'echo' },
          { id: 'a', agent: 'echo' },
        ],
      },
      422,
      'definition.invalid',
      ['/parameters/branches/1/id'],
    ],
    [
      'a name of a step of the pattern',
      'router',
      {
        task: 'x',
        router: { agent: 'echo' },
        candidates: [{ name: 'route', description: 'x', agent: 'echo' }],
      },
      422,
      'definition.invalid',
      ['/parameters/candidates/0/name'],
    ],
    [
      'a bad schema inside a loop',
      'supervisor',
      {
        goal: 'x',
        supervisor: { agent: 'echo' },
        delegates: [{ name: 'w', description: 'x', agent: 'echo', outputSchema: { type: 'what' } }],
      },
      422,
      'definition.invalid',
      ['/parameters/delegates/0/outputSchema'],
    ],
    [
      'a bad retry policy',
      'debate',
      {
        topic: 'x',
        participants: [
          { name: 'a', agent: 'echo' },
          { name: 'b', agent: 'echo' },
        ],
        synthesis: { agent: 'echo' },
        retry: { maxAttempts: 0 },
      },
      400,
      'request.invalid',
      ['/parameters/retry/maxAttempts'],
    ],
  ])('%s of %s', async (_, pattern, parameters, status, code, pointers) => {
    for (const path of [`/orchestrations/${pattern}`, `/orchestrations/${pattern}/compile`]) {
      const answer = await api.post<{
        readonly code: string;
        readonly issues: readonly { readonly pointer: string }[];
      }>(path, { parameters });

      expect(answer).toMatchObject({ status, body: { code } });
      expect(answer.body.issues.map(({ pointer }) => pointer)).toEqual(pointers);
    }
  });

  it('with the input at its own place', async () => {
    const parameters = { steps: [{ agent: 'echo' }], inputSchema: { required: ['a'] } };

    expect(await api.post('/orchestrations/sequential', { parameters, input: {} })).toMatchObject({
      status: 422,
      body: { code: 'input.invalid', issues: [{ pointer: '/input' }] },
    });
  });

  it('of a pattern that does not exist', async () => {
    expect(await api.post('/orchestrations/swarm/compile', { parameters: {} })).toMatchObject({
      status: 404,
      body: { code: 'pattern.not-found' },
    });
    expect(await api.post('/orchestrations/swarm', { parameters: {} })).toMatchObject({ status: 404 });
  });
});

it('shows a definition that runs as it stands, with keys of any name untouched', async () => {
  const input = JSON.parse('{"__proto__": 1, "constructor": 2}') as JsonObject;
  const { body } = await api.post<{ readonly definition: JsonObject }>('/orchestrations/sequential/compile', {
    parameters: { steps: [{ id: 'only', agent: 'echo', input }] },
  });

  expect(body).toMatchObject({ pattern: 'sequential', definition: { name: 'sequential' } });
  const run = await api.finish(body.definition);
  expect(JSON.stringify(run.output)).toBe(JSON.stringify(input));
});

it('starts a run once for one key', async () => {
  const start = { parameters: { steps: [{ agent: 'echo' }] } };
  const key = { 'Idempotency-Key': 'one' };
  const first = await api.post<RunView>('/orchestrations/sequential', start, key);
  const second = await api.post<RunView>('/orchestrations/sequential', start, key);

  expect([first.status, second.status]).toEqual([202, 202]);
  expect(first.headers.get('location')).toBe(`/api/v1/runs/${first.body.id}`);
  expect(second.body.id).toBe(first.body.id);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
});

describe('orchestration.start', () => {
  let client: SocketClient;

  beforeEach(async () => {
    client = await SocketClient.open(service.url);
  });

  afterEach(() => {
    client.close();
  });

  it('starts a run over a socket, which follows it from its first event', async () => {
    const { parameters, input } = patternExamples.router;
    const run = await client.done('orchestration.start', {
      pattern: 'router',
      parameters,
      input,
      tags: ['a'],
    });
    await client.untilEvent(run.id, 'run.completed');

    expect(run).toMatchObject({ status: 'queued', name: 'router', tags: ['a'] });
    expect(client.events(run.id)).toEqual(await api.events(run.id));
  });

  it.each<readonly [string, unknown, string, string | undefined]>([
    ['a pattern that does not exist', { pattern: 'swarm', parameters: {} }, 'pattern.not-found', undefined],
    ['no parameters', { pattern: 'router' }, 'request.invalid', '/parameters'],
    ['bad parameters', { pattern: 'parallel', parameters: {} }, 'request.invalid', '/parameters/branches'],
    [
      'parameters whose definition is refused',
      { pattern: 'parallel', parameters: { branches: [{ agent: 'nobody' }] } },
      'definition.invalid',
      '/parameters/branches/0/agent',
    ],
  ])('refuses %s', async (_, payload, code, pointer) => {
    const answer = await client.askAnything('orchestration.start', payload);

    expect(answer).toMatchObject({
      ok: false,
      problem: { code, ...(pointer !== undefined && { issues: [expect.objectContaining({ pointer })] }) },
    });
  });
});
