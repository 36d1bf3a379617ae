/** Workflows as agents: a step whose work is a run of its own. */
import { Injectable, Module } from '@nestjs/common';

import { Provider, type BuiltInAgent } from '../../src/agents/provider.decorator.js';
import { WorkflowProvider } from '../../src/agents/providers/workflow/workflow.provider.js';
import { WorkflowInvoker } from '../../src/agents/workflow.invoker.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import type { Page } from '../../src/kernel/page.js';
import { ChildRunInvoker } from '../../src/runs/child-run.invoker.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { RunsModule } from '../../src/runs/runs.module.js';
import { Api, scripted } from '../support/api.js';
import { makeDataDir, startApp, type RunningApp } from '../support/app.js';

const agent = (key: string, settings: JsonObject): BuiltInAgent => ({ key, description: key, settings });

const greeting: JsonObject = {
  name: 'greeting',
  inputSchema: { type: 'object', required: ['name'] },
  steps: [
    scripted('greet', { output: 'Hello {{ input.name }}', usage: { inputTokens: 5, costMicros: 30 } }),
    { id: 'shout', agent: 'echo', input: '{{ steps.greet.output | upcase }}' },
  ],
  output: { text: '{{ steps.shout.output }}' },
};
const failing: JsonObject = { steps: [scripted('no', { error: { code: 'tea.empty', retryable: false } })] };
const patient: JsonObject = { name: 'patient', steps: [scripted('wait', { delayMs: 60_000 })] };
const brief: JsonObject = { name: 'brief', steps: [scripted('wait', { delayMs: 300 })], output: 'done' };

/** Workflow agents that come with the application, as the registry would bring them. */
@Injectable()
@Provider({
  kind: 'workflow-of-tests',
  description: 'Workflows as agents',
  agents: [
    agent('greeting', { definition: greeting }),
    agent('failing', { definition: failing }),
    agent('patient', { definition: patient }),
    agent('brief', { definition: brief }),
    agent('endless', {
      definition: { steps: [{ id: 'again', agent: 'endless', retry: { maxAttempts: 1 } }] },
    }),
    agent('stored', { workflow: { name: 'stored-greeting' } }),
  ],
})
class TestWorkflowProvider extends WorkflowProvider {}

@Module({
  imports: [RunsModule],
  providers: [TestWorkflowProvider, { provide: WorkflowInvoker, useExisting: ChildRunInvoker }],
})
class WorkflowAgents {}

const start = (dataDir?: string): Promise<RunningApp> =>
  startApp({
    imports: [WorkflowAgents],
    env: { AGENT_MAX_CONCURRENT_WORKFLOWS: '1' },
    ...(dataDir !== undefined && { dataDir }),
  });

const step = (key: string, input: Json = {}): JsonObject => ({
  name: 'parent',
  steps: [{ id: 'child', agent: key, input, retry: { maxAttempts: 1 } }],
  output: '{{ steps.child.output }}',
});

async function runsNamed(api: Api, name: string): Promise<readonly RunView[]> {
  const { body } = await api.get<Page<RunView & { readonly name?: string }>>('/runs?limit=200');
  return body.items.filter((run) => run.name === name);
}

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await start();
  api = new Api(service.url);
});

afterAll(() => service.close());

it('answers the output of the run, with its usage and cost, though there is one place for runs', async () => {
  const run = await api.finish(step('greeting', { name: 'Ada' }));
  const { body: child } = await api.get<StepView>(`/runs/${run.id}/steps/child`);

  expect(run).toMatchObject({ status: 'completed', output: { text: 'HELLO ADA' }, costUsd: 0.000_03 });
  expect(child).toMatchObject({ usage: { inputTokens: 5 }, costUsd: 0.000_03 });
  expect(await runsNamed(api, 'greeting')).toMatchObject([{ status: 'completed' }]);
});

it('fails as the run fails, and says which', async () => {
  const run = await api.finish(step('failing'));

  expect(run).toMatchObject({
    status: 'failed',
    failure: { code: 'tea.empty', message: expect.stringContaining('run run_') as unknown },
  });
});

it('refuses an input that the workflow refuses', async () => {
  const run = await api.finish(step('greeting', {}));

  expect(run).toMatchObject({ status: 'failed', failure: { code: 'input.invalid' } });
});

it('executes a stored workflow by its name, and outside a run', async () => {
  const stored = await api.post('/workflows', { definition: { ...greeting, name: 'stored-greeting' } });

  const answer = await api.post('/agents/stored/execute', { input: { name: 'Bo' } });

  expect(stored).toMatchObject({ status: 201 });
  expect(answer).toMatchObject({ status: 200, body: { output: { text: 'HELLO BO' } } });
});

it('fails when the stored workflow is not there', async () => {
  const other = await start();
  try {
    const answer = await new Api(other.url).post('/agents/stored/execute', { input: { name: 'Bo' } });

    expect(answer).toMatchObject({ status: 404, body: { code: 'workflow.not-found' } });
  } finally {
    await other.close();
  }
});

it('cancels the run when its step is cancelled', async () => {
  const run = await api.start(step('patient'));
  const child = await childOf(api, run.id, 'patient');

  await api.post(`/runs/${run.id}/cancel`);

  expect(await api.ended(run.id)).toMatchObject({ status: 'cancelled' });
  expect(await api.ended(child.id)).toMatchObject({ status: 'cancelled' });
});

it('ends as a failure when somebody cancels the run', async () => {
  const run = await api.start(step('patient'));
  const child = await childOf(api, run.id, 'patient');

  await api.post(`/runs/${child.id}/cancel`);

  expect(await api.ended(run.id)).toMatchObject({ status: 'failed', failure: { code: 'agent.cancelled' } });
});

it('goes on when the run is paused and resumed', async () => {
  const run = await api.start(step('brief'));
  const child = await childOf(api, run.id, 'brief');
  await api.post(`/runs/${child.id}/pause`);
  await api.post(`/runs/${child.id}/resume`);

  expect(await api.ended(run.id)).toMatchObject({ status: 'completed', output: 'done' });
});

it('refuses workflows that call one another without end', async () => {
  const run = await api.finish(step('endless'));

  expect(run).toMatchObject({ status: 'failed', failure: { code: 'workflow.too-deep' } });
});

it('finds its run again after a restart, on one place for runs', async () => {
  const dataDir = makeDataDir();
  const before = await start(dataDir);
  const run = await new Api(before.url).start(step('brief'));
  const child = await childOf(new Api(before.url), run.id, 'brief');
  await before.close();

  const after = await start(dataDir);
  try {
    const there = new Api(after.url);
    expect(await there.ended(run.id)).toMatchObject({ status: 'completed', output: 'done' });
    expect((await runsNamed(there, 'brief')).map(({ id }) => id)).toEqual([child.id]);
  } finally {
    await after.close();
  }
});

/** The run of a step, as soon as it has begun. */
async function childOf(there: Api, runId: string, name: string): Promise<RunView> {
  await there.event(runId, 'step.started');
  for (;;) {
    const found = (await runsNamed(there, name)).find(({ status }) => status === 'running');
    if (found !== undefined) return found;
  }
}
