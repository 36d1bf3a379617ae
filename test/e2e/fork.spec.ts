/** Forks begin with the state that their parent had after an event, and need nothing of it any more. */
import { replay } from '../../src/runs/domain/evolve.js';
import { stepsAgain } from '../../src/runs/domain/reopen.js';
import type { RunState } from '../../src/runs/domain/run.state.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { RunLoader } from '../../src/runs/engine/run.loader.js';
import { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { statementOf } from '../../src/storage/sql/statement.js';
import { Api, scripted } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { graphOf } from '../support/simulated-run.js';

interface Problem {
  readonly code: string;
}

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp();
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
});

/** Every way in which a run goes on: items, iterations, a signal, an approval, writes, a catch. */
const definition = {
  name: 'all-ways',
  context: { tone: 'calm' },
  contextReducers: { seen: 'append' },
  steps: [
    scripted('first', { output: '{{ input.name }} {{ context.tone }}' }, { writes: { seen: 'first' } }),
    { id: 'each', agent: 'echo', input: '{{ item }}', forEach: { items: "['a', 'b']", maxConcurrency: 1 } },
    {
      id: 'rounds',
      kind: 'loop',
      repeat: {
        until: 'iteration == 1',
        body: { steps: [{ id: 'round', agent: 'echo', input: '{{ iteration }}' }] },
      },
    },
    { id: 'go', kind: 'signal', signal: 'go', dependsOn: ['first'] },
    { id: 'ask', kind: 'approval', dependsOn: ['go'], prompt: 'Good?' },
    { id: 'bad', kind: 'fail', code: 'test.bad', catch: 'mend' },
    { id: 'mend', agent: 'echo', input: 'mended' },
    { id: 'last', agent: 'echo', input: '{{ context.tone }}', dependsOn: ['ask', 'each', 'rounds', 'mend'] },
  ],
  output: { first: '{{ steps.first.output }}', last: '{{ steps.last.output }}' },
};

async function approve(run: RunView): Promise<void> {
  const { body } = await api.get<{
    readonly items: readonly { readonly id: string; readonly runId: string }[];
  }>('/approvals?status=open&limit=200');
  const open = body.items.find(({ runId }) => runId === run.id);
  if (open === undefined) throw new Error(`run ${run.id} asks for no approval`);
  expect((await api.post(`/approvals/${open.id}`, { decision: 'approve' })).status).toBe(200);
}

/** Gives a run what it waits for, until it has ended. */
async function bring(run: RunView): Promise<RunView> {
  const steps = (await api.get<{ readonly items: readonly StepView[] }>(`/runs/${run.id}/steps`)).body.items;
  const isDone = (id: string): boolean => steps.find((step) => step.id === id)?.status === 'completed';
  if (!isDone('go')) await api.post(`/runs/${run.id}/signals/go`, { data: 1 });
  if (!isDone('ask')) {
    await api.event(run.id, 'approval.requested');
    await approve(run);
  }
  return api.ended(run.id);
}

async function fork(run: RunView, body: unknown = {}, headers = {}): Promise<RunView> {
  const answer = await api.post<RunView>(`/runs/${run.id}/fork`, body, headers);
  expect(answer).toMatchObject({ status: 202 });
  expect(answer.headers.get('location')).toBe(answer.body.links.self);
  return answer.body;
}

async function refusal(run: Pick<RunView, 'id'>, body: unknown): Promise<string> {
  const answer = await api.post<Problem>(`/runs/${run.id}/fork`, body);
  return `${String(answer.status)} ${answer.body.code}`;
}

