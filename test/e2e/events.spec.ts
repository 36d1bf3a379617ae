/** Live events as a front end meets them: commands, answers, events. */
import type { Socket } from 'socket.io-client';

import type { Delta } from '../../src/runs/run.feed.js';
import { EXAMPLE_WORKFLOW } from '../../src/workflows/examples.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { chain, SocketClient, upTo } from '../support/socket.js';
import { until } from '../support/until.js';

let service: RunningApp;
let api: Api;
let client: SocketClient;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(() => service.close());

beforeEach(async () => {
  client = await SocketClient.open(service.url);
});

afterEach(() => {
  client.close();
});

const greet = {
  name: 'greet',
  steps: [
    scripted('greet', { output: { text: 'Hello {{ input.name }}' } }),
    { id: 'shout', agent: 'echo', input: { text: '{{ steps.greet.output.text | upcase }}' } },
  ],
  output: { text: '{{ steps.shout.output.text }}' },
};

/** Goes on until it is cancelled, or for a minute. */
const patient = { steps: [scripted('wait', { delayMs: 60_000 })] };

describe('run.start', () => {
  it('starts a run of a stored workflow', async () => {
    const run = await client.done('run.start', { workflow: { name: 'welcome' }, input: { name: 'Ada' } });

    expect(run.workflow).toEqual({ id: EXAMPLE_WORKFLOW, version: 1 });
    await client.untilEvent(run.id, 'run.completed');
  });

  it('answers before the first event', async () => {
    const order: string[] = [];
    client.socket.onAny((name: string) => order.push(name));
    client.socket.emit('run.start', { definition: greet, input: { name: 'Ada' } }, () =>
      order.push('answer'),
    );
    await until(() => order.includes('run.completed'), 'the run ended');

    expect(order.slice(0, 2)).toEqual(['answer', 'run.queued']);
  });

  it('answers with the run, then sends all its events as they are stored', async () => {
    const run = await client.done('run.start', { definition: greet, input: { name: 'Ada' }, tags: ['a'] });
    await client.untilEvent(run.id, 'run.completed');

    expect(run).toMatchObject({ status: 'queued', lastSeq: 1, input: { name: 'Ada' }, tags: ['a'] });
    expect(client.events(run.id)).toEqual(await api.events(run.id));
    expect((await api.get<object>(`/runs/${run.id}`)).body).toMatchObject({ output: { text: 'HELLO ADA' } });
  });

  it('sends each event under its type', async () => {
    const { id } = await client.done('run.start', { definition: greet, input: { name: 'Bo' } });
    await client.untilEvent(id, 'run.completed');
    const stored = client.received.filter(({ content }) => Object.hasOwn(content as object, 'seq'));

    expect(stored.map(({ name }) => name)).toEqual(client.events(id).map(({ type }) => type));
  });

  it('sends deltas beside the events, without a number', async () => {
    const speak = scripted('speak', { deltas: ['Hel', 'lo'], delayMs: 50 }, { dependsOn: ['calm'] });
    const definition = { steps: [scripted('calm', { delayMs: 50 }), speak] };
    const { id: runId } = await client.done('run.start', { definition });
    await client.done('run.pause', { runId });
    await client.untilEvent(runId, 'step.completed');
    await client.done('run.resume', { runId });
    await client.untilEvent(runId, 'run.completed');
    const deltas = client.contents('step.delta') as readonly Delta[];

    expect(deltas.map(({ n, data }) => [n, data.text])).toEqual([
      [1, 'Hel'],
      [2, 'lo'],
    ]);
    expect(deltas[0]).toMatchObject({ runId, stepId: 'speak', attempt: 1, afterSeq: expect.any(Number) });
  });

  it('tells the progress, at last before the end', async () => {
    const { id } = await client.done('run.start', { definition: greet, input: { name: 'Di' } });
    await client.untilEvent(id, 'run.completed');
    const names = client.received.map(({ name }) => name);

    expect(client.contents('run.progress').at(-1)).toEqual({
      runId: id,
      completed: 2,
      total: 2,
      percent: 100,
    });
    expect(names.lastIndexOf('run.progress')).toBe(names.indexOf('run.completed') - 1);
  });

  it.each([
    ['a definition that is not valid', { definition: { steps: [] } }, 'definition.invalid'],
    [
      'an input that is not valid',
      { definition: { ...greet, inputSchema: { type: 'string' } } },
      'input.invalid',
    ],
    ['a field that does not exist', { definition: greet, other: 1 }, 'request.invalid'],
    ['nothing', {}, 'request.invalid'],
    ['a definition and a workflow', { definition: greet, workflow: { name: 'welcome' } }, 'request.invalid'],
    ['a workflow that does not exist', { workflow: { name: 'nobody' } }, 'workflow.not-found'],
  ])('refuses %s with the problem that REST gives', async (_, payload, code) => {
    const answer = await client.askAnything('run.start', payload);
    const { body } = await api.post<{ readonly code: string; readonly issues: unknown }>('/runs', payload);

    expect(answer).toMatchObject({
      ok: false,
      problem: { code, ...(body.issues === undefined ? {} : { issues: body.issues }) },
    });
    expect(body.code).toBe(code);
  });
});

