/** Runs that have ended badly are retried: what has been done is not done again, by the count of the one who does it. */
import type { Json } from '../../src/kernel/json.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { HttpStub } from '../support/http-stub.js';

interface Problem {
  readonly code: string;
}

let service: RunningApp;
let api: Api;
const stub = new HttpStub();

/** What the stub was asked to do, in order: the name of the work, and the key that it was sent with. */
let works: { readonly name: string; readonly key: string }[] = [];
/** Names of works that are refused for good. */
const refused = new Set<string>();

beforeAll(async () => {
  await stub.start();
  service = await startApp({ env: { EGRESS_ALLOWED_HOSTS: '127.0.0.2' } });
  api = new Api(service.url);
  await api.post('/agents', { key: 'work', kind: 'http', settings: { url: stub.url('/work') } });
});

beforeEach(() => {
  works = [];
  refused.clear();
  stub.answer = ({ body, headers }, response) => {
    const { name } = JSON.parse(body) as { readonly name: string };
    works.push({ name, key: String(headers['idempotency-key']) });
    response.writeHead(refused.has(name) ? 400 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ did: name }));
  };
});

afterAll(async () => {
  await service.close();
  await stub.stop();
});

const step = (id: string, more: Readonly<Record<string, Json>> = {}): Json => ({
  id,
  agent: 'work',
  input: { name: id },
  ...more,
});

/** Steps one after the other. */
const chain = (count: number): readonly Json[] =>
  Array.from({ length: count }, (_, index) =>
    step(`s${String(index + 1)}`, index === 0 ? {} : { dependsOn: [`s${String(index)}`] }),
  );

const names = (): readonly string[] => works.map(({ name }) => name);

async function retry(run: RunView, body: unknown = {}): Promise<RunView> {
  const answer = await api.post<RunView>(`/runs/${run.id}/retry`, body);
  expect(answer.status).toBe(200);
  return api.ended(run.id);
}

async function refusal(run: RunView, body: unknown = {}): Promise<string> {
  const answer = await api.post<Problem>(`/runs/${run.id}/retry`, body);
  return `${String(answer.status)} ${answer.body.code}`;
}

it('runs the steps from the one that failed on, and none before it again', async () => {
  refused.add('s9');
  const failed = await api.finish({ steps: chain(12) });
  expect({ status: failed.status, did: names().length }).toEqual({ status: 'failed', did: 9 });
  refused.clear();
  const run = await retry(failed, { reason: 'the service is back' });

  expect(run).toMatchObject({ status: 'completed', retries: 1, progress: { completed: 12 } });
  expect(run).not.toHaveProperty('failure');
  expect(names()).toEqual([
    ...chain(9).map((_, index) => `s${String(index + 1)}`),
    's9',
    's10',
    's11',
    's12',
  ]);
  expect(new Set(works.map(({ key }) => key)).size).toBe(13);
  const events = await api.events(run.id);
  const retried = events.find(({ type }) => type === 'run.retried');
  expect(retried?.data).toEqual({
    retry: 1,
    steps: ['s9', 's10', 's11', 's12'],
    reason: 'the service is back',
  });
  expect(attemptsOf(events, 's9')).toEqual([1, 2]);
});

it('runs the items again that failed, and no others', async () => {
  refused.add('b');
  refused.add('d');
  const definition = {
    steps: [
      {
        ...(step('each', {
          forEach: { items: ['a', 'b', 'c', 'd', 'e'], toleratedFailureCount: 1 },
        }) as object),
        input: { name: '{{ item }}' },
      },
      step('after', { input: { name: 'after {{ steps.each.output | size }}' } }),
    ],
    maxParallelSteps: 1,
  };
  const failed = await api.finish(definition);
  expect(failed).toMatchObject({ status: 'failed', failure: { code: 'map.threshold-exceeded' } });
  refused.clear();
  works = [];
  const run = await retry(failed);

  expect(run.status).toBe('completed');
  expect(names()).toEqual(['b', 'd', 'e', 'after 5']);
  expect((await stepAt(run, 'each')).output).toEqual(['a', 'b', 'c', 'd', 'e'].map((did) => outputOf(did)));
});