it('forks a finished run from each of its events, also when that run is gone', async () => {
  const parent = await bring(await api.start(definition, { input: { name: 'Ada' } }));
  expect(parent).toMatchObject({ status: 'completed', output: { first: 'Ada calm', last: 'calm' } });
  const events = await api.events(parent.id);
  const forks: RunView[] = [];
  for (const { seq } of events) forks.push(await fork(parent, { atSeq: seq, context: { tone: 'bright' } }));
  await purge(parent.id);
  expect((await api.get(`/runs/${parent.id}`)).status).toBe(404);

  const loader = service.app.get(RunLoader, { strict: false });
  const graph = graphOf(definition);
  for (const [index, { id, forkedFrom }] of forks.entries()) {
    const state = (await loader.loadFirst('default', id)) as RunState;
    const past = replay(events.slice(0, index + 1), graph);
    const again = new Set(stepsAgain(past, []));
    expect(forkedFrom).toEqual({
      runId: parent.id,
      atSeq: index + 1,
      changes: [{ pointer: '/context/tone', before: 'calm', after: 'bright' }],
    });
    expect(state.context).toEqual({ ...past.context, tone: 'bright' });
    expect(outcomesOf(state, again)).toEqual(outcomesOf(past, again));
    expect(state.signals).toEqual(past.signals);
    expect(state.artifacts).toEqual(past.artifacts);
  }
  for (const [index, forked] of forks.entries()) {
    const ended = await bring(forked);
    const past = replay(events.slice(0, index + 1), graph);
    const first = past.root.units[0]?.status === 'completed' ? 'Ada calm' : 'Ada bright';
    const last = past.root.units.at(-1)?.status === 'completed' ? 'calm' : 'bright';
    expect(ended).toMatchObject({ status: 'completed', output: { first, last } });
  }
});

it('begins before a step, with another input, and says what is different', async () => {
  const parent = await bring(await api.start(definition, { input: { name: 'Ada' } }));
  const forked = await fork(parent, { atStep: 'first', input: { name: 'Grace' } });

  expect(forked).toMatchObject({
    status: 'queued',
    name: 'all-ways',
    input: { name: 'Grace' },
    forkedFrom: { runId: parent.id, changes: [{ pointer: '/input/name', before: 'Ada', after: 'Grace' }] },
  });
  expect((await bring(forked)).output).toEqual({ first: 'Grace calm', last: 'calm' });
  const [first, second] = await api.events(forked.id);
  expect(first).toMatchObject({ seq: 1, type: 'run.forked', data: { from: parent.id } });
  expect(second).toMatchObject({ seq: 2, type: 'run.started' });
});

it.each(['each[1]', 'rounds[1]', 'rounds[1]/round'])('begins before %s', async (atStep) => {
  const parent = await bring(await api.start(definition, { input: { name: 'Ada' } }));
  const forked = await fork(parent, { atStep });
  const ended = await bring(forked);
  const events = await api.events(forked.id);

  expect(ended.output).toEqual({ first: 'Ada calm', last: 'calm' });
  const paths = events.map(({ stepId, path = stepId }) => path);
  expect(paths).toContain(atStep);
  expect(paths).not.toContain(atStep.replace('1', '0'));
});

it('goes on from a failure, as a retry does, and leaves the run that failed as it is', async () => {
  const failing = {
    steps: [
      scripted('one', { output: 1 }),
      { id: 'two', kind: 'transform', expression: 'context.n + 1', dependsOn: ['one'] },
    ],
    output: '{{ steps.two.output }}',
  };
  const failed = await api.finish(failing, { context: { n: 'not a number' } });
  expect(failed.failure).toMatchObject({ code: 'expression.failed' });
  const forked = await fork(failed, { context: { n: 41 } });
  const ended = await api.ended(forked.id);

  expect(ended).toMatchObject({ status: 'completed', output: 42 });
  expect((await api.events(forked.id)).map(({ stepId }) => stepId)).not.toContain('one');
  expect((await api.get<RunView>(`/runs/${failed.id}`)).body).toMatchObject({ status: 'failed' });
});