describe('run.subscribe', () => {
  it('answers with the run as it is, and sends what comes after', async () => {
    const { id } = await api.start({
      steps: [scripted('a', { delayMs: 100 }), { id: 'b', agent: 'echo', dependsOn: ['a'] }],
    });
    await api.event(id, 'step.started');
    const { snapshot, seq } = await client.done('run.subscribe', { runId: id });
    await client.untilEvent(id, 'run.completed');
    const all = await api.events(id);

    expect(snapshot).toMatchObject({ id, lastSeq: seq, status: 'running' });
    expect(client.events(id)).toEqual(all.slice(seq));
  });

  it.each([0, 1, 3])('sends all that is stored after %i', async (afterSeq) => {
    const { id, lastSeq } = await api.finish(greet, { input: { name: 'Ed' } });
    const { snapshot } = await client.done('run.subscribe', { runId: id, afterSeq });
    await client.untilEvent(id, 'run.completed');

    expect(snapshot).toMatchObject({ id, lastSeq, status: 'completed' });
    expect(client.events(id).map(({ seq }) => seq)).toEqual(upTo(lastSeq).slice(afterSeq));
  });

  it('sends nothing of a run that has ended to whom has seen all', async () => {
    const { id, lastSeq } = await api.finish(greet, { input: { name: 'Flo' } });
    await client.done('run.subscribe', { runId: id });
    await client.done('run.subscribe', { runId: id, afterSeq: lastSeq });
    await client.done('run.status', { runId: id });

    expect(client.received).toEqual([]);
  });

  it('refuses a number that the run has not reached', async () => {
    const { id, lastSeq } = await api.finish(greet, { input: { name: 'Gil' } });
    const answer = await client.ask('run.subscribe', { runId: id, afterSeq: lastSeq + 1 });

    expect(answer).toMatchObject({
      ok: false,
      problem: { code: 'request.invalid', status: 400, issues: [{ pointer: '/afterSeq' }] },
    });
  });

  it('replaces an earlier subscription to the same run', async () => {
    const { id } = await client.done('run.start', { definition: patient });
    await client.untilEvent(id, 'step.started');
    const before = client.events(id).length;
    await client.done('run.subscribe', { runId: id, afterSeq: 0 });
    await client.done('run.cancel', { runId: id });
    await client.untilEvent(id, 'run.cancelled');
    const numbers = client.events(id).map(({ seq }) => seq);

    expect(numbers).toEqual([...upTo(before), ...upTo(numbers.length - before)]);
  });

  it('ends with run.unsubscribe, at once', async () => {
    const { id } = await client.done('run.start', { definition: patient });
    await client.untilEvent(id, 'step.started');
    const answer = await client.done('run.unsubscribe', { runId: id });
    const before = client.received.length;
    await client.done('run.cancel', { runId: id });
    await api.ended(id);
    await client.done('run.status', { runId: id });

    expect(answer).toEqual({ runId: id });
    expect(client.received.length).toBe(before);
  });

  it('is not there, for a run that does not exist', async () => {
    for (const runId of ['run_00000000000000000000000000000000', 'other', '__proto__']) {
      expect(await client.refusal('run.subscribe', { runId })).toBe('run.not-found');
      expect(await client.refusal('run.status', { runId })).toBe('run.not-found');
      expect(await client.refusal('run.unsubscribe', { runId })).toBeUndefined();
    }
  });
});