it('goes on with the iteration that failed, at the step that failed', async () => {
  refused.add('check 2');
  const definition = {
    steps: [
      {
        id: 'polish',
        kind: 'loop',
        repeat: {
          until: 'iteration == 3',
          body: {
            steps: [
              step('write', { input: { name: 'write {{ iteration }}' } }),
              step('check', { input: { name: 'check {{ iteration }}' }, dependsOn: ['write'] }),
            ],
          },
        },
      },
    ],
  };
  const failed = await api.finish(definition);
  expect(failed.status).toBe('failed');
  refused.clear();
  works = [];
  const run = await retry(failed);

  expect(run.status).toBe('completed');
  expect(names()).toEqual(['check 2', 'write 3', 'check 3']);
});

it.each([
  ['s2', ['s2', 's3', 's4']],
  ['each[1]', ['item 1', 's4']],
  ['polish[1]', ['round 1', 'round 2', 's4']],
  ['polish[1]/round', ['round 1', 'round 2', 's4']],
])('runs everything again from %s on', async (fromStep, expected) => {
  const definition = {
    steps: [
      step('s1'),
      step('s2', { dependsOn: ['s1'] }),
      step('s3', { dependsOn: ['s2'] }),
      step('each', { forEach: { items: [0, 1, 2] }, input: { name: 'item {{ item }}' } }),
      {
        id: 'polish',
        kind: 'loop',
        repeat: {
          until: 'iteration == 2',
          body: { steps: [step('round', { input: { name: 'round {{ iteration }}' } })] },
        },
      },
      step('s4', { dependsOn: ['s3', 'each', 'polish'] }),
    ],
    maxParallelSteps: 1,
  };
  refused.add('s4');
  const failed = await api.finish(definition);
  refused.clear();
  works = [];
  const run = await retry(failed, { fromStep });

  expect(run.status).toBe('completed');
  expect(names()).toEqual(expected);
});

it('does again what was undone, and what comes last', async () => {
  const definition = {
    steps: [
      step('pay', { compensate: { agent: 'work', input: { name: 'give back' } } }),
      step('note'),
      step('ship', { dependsOn: ['pay', 'note'] }),
      step('tidy', { finally: true }),
    ],
    maxParallelSteps: 1,
  };
  refused.add('ship');
  const failed = await api.finish(definition);
  expect(names()).toEqual(['pay', 'note', 'ship', 'give back', 'tidy']);
  works = [];
  await retry(failed);
  expect(names()).toEqual(['pay', 'ship', 'give back', 'tidy']);
  refused.clear();
  works = [];
  const run = await retry(failed);

  expect(names()).toEqual(['pay', 'ship', 'tidy']);
  expect(run).toMatchObject({ status: 'completed', retries: 2 });
});

it('takes back what was written to the context by what runs again, and leaves what others wrote', async () => {
  const writes = { seen: '{{ output.did }}' };
  const definition = {
    context: { seen: ['start'], total: 0 },
    contextReducers: { seen: 'append', total: 'sum' },
    steps: [
      step('s1', { writes }),
      step('each', { forEach: { items: [1, 2, 3] }, writes: { total: '{{ item }}' }, dependsOn: ['s1'] }),
      step('s2', { writes, dependsOn: ['each'], compensate: { agent: 'work', input: { name: 'undo' } } }),
      step('s3', { dependsOn: ['s2'] }),
    ],
    output: '{{ context }}',
    maxParallelSteps: 1,
  };
  refused.add('s3');
  const failed = await api.finish(definition);
  expect(failed.context).toEqual({ seen: ['start', 's1', 's2'], total: 6 });
  const again = await retry(failed, { fromStep: 'each[1]' });
  expect(again.context).toEqual({ seen: ['start', 's1', 's2'], total: 6 });
  refused.clear();
  const run = await retry(again);

  expect(run.output).toEqual({ seen: ['start', 's1', 's2'], total: 6 });
  const retried = (await api.events(run.id)).filter(({ type }) => type === 'run.retried');
  expect(retried.map(({ data }) => data)).toMatchObject([
    { context: { seen: ['start', 's1'], total: 4 } },
    { context: { seen: ['start', 's1'], total: 6 } },
  ]);
});

