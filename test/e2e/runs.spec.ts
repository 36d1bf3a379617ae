/** Runs as a client meets them: start, read, follow, control. */
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

const greet = {
  name: 'greet',
  steps: [
    scripted('greet', { output: { text: 'Hello {{ input.name }}' } }),
    { id: 'shout', agent: 'echo', input: { text: '{{ steps.greet.output.text | upcase }}' } },
  ],
  output: { text: '{{ steps.shout.output.text }}' },
};

describe('starting a run', () => {
  it('answers 202 with the run and where it is read', async () => {
    const { status, headers, body } = await api.post<RunView>('/runs', {
      definition: greet,
      input: { name: 'Ada' },
    });

    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'queued', name: 'greet', input: { name: 'Ada' }, lastSeq: 1 });
    expect(headers.get('location')).toBe(`/api/v1/runs/${body.id}`);
    expect((await api.ended(body.id)).output).toEqual({ text: 'HELLO ADA' });
  });

  it('answers 200 with the result when it ends within the time that Prefer allows', async () => {
    const run = await api.finish(greet, { input: { name: 'Bob' }, tags: ['e2e'], priority: 90 });

    expect(run).toMatchObject({
      status: 'completed',
      output: { text: 'HELLO BOB' },
      progress: { completed: 2, total: 2, percent: 100 },
      tags: ['e2e'],
      priority: 90,
      manifest: { agents: { scripted: { kind: 'scripted', version: 1 } } },
    });
  });

  it('gives the first answer again for the same key and body, and refuses another body', async () => {
    const body = { definition: greet, input: { name: 'Cy' } };
    const first = await api.post<RunView>('/runs', body, { 'Idempotency-Key': 'once' });
    await api.ended(first.body.id);
    const again = await api.post<RunView>('/runs', body, { 'Idempotency-Key': 'once' });
    const other = await api.post('/runs', { ...body, priority: 1 }, { 'Idempotency-Key': 'once' });

    expect(again.status).toBe(202);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    expect([other.status, other.body]).toEqual([
      422,
      expect.objectContaining({ code: 'idempotency.mismatch' }),
    ]);
  });

  it('starts one run for twenty requests at once with the same key', async () => {
    const body = { definition: greet, input: { name: 'Di' } };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.post<RunView>('/runs', body, { 'Idempotency-Key': 'race' })),
    );

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body: run }) => run.id)).size).toBe(1);
  });

  it('keeps keys named __proto__ and constructor as they came', async () => {
    const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":"x"}';
    const definition = {
      steps: [{ id: 'a', agent: 'echo', input: '{{ input }}' }],
      output: '{{ steps.a.output }}',
    };
    const answer = await fetch(`${service.url}/api/v1/runs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=30' },
      body: `{"definition":${JSON.stringify(definition)},"input":${text},"context":${text}}`,
    });
    const body = await answer.text();

    expect(answer.status).toBe(200);
    expect(body).toContain(`"input":${text}`);
    expect(body).toContain(`"context":${text}`);
    expect(body).toContain(`"output":${text}`);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('reading a run', () => {
  it('shows its steps in the order of the definition, in pages', async () => {
    const { id } = await api.finish(greet, { input: { name: 'Eve' } });
    const first = await api.get<{ items: StepView[]; nextCursor: string }>(`/runs/${id}/steps?limit=1`);
    const second = await api.get<{ items: StepView[]; nextCursor?: string }>(
      `/runs/${id}/steps?limit=1&cursor=${first.body.nextCursor}`,
    );

    expect(first.body.items).toMatchObject([
      { id: 'greet', status: 'completed', attempts: 1, dependsOn: [] },
    ]);
    expect(second.body.items).toMatchObject([
      { id: 'shout', dependsOn: ['greet'], output: { text: 'HELLO EVE' } },
    ]);
    expect(second.body.nextCursor).toBeUndefined();
    expect((await api.get<StepView>(`/runs/${id}/steps/shout`)).body).toEqual(second.body.items[0]);
    expect((await api.get(`/runs/${id}/steps/none`)).body).toMatchObject({
      code: 'step.not-found',
      status: 404,
    });
  });

  it('lists runs newest first and by tag and status', async () => {
    const older = await api.finish(greet, { input: { name: 'F' }, tags: ['list'] });
    const newer = await api.finish(greet, { input: { name: 'G' }, tags: ['list'] });
    const list = await api.get<{ items: RunView[] }>('/runs?tag=list&status=completed');

    expect(list.body.items.map(({ id }) => id)).toEqual([newer.id, older.id]);
    expect((await api.get<{ items: RunView[] }>('/runs?tag=list&status=failed')).body.items).toEqual([]);
  });

  it('answers 404 for a run that does not exist', async () => {
    const answer = await api.get('/runs/run_00000000000070008000000000000009');

    expect(answer.body).toMatchObject({ status: 404, code: 'run.not-found' });
  });
});

describe('the events of a run', () => {
  it('are numbered from 1, the same in JSON and as a stream', async () => {
    const { id, lastSeq } = await api.finish(greet, { input: { name: 'H' } });
    const events = await api.events(id);
    const stream = await fetch(`${service.url}/api/v1/runs/${id}/events`, {
      headers: { accept: 'text/event-stream' },
    });
    const frames = (await stream.text()).split('\n\n').filter((frame) => frame.includes('data: '));

    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: lastSeq }, (_, index) => index + 1));
    expect(events.map(({ type }) => type)).toEqual([
      'run.queued',
      'run.started',
      'step.started',
      'step.completed',
      'step.started',
      'step.completed',
      'run.completed',
    ]);
    expect(frames.map((frame) => JSON.parse(/data: (.*)/.exec(frame)?.[1] ?? '') as unknown)).toEqual(events);
    expect(frames[0]).toContain('id: 1\nevent: run.queued\n');
  });

  it('go on after Last-Event-ID', async () => {
    const { id, lastSeq } = await api.finish(greet, { input: { name: 'I' } });
    const stream = await fetch(`${service.url}/api/v1/runs/${id}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(lastSeq - 2) },
    });

    expect((await stream.text()).match(/^id: \d+$/gm)).toEqual([
      `id: ${String(lastSeq - 1)}`,
      `id: ${String(lastSeq)}`,
    ]);
  });
});

