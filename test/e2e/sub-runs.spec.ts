/** Steps that run stored workflows, each as a run of its own. */
import type { Json, JsonObject } from '../../src/kernel/json.js';
import type { Page } from '../../src/kernel/page.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import type { WorkflowValidation } from '../../src/workflows/workflow.service.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { until } from '../support/until.js';

jest.setTimeout(120_000);

/** Far more than anything here takes. */
const DEADLINE_MS = 60_000;

let service: RunningApp;
let api: Api;

/** One place for runs: a parent that kept it would wait for ever. */
beforeAll(async () => {
  service = await startApp({ env: { AGENT_MAX_CONCURRENT_WORKFLOWS: '1', AGENT_MAX_QUEUE_SIZE: '1' } });
  api = new Api(service.url);
  await save('greeting', {
    inputSchema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    outputSchema: { type: 'object', properties: { text: { type: 'string' } }, additionalProperties: false },
    steps: [
      scripted('greet', {
        output: 'Hello {{ input.name }}',
        usage: { inputTokens: 5, outputTokens: 2, costMicros: 30 },
      }),
    ],
    output: { text: '{{ steps.greet.output }}' },
  });
  await save('failing', { steps: [scripted('no', { error: { code: 'tea.empty', retryable: true } }, once)] });
  await save('costly', {
    steps: [
      scripted('spend', { output: 1, usage: { inputTokens: 1, costMicros: 40 } }),
      { id: 'hold', kind: 'signal', signal: 'never', dependsOn: ['spend'] },
    ],
  });
  await save('patient', { steps: [{ id: 'wait', kind: 'signal', signal: 'go' }], output: 'went' });
});

afterAll(() => service.close());

const once = { retry: { maxAttempts: 1 } };

async function save(name: string, definition: JsonObject): Promise<string> {
  const { status, body } = await api.post<{ readonly id: string }>('/workflows', { name, definition });
  if (status !== 201) throw new Error(`not saved: ${JSON.stringify(body)}`);
  return body.id;
}

/** A step that runs a workflow, without saying its kind. */
function runs(id: string, name: string, more: JsonObject = {}): JsonObject {
  return { id, workflow: { name }, ...more };
}

async function step(runId: string, path: string): Promise<StepView> {
  return (await api.get<StepView>(`/runs/${runId}/steps/${encodeURIComponent(path)}`)).body;
}

/** The sub-run of a step, once the step waits for it. */
async function subRunOf(runId: string, path: string): Promise<string> {
  let id: string | undefined;
  await until(
    async () => (id = (await step(runId, path)).subRun?.id) !== undefined,
    'the sub-run is there',
    DEADLINE_MS,
  );
  return id ?? '';
}

async function view(runId: string): Promise<RunView> {
  return (await api.get<RunView>(`/runs/${runId}`)).body;
}

async function waits(runId: string): Promise<void> {
  await until(async () => (await view(runId)).status === 'waiting', `run ${runId} waits`, DEADLINE_MS);
}

function lines(events: readonly RunEvent[]): readonly string[] {
  return events.map(({ type, path, stepId, attempt }) =>
    [type, path ?? stepId, attempt].filter((part) => part !== undefined).join(' '),
  );
}