it('retries a run that was cancelled, and one that has used up its time, whose clock begins anew', async () => {
  const waits = {
    steps: [{ id: 'wait', kind: 'signal', signal: 'go' }, step('next', { dependsOn: ['wait'] })],
  };
  const cancelled = await api.start(waits);
  await api.event(cancelled.id, 'run.waiting');
  await api.post(`/runs/${cancelled.id}/cancel`);
  await api.post(`/runs/${cancelled.id}/signals/go`);
  expect((await api.post<RunView>(`/runs/${cancelled.id}/retry`)).status).toBe(200);
  await api.post(`/runs/${cancelled.id}/signals/go`);
  expect((await api.ended(cancelled.id)).status).toBe('completed');

  const slow = { id: 'slow', agent: 'scripted', input: { delayMs: 60_000 } };
  const late = await api.finish({ steps: [slow], timeoutMs: 50 });
  expect(late.status).toBe('timed_out');
  const again = await retry(late);
  expect(again).toMatchObject({ status: 'timed_out', retries: 1 });
});

it('refuses what has ended well, what has not ended, and steps that are not there', async () => {
  const completed = await api.finish({ steps: [step('s1')] });
  const paused = await api.start({ steps: [{ id: 'wait', kind: 'signal', signal: 'go' }] });
  refused.add('s1');
  const failed = await api.finish({ steps: [step('s1')] });

  expect(await refusal(completed)).toBe('409 run.not-retryable');
  expect(await refusal(paused)).toBe('409 run.not-retryable');
  expect(await refusal(failed, { fromStep: 's1[4]' })).toBe('404 step.not-found');
  expect(await refusal(failed, { fromStep: 7 })).toBe('400 request.invalid');
  expect(await refusal({ ...failed, id: failed.id.replace(/.$/, 'x') })).toBe('404 run.not-found');
});

it('retries once for two who ask at once, and answers a key that comes again as before', async () => {
  refused.add('s1');
  const failed = await api.finish({ steps: [step('s1')] });
  refused.clear();
  works = [];
  const key = { 'Idempotency-Key': `retry-${failed.id}` };
  const first = await api.post<RunView>(`/runs/${failed.id}/retry`, {}, key);
  const second = await api.post<RunView>(`/runs/${failed.id}/retry`, {}, key);
  const run = await api.ended(failed.id);

  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.body).toEqual(first.body);
  expect(run).toMatchObject({ status: 'completed', retries: 1 });
  expect(names()).toEqual(['s1']);
});

it('is followed from the beginning through its first end', async () => {
  refused.add('s1');
  const failed = await api.finish({ steps: [step('s1')] });
  refused.clear();
  await retry(failed);
  const events = await api.events(failed.id);
  const stream = await fetch(`${service.url}/api/v1/runs/${failed.id}/events`, {
    headers: { accept: 'text/event-stream' },
  });
  const followed = Array.from((await stream.text()).matchAll(/^data: (.*)$/gm), ([, data = '']) => data);

  expect(followed.map((data) => JSON.parse(data) as RunEvent)).toEqual(events);
  expect(events.map(({ type }) => type)).toEqual([
    ...['run.queued', 'run.started', 'step.started', 'step.failed', 'run.failed'],
    ...['run.retried', 'run.started', 'step.started', 'step.completed', 'run.completed'],
  ]);
});

function attemptsOf(events: readonly RunEvent[], stepId: string): readonly (number | undefined)[] {
  return events.filter((e) => e.type === 'step.started' && e.stepId === stepId).map(({ attempt }) => attempt);
}

async function stepAt(run: RunView, path: string): Promise<StepView> {
  return (await api.get<StepView>(`/runs/${run.id}/steps/${encodeURIComponent(path)}`)).body;
}

function outputOf(did: string): Json {
  return { did };
}
