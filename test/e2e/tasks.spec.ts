/** Work that processes outside do: over HTTP, by the example client, through restarts. */
import { sql } from 'kysely';

import type { Task as PolledTask } from '../../docs/examples/worker/worker.js';
import { TaskSweep } from '../../src/agents/task-sweep.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { KeyService } from '../../src/platform/auth/key.service.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { StepView } from '../../src/runs/domain/view.js';
import { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { Api, type Answer } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';
import { refusedWith, SocketClient } from '../support/socket.js';
import { WorkerProcess } from '../support/worker-process.js';

type Task = PolledTask & { readonly delivery: number };

const NO_LIMITS = { RATE_LIMIT_READ: '0', RATE_LIMIT_WRITE: '0', RATE_LIMIT_EXECUTE: '0' };

const asked = (input: Json, more: JsonObject = {}): JsonObject => ({
  steps: [{ id: 'ask', agent: 'worker', input, ...more }],
  output: '{{ steps.ask.output }}',
});

const poll = (api: Api, more: object = {}): Promise<Answer<readonly Task[]>> =>
  api.post<readonly Task[]>('/tasks/poll', { agentId: 'worker', waitMs: 20_000, ...more });

/** The one task that is there. */
async function take(api: Api): Promise<Task> {
  const { body } = await poll(api);
  if (body[0] === undefined) throw new Error('There is no task.');
  return body[0];
}

describe('a worker in a process of its own', () => {
  let service: RunningApp;
  let api: Api;
  let worker: WorkerProcess;

  beforeAll(async () => {
    service = await startApp({ env: NO_LIMITS });
    api = new Api(service.url);
    worker = WorkerProcess.start(service.url, { MAX: '4' });
    await worker.says('LISTENING');
  });

  afterAll(async () => {
    await worker.kill();
    await service.close();
  });

  it('does the work of a step', async () => {
    const input = { text: 'Guten Tag', constructor: { __proto__: 1 } };
    const run = await api.finish(asked(input));

    expect(run).toMatchObject({ status: 'completed', output: { done: input, by: worker.pid } });
    expect(worker.tasks()).toEqual([{ input, idempotencyKey: `${run.id}:ask:1`, attempt: 1 }]);
  });

  it('does the work of a call outside a run', async () => {
    const answer = await api.post('/agents/worker/execute', { input: { n: 1 } });

    expect(answer).toMatchObject({ status: 200, body: { output: { done: { n: 1 }, by: worker.pid } } });
  });

  it('fails a step with its own code', async () => {
    const run = await api.finish(asked({ fail: 'translator.closed' }));

    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'translator.closed', message: 'step "ask" failed: as the input says' },
    });
  });

  it('is asked again as the retry policy says, each time with the same key', async () => {
    const retry = { maxAttempts: 3, initialIntervalMs: 1, jitter: 'none' };
    const run = await api.finish(asked({ fail: 'translator.busy', retryable: true }, { retry }));

    const told = worker.tasks().filter(({ idempotencyKey }) => idempotencyKey.startsWith(run.id));
    expect(told).toEqual(
      [1, 2, 3].map((attempt) => ({
        input: { fail: 'translator.busy', retryable: true },
        idempotencyKey: `${run.id}:ask:1`,
        attempt,
      })),
    );
  });

  it('shows its progress to who follows the run', async () => {
    const client = await SocketClient.open(service.url);
    try {
      const shown = new Promise((resolve) => client.socket.once('step.progress', resolve));
      const run = await client.done('run.start', { definition: asked({ progress: 40 }) });

      expect(await shown).toMatchObject({
        runId: run.id,
        stepId: 'ask',
        data: { percent: 40, message: 'on the way' },
      });
    } finally {
      client.close();
    }
  });
});