describe('a step that runs a workflow', () => {
  it('waits for it without a place, and gives its output, usage and cost', async () => {
    const run = await api.finish(
      {
        steps: [
          runs('sub', 'greeting', { input: { name: '{{ input.name }}' } }),
          { id: 'shout', agent: 'echo', input: '{{ steps.sub.output.text | upcase }}' },
        ],
      },
      { input: { name: 'Ada' } },
    );

    expect(run).toMatchObject({ status: 'completed', output: { shout: 'HELLO ADA' } });
    expect(run).toMatchObject({ usage: { inputTokens: 5, outputTokens: 2 }, costUsd: 0.000_03 });
    expect(lines(await api.events(run.id))).toEqual([
      ...['run.queued', 'run.started', 'step.started sub 1', 'step.waiting sub 1', 'run.waiting'],
      ...['step.completed sub 1', 'run.resumed', 'step.started shout 1', 'step.completed shout 1'],
      'run.completed',
    ]);
  });

  it('is linked with the run both ways', async () => {
    const { id, manifest } = await api.finish({
      steps: [runs('sub', 'greeting', { input: { name: 'Bo' } })],
    });
    const { subRun, kind, usage } = await step(id, 'sub');
    const child = await view(subRun?.id ?? '');
    const events = await api.events(id);

    expect(kind).toBe('workflow');
    expect(usage).toMatchObject({ inputTokens: 5 });
    expect(subRun?.href).toBe(`/api/v1/runs/${child.id}`);
    expect(child).toMatchObject({
      parent: { runId: id, path: 'sub', depth: 1 },
      links: { parent: `/api/v1/runs/${id}` },
      workflow: { version: 1 },
      input: { name: 'Bo' },
    });
    expect(manifest.workflows).toEqual({ greeting: child.workflow });
    expect(events.find(({ type }) => type === 'step.started')?.data).toMatchObject({ subRunId: child.id });
    expect(events.find(({ type }) => type === 'step.waiting')?.data).toEqual({ for: 'run', ref: child.id });
  });

  it('fails as the run fails, and says which', async () => {
    const run = await api.finish({ steps: [runs('sub', 'failing')] });
    const { subRun } = await step(run.id, 'sub');

    expect(run).toMatchObject({
      status: 'failed',
      failure: {
        code: 'tea.empty',
        message: expect.stringContaining(subRun?.id ?? '-') as unknown,
        details: { stepId: 'sub', runId: subRun?.id },
      },
    });
  });

  it('is tried again by a policy, each time as another run', async () => {
    const retry = { maxAttempts: 3, initialIntervalMs: 1 };
    const run = await api.finish({ steps: [runs('sub', 'failing', { retry, onError: 'continue' })] });
    const events = await api.events(run.id);
    const ids = events.flatMap(({ type, data }) =>
      type === 'step.started' ? [(data as { readonly subRunId: string }).subRunId] : [],
    );

    expect(run.status).toBe('completed');
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect((await view(id)).status).toBe('failed');
  });

  it('refuses an input that the workflow refuses, before anything is started', async () => {
    const run = await api.finish({ steps: [runs('sub', 'greeting', { input: { name: 7 } })] });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'input.invalid' } });
    expect((await step(run.id, 'sub')).subRun).toBeUndefined();
  });

  it('takes an output that its own schema refuses as a failure', async () => {
    const outputSchema = { type: 'object', required: ['loud'] };
    const input = { name: 'Cy' };
    const run = await api.finish({ steps: [runs('sub', 'greeting', { input, outputSchema })] });

    expect(run).toMatchObject({ status: 'failed', failure: { code: 'step.output-invalid' } });
  });

  it('runs the version that the start resolved, whatever is saved later', async () => {
    const id = await save('changing', { steps: [{ id: 'say', agent: 'echo', input: 'old' }] });
    await save('outer', { steps: [runs('inner', 'changing')] });
    const run = await api.start({
      steps: [{ id: 'hold', kind: 'signal', signal: 'on' }, runs('sub', 'outer', { dependsOn: ['hold'] })],
    });
    await waits(run.id);
    await api.put(`/workflows/${id}`, {
      definition: { steps: [{ id: 'say', agent: 'echo', input: 'new' }] },
    });

    await api.post(`/runs/${run.id}/signals/on`, { data: null });

    expect(await api.ended(run.id)).toMatchObject({ output: { sub: { inner: { say: 'old' } } } });
  });
});

describe('cancelling', () => {
  it('ends the sub-runs, theirs too, and counts what they have spent', async () => {
    await save('middle', { steps: [runs('low', 'costly')] });
    const run = await api.start({ steps: [runs('sub', 'middle')] });
    const middle = await subRunOf(run.id, 'sub');
    const low = await subRunOf(middle, 'low');
    await waits(low);

    const answer = await api.post(`/runs/${run.id}/cancel`);

    expect(answer.status).toBeLessThan(300);
    expect(await api.ended(run.id)).toMatchObject({ status: 'cancelled', costUsd: 0.000_04 });
    expect((await view(middle)).status).toBe('cancelled');
    expect((await view(low)).status).toBe('cancelled');
    expect(await step(run.id, 'sub')).toMatchObject({ status: 'cancelled', costUsd: 0.000_04 });
  });

  it('a sub-run fails its step', async () => {
    const run = await api.start({ steps: [runs('sub', 'patient')] });
    const child = await subRunOf(run.id, 'sub');

    await api.post(`/runs/${child}/cancel`, { reason: 'not needed' });

    expect(await api.ended(run.id)).toMatchObject({
      status: 'failed',
      failure: {
        code: 'workflow.cancelled',
        message: expect.stringContaining('not needed') as unknown,
      },
    });
  });

  it('comes with a time-out of the step', async () => {
    const run = await api.start({ steps: [runs('sub', 'patient', { timeoutMs: 300 })] });
    const child = await subRunOf(run.id, 'sub');

    expect(await api.ended(run.id)).toMatchObject({ failure: { code: 'step.timed-out' } });
    expect(await api.ended(child)).toMatchObject({ status: 'cancelled' });
  });

  it('comes with the failure of a loop around, and what was spent counts in the run that goes on', async () => {
    const steps = [
      runs('sub', 'costly'),
      { id: 'wait', kind: 'signal', signal: 'go' },
      { id: 'break', kind: 'fail', code: 'test.broken', dependsOn: ['wait'] },
    ];
    const loop = {
      id: 'loop',
      kind: 'loop',
      onError: 'continue',
      repeat: { maxIterations: 1, body: { steps } },
    };
    const run = await api.start({ steps: [loop, { id: 'hold', kind: 'signal', signal: 'on' }] });
    const child = await subRunOf(run.id, 'loop[0]/sub');
    await waits(child);

    await api.post(`/runs/${run.id}/signals/go`, { data: null });
    await api.event(run.id, 'run.spent');
    await api.post(`/runs/${run.id}/signals/on`, { data: null });

    expect((await view(child)).status).toBe('cancelled');
    expect(await api.ended(run.id)).toMatchObject({ status: 'completed', costUsd: 0.000_04 });
  });

  it('comes with the failure of another step', async () => {
    const run = await api.start({
      steps: [
        runs('sub', 'patient'),
        { id: 'wait', kind: 'signal', signal: 'go' },
        { id: 'break', kind: 'fail', code: 'test.broken', dependsOn: ['wait'] },
      ],
    });
    const child = await subRunOf(run.id, 'sub');
    await api.post(`/runs/${run.id}/signals/go`, { data: null });

    expect(await api.ended(run.id)).toMatchObject({ failure: { code: 'test.broken' } });
    expect(await api.ended(child)).toMatchObject({ status: 'cancelled' });
  });
});

