/** Agents that ask a model, as steps of runs in the whole application. */
import { Injectable, Module } from '@nestjs/common';

import { LlmModule } from '../../src/agents/providers/llm/llm.module.js';
import { LlmProvider } from '../../src/agents/providers/llm/llm.provider.js';
import { Provider } from '../../src/agents/provider.decorator.js';
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { gated, LlmStub, message, type StubAnswer } from '../support/llm-stub.js';

const NEVER = new Promise<never>(() => undefined);

function anAgent(key: string, tools: Json): { key: string; description: string; settings: JsonObject } {
  return { key, description: `The agent ${key}`, settings: { provider: 'anthropic', tools } };
}

@Injectable()
@Provider({
  kind: 'llm-with-tools',
  description: 'Models with tools',
  agents: [
    anAgent('outer', [
      { type: 'agent', agent: 'echo' },
      { type: 'agent', agent: 'claude', name: 'ask' },
    ]),
    anAgent('mirror', [{ type: 'agent', agent: 'mirror' }]),
    anAgent('careful', [{ type: 'agent', agent: 'echo', requiresApproval: true }]),
  ],
})
class ToolUsers extends LlmProvider {}

@Module({ imports: [LlmModule], providers: [ToolUsers] })
class ToolUsersModule {}

let stub: LlmStub;
let running: RunningApp;
let api: Api;

beforeAll(async () => {
  stub = await LlmStub.start();
  running = await startApp({
    env: { ANTHROPIC_API_KEY: 'sk-stub', ANTHROPIC_BASE_URL: stub.baseUrl },
    imports: [ToolUsersModule],
  });
  api = new Api(running.url);
});

afterAll(async () => {
  await running.close();
  await stub.stop();
});

beforeEach(() => {
  stub.requests.length = 0;
});

function asks(name: string, input: JsonObject, id = 'call_1'): StubAnswer {
  return message({ deltas: [], toolUse: [{ id, name, input }] });
}

const step = (agent: string, more: JsonObject = {}): JsonObject => ({
  steps: [{ id: 'ask', agent, input: { prompt: 'Go' }, ...more }],
  output: '{{ steps.ask.output }}',
});

it('sends an answer back that the schema of the step refuses', async () => {
  const outputSchema = {
    type: 'object',
    required: ['object'],
    properties: { object: { type: 'object', required: ['bpm'], properties: { bpm: { type: 'number' } } } },
  };
  stub.queue(message({ deltas: ['{"bpm":"fast"}'] }), message({ deltas: ['{"bpm":120}'] }));

  const run = await api.finish(step('claude', { outputSchema }));

  expect(run).toMatchObject({
    status: 'completed',
    output: { object: { bpm: 120 } },
    usage: { inputTokens: 20, outputTokens: 10 },
    costUsd: 0.00021,
  });
  const turns = (await api.events(run.id)).filter(({ type }) => type === 'turn.completed');
  expect(
    turns.map(({ data }) => (data as unknown as { body: JsonObject }).body['rejected'] !== undefined),
  ).toEqual([true, false]);
});

it('fails the step once when no repair helps', async () => {
  const outputSchema = { type: 'object', required: ['object'], properties: { object: { type: 'object' } } };
  stub.queue(...Array.from({ length: 3 }, () => message({ deltas: ['no'] })));

  const run = await api.finish(step('claude', { outputSchema }));

  expect(run).toMatchObject({
    status: 'failed',
    failure: { code: 'agent.output-invalid' },
    costUsd: 0.000315,
  });
  expect(stub.calls).toBe(3);
});

it('records each tool with its caller, input, output and cost', async () => {
  stub.queue(
    asks('echo', { n: 1 }, 'call_a'),
    asks('ask', { prompt: 'Inner' }, 'call_b'),
    message({ deltas: ['inner answer'] }),
    message({ deltas: ['all done'] }),
  );

  const run = await api.finish(step('outer'));

  const called = (await api.events(run.id)).filter(({ type }) => type === 'tool.called');
  expect(run).toMatchObject({ status: 'completed', output: { text: 'all done' }, costUsd: 0.00042 });
  expect(called).toMatchObject([
    {
      stepId: 'ask',
      attempt: 1,
      data: { turn: 2, tool: { name: 'echo', callId: 'call_a', input: { n: 1 }, output: { n: 1 } } },
    },
    {
      stepId: 'ask',
      data: {
        turn: 4,
        tool: { name: 'ask', callId: 'call_b', output: { text: 'inner answer', finishReason: 'stop' } },
        usage: { inputTokens: 10, outputTokens: 5 },
        costMicros: 105,
      },
    },
  ]);
});

it('lets agents call one another three deep and no further', async () => {
  const down = Array.from({ length: 4 }, () => asks('mirror', { prompt: 'Deeper' }));
  const up = Array.from({ length: 4 }, (_, level) => message({ deltas: [`level ${String(level)}`] }));
  stub.queue(...down, ...up);

  const run = await api.finish(step('mirror'));

  expect(run).toMatchObject({ status: 'completed', output: { text: 'level 3' }, costUsd: 0.00084 });
  expect(stub.calls).toBe(8);
  expect(JSON.stringify(stub.request(5).body)).toContain('agent.too-deep');
});

it('never calls a tool that requires approval while nobody can be asked', async () => {
  stub.queue(asks('echo', {}));

  const run = await api.finish(step('careful'));

  expect(run).toMatchObject({ status: 'failed', failure: { code: 'tool.approval-required' } });
  expect((await api.events(run.id)).map(({ type }) => type)).not.toContain('tool.called');
});

it('ends the calls of an agent within an agent when the run is cancelled', async () => {
  stub.queue(asks('ask', { prompt: 'Inner' }), gated(1, NEVER));
  const { id } = await api.start(step('outer'));
  await stub.received(2);

  await api.post(`/runs/${id}/cancel`);

  expect((await api.ended(id)).status).toBe('cancelled');
  expect(await stub.request(2).closed).toBe(false);
});

it('answers a call outside a run with all that it spent', async () => {
  stub.queue(
    asks('ask', { prompt: 'Inner' }),
    message({ deltas: ['inner'] }),
    message({ deltas: ['outer'] }),
  );

  const { status, body } = await api.post<JsonObject>('/agents/outer/execute', { input: { prompt: 'Go' } });

  expect({ status, body }).toMatchObject({
    status: 200,
    body: { output: { text: 'outer' }, usage: { inputTokens: 30, outputTokens: 15 }, costUsd: 0.000315 },
  });
});