describe('a task', () => {
  let service: RunningApp;
  let api: Api;

  beforeAll(async () => {
    service = await startApp({ env: NO_LIMITS });
    api = new Api(service.url);
  });

  afterAll(() => service.close());

  it('is handed to a worker that waits as soon as a step asks', async () => {
    const waiting = poll(api, { max: 5 });
    const run = await api.start(asked({ n: 1 }));

    const { status, body } = await waiting;

    expect(status).toBe(200);
    expect(body).toEqual([
      {
        token: expect.stringMatching(/^[\w-]{43}$/) as unknown,
        id: expect.stringMatching(/^tsk_/) as unknown,
        agent: 'worker',
        input: { n: 1 },
        idempotencyKey: `${run.id}:ask:1`,
        attempt: 1,
        delivery: 1,
        deadline: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
        heartbeatTimeoutMs: 60_000,
        runId: run.id,
        stepId: 'ask',
      },
    ]);
    await api.post(`/tasks/${body[0]?.token ?? ''}/complete`, { output: null });
    expect(await api.ended(run.id)).toMatchObject({ status: 'completed', output: null });
  });

  it('is answered once; the same answer again is answered alike', async () => {
    const run = await api.start(asked({}));
    const { token } = await take(api);
    const end = (what: string, body: object): Promise<Answer<ProblemDocument>> =>
      api.post<ProblemDocument>(`/tasks/${token}/${what}`, body);

    expect(await end('complete', { output: { a: 1 } })).toMatchObject({
      status: 200,
      body: { status: 'completed' },
    });
    expect(await end('complete', { output: { a: 1 } })).toMatchObject({ status: 200 });
    expect(await end('complete', { output: { a: 2 } })).toMatchObject({
      status: 409,
      body: { code: 'task.token-used' },
    });
    expect(await end('fail', { failure: { code: 'a.b', message: '' } })).toMatchObject({
      status: 409,
      body: { code: 'task.token-used' },
    });
    expect(await api.ended(run.id)).toMatchObject({ output: { a: 1 } });
  });

  it('is dropped when its run is cancelled', async () => {
    const run = await api.start(asked({}));
    const { token } = await take(api);
    expect(await api.post(`/tasks/${token}/heartbeat`)).toMatchObject({
      status: 200,
      body: { cancelled: false },
    });

    await api.post(`/runs/${run.id}/cancel`);
    await api.ended(run.id);

    expect(await api.post(`/tasks/${token}/heartbeat`)).toMatchObject({ body: { cancelled: true } });
    expect(await api.post(`/tasks/${token}/complete`, { output: 1 })).toMatchObject({
      status: 409,
      body: { code: 'task.cancelled' },
    });
  });

  it('is dropped when its attempt takes too long, and the next attempt has one of its own', async () => {
    const retry = { maxAttempts: 2, initialIntervalMs: 1, jitter: 'none' };
    const run = await api.start(asked({}, { timeoutMs: 50, retry }));
    const [first, second] = [await take(api), await take(api)];

    expect(await api.post(`/tasks/${first.token}/heartbeat`)).toMatchObject({ body: { cancelled: true } });
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    expect(second.idempotencyKey).toBe(first.idempotencyKey);
    expect(await api.ended(run.id)).toMatchObject({ status: 'failed' });
  });

  it('must give an output that the step takes', async () => {
    const schema = { type: 'object', required: ['text'] };
    const run = await api.start(asked({}, { outputSchema: schema }));
    const { token } = await take(api);

    await api.post(`/tasks/${token}/complete`, { output: { other: 1 } });

    expect(await api.ended(run.id)).toMatchObject({
      status: 'failed',
      failure: { code: 'agent.output-invalid' },
    });
  });

  it.each<[string, string, unknown, object]>([
    ['poll', 'nothing', {}, { code: 'request.invalid', issues: [{ pointer: '/agentId' }] }],
    ['poll', 'too many', { agentId: 'worker', max: 51 }, { issues: [{ pointer: '/max' }] }],
    ['poll', 'a long wait', { agentId: 'worker', waitMs: 30_001 }, { issues: [{ pointer: '/waitMs' }] }],
    ['poll', 'an unknown agent', { agentId: 'nobody' }, { code: 'agent.not-found' }],
    ['poll', 'a prototype', { agentId: '__proto__' }, { code: 'agent.not-found' }],
    ['poll', 'an agent that is no worker', { agentId: 'echo' }, { code: 'agent.not-worker' }],
    ['t/complete', 'no output', {}, { code: 'request.invalid', issues: [{ pointer: '/output' }] }],
    ['t/complete', 'a list', [], { code: 'request.invalid' }],
    ['t/complete', 'an unknown field', { output: 1, x: 1 }, { issues: [{ pointer: '/x' }] }],
    ['t/complete', 'an unknown token', { output: 1 }, { code: 'task.token-expired', status: 409 }],
    ['t/fail', 'no failure', {}, { code: 'request.invalid', issues: [{ pointer: '/failure' }] }],
    [
      't/fail',
      'a code that is none',
      { failure: { code: 'Bad code', message: 'x' } },
      { issues: [{ pointer: '/failure/code' }] },
    ],
    [
      't/fail',
      'a time that is none',
      { failure: { code: 'a.b', message: 'x', retryAfterMs: -1 } },
      { issues: [{ pointer: '/failure/retryAfterMs' }] },
    ],
    [
      't/heartbeat',
      'too much progress',
      { progress: { percent: 101 } },
      { issues: [{ pointer: '/progress/percent' }] },
    ],
    [`${'x'.repeat(90)}/heartbeat`, 'a long token', {}, { code: 'task.token-expired' }],
    ['%00/complete', 'a byte of nothing', { output: 1 }, { code: 'request.invalid' }],
  ])('is not to be had by %s with %s', async (path, _, body, expected) => {
    expect((await api.post(`/tasks/${path}`, body)).body).toMatchObject(expected);
  });

  it('comes back as it went in, whatever its keys are', async () => {
    const text = '{"output":{"__proto__":{"a":1},"constructor":2,"toString":[{"__proto__":null}]}}';
    const run = await api.start(asked({}));
    const { token } = await take(api);

    await api.postText(`/tasks/${token}/complete`, text);
    await api.ended(run.id);

    const answer = await fetch(`${service.url}/api/v1/runs/${run.id}/steps/ask`);
    expect(await answer.text()).toContain(text.slice(1, -1));
  });

  it('goes to another worker when its worker is killed', async () => {
    const input = { hang: true };
    const first = WorkerProcess.start(service.url);
    const run = await api.start(asked(input));
    await first.says('TASK');
    await first.kill();
    await letLeasesRunOut();
    const { token, delivery, idempotencyKey } = await take(api);

    expect([first.tasks()[0]?.idempotencyKey, delivery]).toEqual([idempotencyKey, 2]);
    await api.post(`/tasks/${token}/complete`, { output: 'by another' });
    expect(await api.ended(run.id)).toMatchObject({ status: 'completed', output: 'by another' });
  });

  it('fails when every worker that took it fell silent', async () => {
    const run = await api.start(asked({}, { retry: { maxAttempts: 1 } }));
    for (let delivery = 0; delivery < 3; delivery += 1) {
      await take(api);
      await letLeasesRunOut();
    }

    expect(await api.ended(run.id)).toMatchObject({
      status: 'failed',
      failure: { code: 'task.heartbeat-lost' },
    });
  });

  /** As if their heartbeat time-out had passed. */
  async function letLeasesRunOut(): Promise<void> {
    await sql`update tasks set lease_until = 1 where status = 'leased' and agent_key = 'worker'`.execute(
      service.app.get(SqlDatabase).kysely,
    );
    await service.app.get(TaskSweep).sweep();
  }

  it('is given to one of 100 workers, 1,000 times', async () => {
    const count = 1_000;
    const limits = { AGENT_MAX_WORKFLOW_STEPS: String(count), AGENT_MAX_PARALLEL_STEPS: String(count) };
    const many = await startApp({ env: { ...NO_LIMITS, ...limits } });
    const there = new Api(many.url);
    const workers = WorkerProcess.start(many.url, { WORKERS: '100' });
    try {
      await workers.says('LISTENING');
      const steps = Array.from({ length: count }, (_, n) => ({ id: `s${n}`, agent: 'worker', input: { n } }));
      const run = await there.start({ steps, output: { last: '{{ steps.s999.output.done.n }}' } });

      expect(await there.ended(run.id)).toMatchObject({ status: 'completed', output: { last: 999 } });
      const keys = workers.tasks().map(({ idempotencyKey }) => idempotencyKey);
      expect(new Set(keys).size).toBe(count);
      expect(keys).toHaveLength(count);
    } finally {
      await workers.kill();
      await many.close();
    }
  });
});

