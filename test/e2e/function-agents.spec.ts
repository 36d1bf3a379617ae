/** Agents in code: classes of the application that are marked `@AgentFunction`. */
import { Module } from '@nestjs/common';

import { WordCountModule } from '../../docs/examples/function-agent.js';
import {
  AgentFunction,
  type AgentFunctionExecutor,
  type FunctionTools,
} from '../../src/agents/agent-function.decorator.js';
import { AppError } from '../../src/kernel/failure.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import type { ProblemDocument } from '../../src/platform/http/problem.js';
import type { StepView } from '../../src/runs/domain/view.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { SocketClient } from '../support/socket.js';
import { until } from '../support/until.js';

const REFUSAL = { code: 'tea.empty', kind: 'upstream', message: 'no tea is left', retryable: false } as const;

@AgentFunction({ key: 'tea', description: 'Does what its input says.' })
class Tea implements AgentFunctionExecutor {
  readonly aborted: string[] = [];

  async execute(input: Json, { signal, idempotencyKey, journal }: FunctionTools): Promise<unknown> {
    if (input === 'refuse') throw new AppError(REFUSAL);
    if (input === 'break') throw new Error('the pot broke');
    if (input === 'answer no JSON') return { pour: (): void => undefined, size: 1n };
    if (input === 'answer nothing') return undefined;
    if (input === 'wait') {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      this.aborted.push(idempotencyKey);
    }
    await journal.record({ body: 'brewed', usage: { inputTokens: 3 }, costMicros: 7 });
    return { brewed: input, times: journal.turns.length };
  }
}

@Module({ providers: [Tea], exports: [Tea] })
class TeaModule {}

let service: RunningApp;
let api: Api;

beforeAll(async () => {
  service = await startApp({ imports: [WordCountModule, TeaModule] });
  api = new Api(service.url);
});

afterAll(() => service.close());

const step = (agent: string, input: Json): JsonObject => ({
  steps: [{ id: 'a', agent, input, retry: { maxAttempts: 1 } }],
  output: '{{ steps.a.output }}',
});

it('are listed like agents that come with the service', async () => {
  expect((await api.get('/agents/word-count')).body).toMatchObject({
    key: 'word-count',
    kind: 'function',
    description: 'Counts the words of a text.',
    isBuiltIn: true,
    status: 'available',
  });
});

it('do the work of a step', async () => {
  const run = await api.finish(step('word-count', { text: 'one two  three' }));

  expect(run).toMatchObject({ status: 'completed', output: { words: 3 } });
});

it('show their progress', async () => {
  const client = await SocketClient.open(service.url);
  try {
    const shown = new Promise((resolve) => client.socket.once('step.progress', resolve));
    await client.done('run.start', { definition: step('word-count', { text: 'one' }) });

    expect(await shown).toMatchObject({ data: { percent: 50, message: 'counting' } });
  } finally {
    client.close();
  }
});

it('do the work of a call outside a run', async () => {
  const answer = await api.post('/agents/word-count/execute', { input: { text: 'a b' } });

  expect(answer).toMatchObject({ status: 200, body: { output: { words: 2 } } });
});

it('refuse an input that is not what they take', async () => {
  const { status, body } = await api.post<ProblemDocument>('/agents/word-count/execute', { input: {} });

  expect(status).toBe(422);
  expect(body).toMatchObject({ code: 'agent.input-invalid' });
});

it('have a journal, whose turns count as usage and cost', async () => {
  const run = await api.finish(step('tea', 'green'));
  const { body } = await api.get<StepView>(`/runs/${run.id}/steps/a`);

  expect(run).toMatchObject({ status: 'completed', output: { brewed: 'green' } });
  expect(body).toMatchObject({ usage: { inputTokens: 3 }, costUsd: 0.000_007 });
});

it.each([
  ['refuse', { code: 'tea.empty', retryable: false }],
  ['break', { code: 'agent.crashed', retryable: true }],
  ['answer no JSON', { code: 'agent.output-invalid' }],
])('fail as they say: %s', async (input, failure) => {
  expect(await api.finish(step('tea', input))).toMatchObject({ status: 'failed', failure });
});

it('answer null when they answer nothing', async () => {
  expect(await api.finish(step('tea', 'answer nothing'))).toMatchObject({
    status: 'completed',
    output: null,
  });
});

it('are aborted when nobody wants their work any more', async () => {
  const run = await api.start(step('tea', 'wait'));
  await api.event(run.id, 'step.started');
  await api.post(`/runs/${run.id}/cancel`);

  expect(await api.ended(run.id)).toMatchObject({ status: 'cancelled' });
  const { aborted } = service.app.get(Tea, { strict: false });
  await until(() => aborted.length === 1, 'the function has noticed');
  expect(aborted).toEqual([`${run.id}:a:1`]);
});