describe('steps', () => {
  it('are tried again after a failure that may pass, with the same key and a larger attempt number', async () => {
    const run = await api.finish({
      retry: { maxAttempts: 3, initialIntervalMs: 1, maxIntervalMs: 1 },
      steps: [scripted('flaky', { failTimes: 2, output: 'at last' })],
    });
    const events = await api.events(run.id);

    expect(run.output).toEqual({ flaky: 'at last' });
    expect(events.filter(({ type }) => type === 'step.started').map(({ attempt }) => attempt)).toEqual([
      1, 2, 3,
    ]);
  });

  it('fail the run with their own failure when attempts are used up', async () => {
    const run = await api.finish({
      retry: { maxAttempts: 2, initialIntervalMs: 1 },
      steps: [
        scripted('bad', { error: { code: 'agent.overloaded', message: 'no room' } }),
        { id: 'after', agent: 'echo', dependsOn: ['bad'] },
      ],
    });

    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.overloaded', details: { stepId: 'bad' } },
    });
    expect((await api.get<StepView>(`/runs/${run.id}/steps/after`)).body).toMatchObject({
      status: 'cancelled',
    });
  });

  it('let the run go on when their failure is continued', async () => {
    const run = await api.finish({
      steps: [
        scripted('bad', { error: { code: 'agent.refused', retryable: false } }, { onError: 'continue' }),
        {
          id: 'after',
          agent: 'echo',
          input: { status: '{{ steps.bad.status }}', code: '{{ steps.bad.error.code }}' },
        },
      ],
    });

    expect(run).toMatchObject({
      status: 'completed',
      output: { after: { status: 'failed', code: 'agent.refused' } },
    });
  });

  it('are skipped when their condition is false, and merge where branches meet', async () => {
    const run = await api.finish(
      {
        steps: [
          { id: 'score', agent: 'echo', input: { value: '{{ input.value }}' } },
          { id: 'high', agent: 'echo', input: 'high', when: 'steps.score.output.value >= 0.5' },
          { id: 'low', agent: 'echo', input: 'low', when: 'steps.score.output.value < 0.5' },
          { id: 'merge', agent: 'echo', dependsOn: ['high', 'low'], input: 'merged' },
        ],
      },
      { input: { value: 0.9 } },
    );
    const { body } = await api.get<{ items: StepView[] }>(`/runs/${run.id}/steps`);

    expect(body.items.map(({ status }) => status)).toEqual([
      'completed',
      'completed',
      'skipped',
      'completed',
    ]);
    expect(body.items[2]?.skipReason).toBe('condition-false');
  });

  it('fail when an expression cannot be evaluated', async () => {
    const run = await api.finish({ steps: [{ id: 'a', agent: 'echo', input: '{{ input.missing }}' }] });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'template.variable-missing' } });
  });

  it('run out of time', async () => {
    const run = await api.finish({
      retry: { maxAttempts: 1 },
      steps: [scripted('slow', { delayMs: 60_000 }, { timeoutMs: 30 })],
    });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'step.timed-out', kind: 'timeout' } });
  });
});