describe('control', () => {
  it('pauses, resumes and cancels, and answers with the run', async () => {
    const definition = {
      steps: [scripted('a', { delayMs: 50 }), scripted('b', { delayMs: 60_000 }, { dependsOn: ['a'] })],
    };
    const { id } = await client.done('run.start', { definition });
    const paused = await client.done('run.pause', { runId: id, reason: 'lunch' });
    const resumed = await client.done('run.resume', { runId: id });
    const cancelled = await client.done('run.cancel', { runId: id });
    await client.untilEvent(id, 'run.cancelled');

    expect([paused.status, resumed.status]).toEqual(['paused', 'running']);
    expect(['cancelling', 'cancelled']).toContain(cancelled.status);
    expect(client.contents('run.paused')).toMatchObject([{ data: { reason: 'lunch' } }]);
    expect(await client.done('run.status', { runId: id })).toMatchObject({ status: 'cancelled' });
    expect(await client.refusal('run.pause', { runId: id })).toBe('run.not-active');
  });

  it('sends signals, and refuses a name that is none', async () => {
    const definition = { steps: [{ id: 'w', kind: 'signal', signal: 'go' }] };
    const { id: runId } = await client.done('run.start', { definition });
    expect(await client.refusal('run.signal', { runId, name: 'no name' })).toBe('request.invalid');
    await client.done('run.signal', { runId, name: 'go', data: { n: 1 } });
    await client.untilEvent(runId, 'run.completed');

    expect(await client.done('run.status', { runId })).toMatchObject({ output: { w: { n: 1 } } });
    expect(await client.refusal('run.signal', { runId, name: 'go' })).toBe('run.not-active');
  });

  it('takes commands about one run in the order in which they are sent', async () => {
    const { id } = await client.done('run.start', { definition: patient });
    const runId = id;
    const answers = await Promise.all([
      client.done('run.pause', { runId }),
      client.done('run.resume', { runId }),
      client.done('run.pause', { runId }),
      client.done('run.cancel', { runId }),
    ]);

    expect(answers.slice(0, 3).map(({ status }) => status)).toEqual([
      'paused',
      expect.stringMatching(/running|queued/),
      'paused',
    ]);
  });
});

describe('what is not a command', () => {
  it.each([['nothing.known'], ['__proto__'], ['constructor'], ['error'], ['command']])(
    'is answered: %s',
    async (name) => {
      const answer = await client.askAnything(name, { runId: 'x' });

      expect(answer).toMatchObject({ ok: false, problem: { code: 'command.unknown', status: 400 } });
    },
  );

  it('is told by the event error where no answer is asked for', async () => {
    (client.socket as unknown as Socket).emit('nothing.known');
    client.socket.emit('run.status', { runId: 'other' });
    await until(() => client.problems().length === 2, 'both problems came');

    expect(client.problems().map(({ code }) => code)).toEqual(['command.unknown', 'run.not-found']);
  });

  it('is a payload of another shape, whose mistakes are listed', async () => {
    const answer = await client.askAnything('run.subscribe', { runId: 1, afterSeq: -1, other: true });

    expect(answer).toMatchObject({
      ok: false,
      problem: {
        code: 'request.invalid',
        requestId: expect.stringMatching(/^req_/),
        issues: expect.arrayContaining([
          expect.objectContaining({ pointer: '/runId' }),
          expect.objectContaining({ pointer: '/afterSeq' }),
          expect.objectContaining({ pointer: '/other', code: 'field.unknown' }),
        ]),
      },
    });
  });

  it.each([
    ['a list', [[]]],
    ['null', [null]],
    ['two payloads', [{ runId: 'a' }, { runId: 'b' }]],
    ['a text', ['run']],
  ])('is %s', async (_, content) => {
    expect(await client.refusal('run.status', ...content)).toBe('request.invalid');
  });

  it('is carried out without an answer where none is asked for', async () => {
    client.socket.emit('run.start', { definition: greet, input: { name: 'Hal' } });
    await until(() => client.contents('run.completed').length === 1, 'the run ended');

    expect(client.problems()).toEqual([]);
  });
});

describe('over polling', () => {
  it('everything is the same', async () => {
    const polling = await SocketClient.open(service.url, { transports: ['polling'] });
    const { id } = await polling.done('run.start', { definition: greet, input: { name: 'Ida' } });
    await polling.untilEvent(id, 'run.completed');
    polling.close();

    expect(polling.events(id)).toEqual(await api.events(id));
  });

  it('a client that upgrades on the way misses nothing', async () => {
    const upgrading = await SocketClient.open(service.url, { transports: ['polling', 'websocket'] });
    const { id } = await upgrading.done('run.start', { definition: chain(50, { delayMs: 5 }) });
    await upgrading.untilEvent(id, 'run.completed');
    const transport = upgrading.socket.io.engine.transport.name;
    upgrading.close();

    expect(transport).toBe('websocket');
    expect(upgrading.events(id)).toEqual(await api.events(id));
  });
});