describe('a service that is started again', () => {
  it('goes on waiting for the task that is under way, and takes its answer', async () => {
    const dataDir = makeDataDir();
    const before = await startApp({ dataDir, env: NO_LIMITS });
    const run = await new Api(before.url).start(asked({ n: 1 }));
    const { token, id } = await take(new Api(before.url));
    await before.close();

    const after = await startApp({ dataDir, env: NO_LIMITS });
    try {
      const api = new Api(after.url);
      await api.event(run.id, 'step.interrupted');
      expect(await poll(api, { waitMs: 0 })).toMatchObject({ body: [] });
      expect(await api.post(`/tasks/${token}/heartbeat`)).toMatchObject({ body: { cancelled: false } });
      await api.post(`/tasks/${token}/complete`, { output: id });

      expect(await api.ended(run.id)).toMatchObject({ status: 'completed', output: id });
      const { body: step } = await api.get<StepView>(`/runs/${run.id}/steps/ask`);
      expect(step).toMatchObject({ attempts: 2 });
    } finally {
      await after.close();
    }
  });

  it('takes an answer that came while no attempt waited for it', async () => {
    const dataDir = makeDataDir();
    const before = await startApp({ dataDir, env: NO_LIMITS });
    const api = new Api(before.url);
    const run = await api.start(asked({ n: 1 }));
    const { token } = await take(api);
    await api.post(`/runs/${run.id}/pause`);
    await before.close();

    const after = await startApp({ dataDir, env: NO_LIMITS });
    try {
      const there = new Api(after.url);
      await there.post(`/tasks/${token}/complete`, { output: 'early' });
      await there.post(`/runs/${run.id}/resume`);

      expect(await there.ended(run.id)).toMatchObject({ status: 'completed', output: 'early' });
    } finally {
      await after.close();
    }
  });

  it('lets workers that wait go at once', async () => {
    const { url, close } = await startApp({ env: NO_LIMITS });
    const waiting = poll(new Api(url), { waitMs: 30_000 });
    await new Api(url).get('/health');
    await close();

    expect(await waiting).toMatchObject({ status: 200, body: [] });
  });
});