describe('a run out of time', () => {
  it('ends with run.failed in the same shape as any failure', async () => {
    const run = await api.finish({ timeoutMs: 50, steps: [scripted('slow', { delayMs: 60_000 })] });
    const last = (await api.events(run.id)).at(-1);

    expect(run.status).toBe('timed_out');
    expect(last).toMatchObject({
      type: 'run.failed',
      data: { status: 'timed_out', failure: { code: 'run.timed-out', kind: 'timeout', retryable: false } },
    });
  });
});

describe('control', () => {
  const slow = {
    steps: [
      scripted('first', { delayMs: 1_000, output: 1 }),
      { id: 'second', agent: 'echo', dependsOn: ['first'] },
    ],
  };

  it('pauses: the open attempt finishes, nothing new starts until the run is resumed', async () => {
    const { id } = await api.start(slow);
    await api.event(id, 'step.started');
    const paused = await api.post<RunView>(`/runs/${id}/pause`, { reason: 'lunch' });
    await api.event(id, 'step.completed');
    const held = (await api.get<{ items: StepView[] }>(`/runs/${id}/steps`)).body.items;
    const resumed = await api.post<RunView>(`/runs/${id}/resume`);

    expect([paused.status, paused.body.status]).toEqual([200, 'paused']);
    expect(held.map(({ status }) => status)).toEqual(['completed', 'ready']);
    expect(resumed.body.status).toMatch(/running|completed/);
    expect((await api.ended(id)).status).toBe('completed');
  });

  it('cancels: the call in flight is aborted and nothing more starts', async () => {
    const { id } = await api.start({
      steps: [scripted('long', { delayMs: 60_000 }), { id: 'next', agent: 'echo', dependsOn: ['long'] }],
    });
    await api.event(id, 'step.started');
    await api.post<RunView>(`/runs/${id}/cancel`, { reason: 'enough' });
    const run = await api.ended(id);
    const types = (await api.events(id)).map(({ type }) => type);

    expect(run.status).toBe('cancelled');
    expect(types).toEqual([
      'run.queued',
      'run.started',
      'step.started',
      'run.cancelling',
      'step.cancelled',
      'run.cancelled',
    ]);
    expect((await api.post<RunView>(`/runs/${id}/cancel`)).body).toEqual(run);
    expect((await api.post(`/runs/${id}/pause`)).body).toMatchObject({ status: 409, code: 'run.not-active' });
  });

  it('answers a second pause and a resume of a running run as they are', async () => {
    const { id } = await api.start(slow);
    await api.event(id, 'step.started');
    expect((await api.post<RunView>(`/runs/${id}/resume`)).status).toBe(200);
    await api.post(`/runs/${id}/pause`);
    expect((await api.post<RunView>(`/runs/${id}/pause`)).body.status).toBe('paused');
    const { body } = await api.post<RunView>(`/runs/${id}/cancel`);
    expect(body.status).toMatch(/cancel/);
    const types = (await api.ended(id)).status;
    expect(types).toBe('cancelled');
  });
});