describe('with everything that steps have', () => {
  it('maps over items, in the order of the input', async () => {
    const forEach = { items: '["a", "b", "c", "d", "e", "f", "g"]', maxConcurrency: 3 };
    const run = await api.finish({
      steps: [runs('sub', 'greeting', { forEach, input: { name: '{{ item }}' } })],
      output: '{{ steps.sub.output | map: "text" | join: " " }}',
    });
    const item = await step(run.id, 'sub[6]');

    expect(run.output).toBe(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `Hello ${name}`).join(' '));
    expect(item).toMatchObject({ status: 'completed' });
    expect((await view(item.subRun?.id ?? '')).parent).toMatchObject({ path: 'sub[6]' });
    expect(run.costUsd).toBeCloseTo(0.000_21);
  });

  it('repeats, writes to the context, is undone, caught and last', async () => {
    await save('counter', {
      steps: [{ id: 'add', kind: 'transform', expression: 'input.n + 1.0' }],
      output: '{{ steps.add.output }}',
    });
    const run = await api.finish({
      contextReducers: { seen: 'append' },
      steps: [
        runs('count', 'counter', {
          input: { n: '{{ previous | default: 0 }}' },
          repeat: { until: 'output >= 3.0' },
          writes: { seen: '{{ output }}' },
          compensate: { agent: 'echo', input: 'undo {{ output }}' },
        }),
        {
          id: 'loop',
          kind: 'loop',
          dependsOn: ['count'],
          repeat: {
            maxIterations: 2,
            body: { steps: [runs('inner', 'greeting', { input: { name: 'round {{ iteration }}' } })] },
          },
        },
        runs('bad', 'failing', { catch: 'mend', dependsOn: ['loop'] }),
        runs('mend', 'greeting', { input: { name: '{{ steps.bad.error.code }}' } }),
        { id: 'break', kind: 'fail', code: 'test.broken', dependsOn: ['mend'] },
        runs('bye', 'greeting', { finally: true, input: { name: '{{ run.end.status }}' } }),
      ],
    });

    expect(run).toMatchObject({
      status: 'failed',
      failure: { code: 'test.broken' },
      context: { seen: [1, 2, 3] },
    });
    expect(await step(run.id, 'mend')).toMatchObject({ output: { text: 'Hello tea.empty' } });
    expect(await step(run.id, 'loop[1]/inner')).toMatchObject({ output: { text: 'Hello round 1' } });
    expect(await step(run.id, 'bye')).toMatchObject({ output: { text: 'Hello failed' } });
    expect(await step(run.id, 'count[0]~compensate')).toMatchObject({ output: 'undo 1' });
  });

  it('is never refused by the limit of the queue, nor refuses others', async () => {
    const forEach = { items: [1, 2, 3, 4, 5, 6, 7, 8], maxConcurrency: 8 };
    const run = await api.start({ steps: [runs('sub', 'greeting', { forEach, input: { name: 'x' } })] });
    await subRunOf(run.id, 'sub[7]');
    const other = await api.start({ steps: [{ id: 'a', agent: 'echo', input: 1 }] });

    expect((await api.ended(other.id)).status).toBe('completed');
    expect((await api.ended(run.id)).status).toBe('completed');
  });

  it('goes on with a map after a pause in the middle', async () => {
    const run = await api.start({ steps: [runs('sub', 'patient', { forEach: { items: [1, 2, 3] } })] });
    const first = await subRunOf(run.id, 'sub[0]');
    await waits(first);
    await api.post(`/runs/${run.id}/pause`);
    await api.post(`/runs/${first}/signals/go`, { data: null });
    await api.ended(first);
    await until(
      async () => (await step(run.id, 'sub[0]')).status === 'completed',
      'the end is delivered',
      DEADLINE_MS,
    );
    expect((await view(run.id)).status).toBe('paused');

    await api.post(`/runs/${run.id}/resume`);
    for (const path of ['sub[1]', 'sub[2]'])
      await api.post(`/runs/${await subRunOf(run.id, path)}/signals/go`, { data: null });

    expect(await api.ended(run.id)).toMatchObject({
      status: 'completed',
      output: { sub: ['went', 'went', 'went'] },
    });
  });
});