describe("a worker's key", () => {
  const ADMIN_KEY = 'a-key-of-my-own-choice-1234567890';
  let service: RunningApp;
  let admin: Api;

  beforeAll(async () => {
    service = await startApp({ env: { ADMIN_KEY, ...NO_LIMITS } });
    admin = withKey(ADMIN_KEY);
  });

  afterAll(() => service.close());

  function withKey(key: string): Api {
    return new Api(service.url, { authorization: `Bearer ${key}` });
  }

  async function workerKey(...agents: readonly string[]): Promise<string> {
    const wanted = { name: 'w', namespace: 'default', role: 'operator', agents } as const;
    return (await service.app.get(KeyService).create(wanted)).secret;
  }

  it('takes and answers tasks of its agents', async () => {
    const api = withKey(await workerKey('worker'));
    const run = await admin.start(asked({ n: 1 }));
    const { token } = await take(api);
    await api.post(`/tasks/${token}/heartbeat`);
    await api.post(`/tasks/${token}/complete`, { output: 1 });

    expect(await admin.ended(run.id)).toMatchObject({ status: 'completed' });
  });

  it('opens nothing of other agents', async () => {
    const api = withKey(await workerKey('reviewer'));
    await admin.start(asked({ n: 2 }));
    const { token } = await take(admin);

    const answers = [
      await poll(api),
      await api.post(`/tasks/${token}/heartbeat`),
      await api.post(`/tasks/${token}/complete`, { output: 1 }),
      await api.post(`/tasks/${token}/fail`, { failure: { code: 'a.b', message: '' } }),
    ];

    for (const answer of answers)
      expect(answer).toMatchObject({ status: 403, body: { code: 'auth.forbidden' } });
    await admin.post(`/tasks/${token}/complete`, { output: 1 });
  });

  it('opens no other route, and no socket', async () => {
    const key = await workerKey('worker');
    const api = withKey(key);

    expect(await api.get('/runs')).toMatchObject({ status: 403, body: { code: 'auth.forbidden' } });
    expect(await api.post('/runs', { definition: asked({}) })).toMatchObject({ status: 403 });
    expect(await api.get('/nothing')).toMatchObject({ status: 403 });
    expect(await refusedWith(service.url, { auth: { token: key } })).toMatchObject({
      code: 'auth.forbidden',
    });
  });
});