describe('artifacts', () => {
  it('are listed with their step and read under their own media type, in a sandbox', async () => {
    const file = {
      name: 'note.svg',
      mediaType: 'image/svg+xml',
      text: '<svg xmlns="http://www.w3.org/2000/svg"/>',
    };
    const { id } = await api.finish({ steps: [scripted('draw', { artifacts: [file] })] });
    const { body } = await api.get<StepView>(`/runs/${id}/steps/draw`);
    const href = body.artifacts?.[0]?.href ?? '';
    const answer = await fetch(`${service.url}${href}`);

    expect(body.artifacts).toEqual([
      { name: 'draw.note.svg', mediaType: 'image/svg+xml', bytes: file.text.length, href },
    ]);
    expect(answer.headers.get('content-type')).toBe('image/svg+xml');
    expect(answer.headers.get('content-security-policy')).toMatch(/^sandbox/);
    expect(await answer.text()).toBe(file.text);
    expect((await api.get(`/runs/${id}/artifacts/none`)).body).toMatchObject({ code: 'artifact.not-found' });
  });

  it('are not sent again to a client that has them, and are saved when it asks for that', async () => {
    const file = { name: 'a.txt', mediaType: 'text/plain', text: 'Guten Tag' };
    const { id } = await api.finish({ steps: [scripted('draw', { artifacts: [file] })] });
    const url = `${service.url}/api/v1/runs/${id}/artifacts/draw.a.txt`;
    const first = await fetch(url);
    const etag = first.headers.get('etag') ?? '';
    const again = await fetch(url, { headers: { 'if-none-match': `"other", ${etag}` } });
    const saved = await fetch(`${url}?download=true`, { headers: { 'if-none-match': '"other"' } });

    expect(etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(first.headers.get('content-disposition')).toBe('inline; filename="draw.a.txt"');
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    expect(saved.headers.get('content-disposition')).toBe('attachment; filename="draw.a.txt"');
    expect([saved.headers.get('content-length'), await saved.text()]).toEqual(['9', 'Guten Tag']);
  });

  it('with a bad name fail the step', async () => {
    const file = { name: '../etc/passwd', mediaType: 'text/plain', text: 'x' };
    const run = await api.finish({
      retry: { maxAttempts: 1 },
      steps: [scripted('draw', { artifacts: [file] })],
    });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'agent.output-invalid' } });
  });
});

describe('an outputSchema', () => {
  it('makes a step fail whose output it refuses', async () => {
    const outputSchema = { type: 'object', required: ['score'] };
    const run = await api.finish({
      steps: [scripted('judge', { output: { text: 'fine' } }, { outputSchema })],
    });
    const good = await api.finish({ steps: [scripted('judge', { output: { score: 1 } }, { outputSchema })] });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'agent.output-invalid' } });
    expect(good.output).toEqual({ judge: { score: 1 } });
  });
});

describe('queueTimeoutMs', () => {
  const one = { maxParallelSteps: 1 };

  it('ends the wait of a step for which no place was free', async () => {
    const long = scripted('long', { delayMs: 60_000 });
    const next = scripted('next', { output: 'done' }, { queueTimeoutMs: 100 });
    const { id } = await api.start({ ...one, steps: [long, next] });
    const ended = await api.ended(id);
    const { body } = await api.get<StepView>(`/runs/${id}/steps/next`);

    expect(ended).toMatchObject({ status: 'failed', failure: { code: 'step.queue-timed-out' } });
    expect(body).toMatchObject({
      status: 'failed',
      attempts: 0,
      failure: { details: { queueTimeoutMs: 100 } },
    });
    expect((await api.get<StepView>(`/runs/${id}/steps/long`)).body.status).toBe('cancelled');
  });

  it('ends it for each item by itself, and what is handled lets the run go on', async () => {
    const forEach = { items: [1, 2, 3], toleratedFailureCount: 2 };
    const { id } = await api.start({
      ...one,
      steps: [scripted('map', { delayMs: 60_000 }, { forEach, queueTimeoutMs: 100 })],
    });
    const item = async (path: string): Promise<StepView> =>
      (await api.get<StepView>(`/runs/${id}/steps/${encodeURIComponent(path)}`)).body;
    await until(async () => (await item('map[2]')).status === 'failed', 'the last item has waited too long');

    expect(await item('map[1]')).toMatchObject({ failure: { code: 'step.queue-timed-out' } });
    expect((await item('map[0]')).status).toBe('running');
    await api.post(`/runs/${id}/cancel`);
  });

  it('is nothing to a step whose place is free in time', async () => {
    const first = scripted('first', { delayMs: 10 });
    const next = scripted('next', { output: 'done' }, { queueTimeoutMs: 60_000 });
    const run = await api.finish({ ...one, steps: [first, next] });

    expect(run).toMatchObject({ status: 'completed', output: { next: 'done' } });
  });
});