describe('definitions', () => {
  it.each<[what: string, workflow: Json, pointer: string, code: string]>([
    ['name', { name: 'nobody' }, '/steps/0/workflow/name', 'workflow.not-found'],
    ['id', { id: 'wf_none' }, '/steps/0/workflow/id', 'workflow.not-found'],
    ['version', { name: 'greeting', version: 9 }, '/steps/0/workflow/version', 'workflow.version-not-found'],
    ['label', { name: 'greeting', label: 'dev' }, '/steps/0/workflow/label', 'workflow.label-not-found'],
    ['two versions', { name: 'greeting', version: 1, label: 'x' }, '/steps/0/workflow', 'field.invalid'],
    ['nothing', {}, '/steps/0/workflow', 'field.invalid'],
  ])('with an unknown %s are refused at its place', async (_, workflow, pointer, code) => {
    const definition = { steps: [{ id: 'sub', kind: 'workflow', workflow }] };
    const { body } = await api.post<WorkflowValidation>('/workflows/validate', { definition });

    expect(body).toMatchObject({ valid: false, issues: [{ pointer: `/definition${pointer}`, code }] });
  });

  it('that run a workflow which can not run any more say why', async () => {
    await api.post('/agents', { key: 'going', kind: 'echo', settings: {} });
    await save('needy', { steps: [{ id: 'a', agent: 'going' }] });
    await api.delete('/agents/going?force=true');

    const definition = { steps: [runs('sub', 'needy')] };
    const { body } = await api.post<WorkflowValidation>('/workflows/validate', { definition });

    expect(body.issues).toMatchObject([
      {
        pointer: '/definition/steps/0/workflow',
        code: 'definition.invalid',
        message: expect.stringContaining('going') as unknown,
      },
    ]);
  });

  it('are warned of what a schema cannot give', async () => {
    const definition = {
      steps: [
        runs('sub', 'greeting'),
        { id: 'use', agent: 'echo', input: '{{ steps.sub.output.loudness }}' },
      ],
    };
    const { body } = await api.post<WorkflowValidation>('/workflows/validate', { definition });

    expect(body.warnings).toMatchObject([
      { pointer: '/definition/steps/0/input', code: 'schema.property-missing' },
      { pointer: '/definition/steps/1/input', code: 'schema.property-missing' },
    ]);
  });

  it('that run themselves are warned of, and end at a depth', async () => {
    const id = await save('endless', { steps: [{ id: 'a', agent: 'echo' }] });
    const again = { steps: [runs('again', 'endless')] };
    const { body } = await api.put<{ readonly warnings: Json }>(`/workflows/${id}`, { definition: again });
    const run = await api.finish({ steps: [runs('sub', 'endless')] });

    expect(body.warnings).toEqual([]);
    expect(await warnings({ name: 'endless', ...again })).toMatchObject([
      { pointer: '/definition/steps/0/workflow', code: 'workflow.recursive' },
    ]);
    expect(run).toMatchObject({ status: 'failed', failure: { code: 'workflow.too-deep' } });
    expect(run.manifest.workflows).toEqual({ endless: { id, version: 2 } });
  });

  it('keep what they run from being deleted', async () => {
    const id = await save('used', { steps: [{ id: 'a', agent: 'echo' }] });
    await save('user', { steps: [runs('sub', 'used')] });

    expect(await api.delete(`/workflows/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'workflow.in-use' },
    });
  });
});

async function warnings(definition: Json): Promise<unknown> {
  return (await api.post<WorkflowValidation>('/workflows/validate', { definition })).body.warnings;
}

it('lists the sub-runs of a run with a link to it', async () => {
  const run = await api.finish({ steps: [runs('sub', 'greeting', { input: { name: 'Di' } })] });
  const { subRun } = await step(run.id, 'sub');
  const { body } = await api.get<Page<RunView>>(`/runs?parentId=${run.id}`);

  expect(body.items.map(({ id, links }) => [id, links.parent])).toEqual([
    [subRun?.id, `/api/v1/runs/${run.id}`],
  ]);
  expect((await api.get(`/runs?parentId=run_1`)).status).toBe(400);
});