it('takes newer versions of what is named, and no others', async () => {
  await api.post('/templates', { name: 'fork-brief', content: 'old {{ input.name }}' });
  await api.post('/agents', { key: 'fork-agent', kind: 'echo', settings: {} });
  const templated = {
    steps: [
      { id: 'hold', kind: 'signal', signal: 'go' },
      {
        id: 'a',
        agent: 'fork-agent',
        template: { name: 'fork-brief', variables: { input: '{{ input }}' } },
        dependsOn: ['hold'],
      },
      {
        id: 'b',
        agent: 'fork-agent',
        template: { name: 'fork-brief', variables: { input: '{{ input }}' } },
        dependsOn: ['hold'],
      },
    ],
  };
  const parent = await api.start(templated, { input: { name: 'Ada' } });
  await api.event(parent.id, 'step.waiting');
  await api.put('/templates/fork-brief', { content: 'new {{ input.name }}' });
  await api.put('/agents/fork-agent', { description: 'newer' });
  const forked = await fork(parent, { upgrade: { templates: ['b'], agents: ['fork-agent'] } });
  await api.post(`/runs/${forked.id}/signals/go`);
  const ended = await api.ended(forked.id);

  expect(ended.output).toEqual({ a: { prompt: 'old Ada' }, b: { prompt: 'new Ada' } });
  expect(ended.forkedFrom?.changes).toEqual([
    { pointer: '/manifest/agents/fork-agent/version', before: 1, after: 2 },
    { pointer: '/manifest/templates/b/version', before: 1, after: 2 },
  ]);
  await api.post(`/runs/${parent.id}/cancel`);
});

it('is started once for one key, and answered as before', async () => {
  const parent = await api.finish({ steps: [scripted('one', { output: 1 })] });
  const key = { 'Idempotency-Key': `fork-${parent.id}` };
  const first = await fork(parent, {}, key);
  const again = await api.post<RunView>(`/runs/${parent.id}/fork`, {}, key);

  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.body.id).toBe(first.id);
  expect(again.body.forkedFrom).toEqual({ runId: parent.id, atSeq: parent.lastSeq, changes: [] });
  const other = await api.post<Problem>(`/runs/${parent.id}/fork`, { atSeq: 1 }, key);
  expect(`${String(other.status)} ${other.body.code}`).toBe('422 idempotency.mismatch');
});

it('refuses places and changes that are none', async () => {
  const waiting = await api.start(
    {
      inputSchema: { type: 'object', required: ['name'] },
      steps: [
        { id: 'hold', kind: 'signal', signal: 'go' },
        scripted('next', { output: 1 }, { dependsOn: ['hold'] }),
      ],
    },
    { input: { name: 'Ada' } },
  );
  await api.event(waiting.id, 'step.waiting');

  expect(await refusal(waiting, { atSeq: 99 })).toBe('409 run.not-forkable');
  expect(await refusal(waiting, { atStep: 'next' })).toBe('409 run.not-forkable');
  expect(await refusal(waiting, { atStep: 'nobody' })).toBe('404 step.not-found');
  expect(await refusal(waiting, { atSeq: 1, atStep: 'hold' })).toBe('400 request.invalid');
  expect(await refusal(waiting, { atSeq: 0 })).toBe('400 request.invalid');
  expect(await refusal(waiting, { input: {} })).toBe('422 input.invalid');
  expect(await refusal(waiting, { upgrade: { agents: ['nobody'] } })).toBe('400 request.invalid');
  expect(await refusal({ id: 'run_none' }, {})).toBe('404 run.not-found');
  await api.post(`/runs/${waiting.id}/cancel`);
});

/** How the steps have ended that stand, by id. */
function outcomesOf({ root }: RunState, again: ReadonlySet<string>): readonly unknown[] {
  return root.units
    .filter(({ step }) => !again.has(step.id))
    .map(({ step, status, output = null, failure, attempt }) => ({
      ...{ id: step.id, status, output, attempt },
      failure: failure?.code ?? null,
    }));
}

/** Deletes every row of a run. */
async function purge(runId: string): Promise<void> {
  const database = service.app.get(SqlDatabase, { strict: false });
  const { kysely } = database;
  const rows = ['run_appends', 'run_inbox', 'run_checkpoints', 'run_tags'] as const;
  const deletions = [
    ...rows.map((table) => kysely.deleteFrom(table).where('run_id', '=', runId)),
    kysely.deleteFrom('runs').where('id', '=', runId),
  ];
  await database.write({ statements: deletions.map((deletion) => statementOf(deletion)) });
}
