/** Agents of every kind, registered over REST and called by one run: the story that a user of the registry lives. */
import type { Json, JsonObject } from '../../src/kernel/json.js';
import { Api } from '../support/api.js';
import { startApp, type RunningApp } from '../support/app.js';
import { answerJson, HttpStub } from '../support/http-stub.js';
import { LlmStub, message } from '../support/llm-stub.js';
import { McpStub } from '../support/mcp-stub.js';
import { until } from '../support/until.js';

const CANARY = 'canary-6d1f0c2ab7';

let service: RunningApp;
let api: Api;
let http: HttpStub;
let llm: LlmStub;
let mcp: McpStub;

beforeAll(async () => {
  http = new HttpStub();
  await http.start();
  llm = await LlmStub.start();
  mcp = await McpStub.start();
  service = await startApp({
    env: { EGRESS_ALLOWED_HOSTS: `127.0.0.2,${hostOf(llm.baseUrl)},${hostOf(mcp.url)}` },
  });
  api = new Api(service.url);
});

afterAll(async () => {
  await service.close();
  await Promise.all([http.stop(), llm.stop(), mcp.stop()]);
});

function hostOf(url: string): string {
  return new URL(url).host;
}

async function register(key: string, kind: string, settings: JsonObject): Promise<void> {
  const { status, body } = await api.post('/agents', { key, kind, settings });
  if (status !== 201) throw new Error(`${key}: ${String(status)} ${JSON.stringify(body)}`);
}

/** Does the one task of an agent, as a worker does. */
async function work(agentId: string, output: Json): Promise<void> {
  const order = { agentId, max: 1, waitMs: 20_000 };
  const { body } = await api.post<readonly { readonly token: string }[]>('/tasks/poll', order);
  await api.post(`/tasks/${body[0]?.token ?? 'none'}/complete`, { output });
}

it('has a kind for all that is registered here', async () => {
  const { body } = await api.get<{ readonly items: readonly { readonly kind: string }[] }>('/agents/kinds');

  expect(body.items.map(({ kind }) => kind)).toEqual([
    'code',
    'echo',
    'function',
    'http',
    'llm',
    'mcp',
    'scripted',
    'strudel',
    'worker',
    'workflow',
  ]);
});

it('carries a run through agents of seven kinds, and pins each at its version', async () => {
  http.answer = answerJson('{"price":21}');
  llm.queue(message({ deltas: ['forty', '-two'] }));
  await api.put('/secrets/shop-key', { value: CANARY });
  await register('shop', 'http', {
    ...{ method: 'POST', url: http.url('/price') },
    auth: { type: 'bearer', secret: 'shop-key' },
  });
  await register('doubler', 'code', {
    source: 'export default async ({ price }) => ({ twice: price * 2 })',
  });
  await register('adder', 'mcp', { url: mcp.url, tool: 'add' });
  await register('speller', 'llm', {
    ...{ provider: 'openai-compatible', baseUrl: llm.baseUrl, model: 'a-model' },
    apiKey: { secret: 'shop-key' },
  });
  await register('shouter', 'workflow', {
    definition: {
      steps: [{ id: 'up', agent: 'echo', input: '{{ input.text | upcase }}' }],
      output: '{{ steps.up.output }}',
    },
  });
  await register('checker', 'worker', {});

  const [run] = await Promise.all([
    api.finish({
      steps: [
        { id: 'ask', agent: 'shop', input: { item: 'tea' } },
        { id: 'double', agent: 'doubler', input: '{{ steps.ask.output }}' },
        { id: 'add', agent: 'adder', input: { a: '{{ steps.double.output.twice }}', b: 0 } },
        { id: 'spell', agent: 'speller', input: { prompt: 'Spell {{ steps.add.output.structured.sum }}' } },
        { id: 'shout', agent: 'shouter', input: { text: '{{ steps.spell.output.text }}' } },
        { id: 'check', agent: 'checker', input: { text: '{{ steps.shout.output }}' } },
        { id: 'keep', agent: 'scripted', input: { output: '{{ steps.check.output }}' } },
      ],
      output: '{{ steps.keep.output }}',
    }),
    work('checker', 'FORTY-TWO, checked'),
  ]);

  expect(run.failure).toBeUndefined();
  expect(run).toMatchObject({ status: 'completed', output: 'FORTY-TWO, checked' });
  expect(Object.entries(run.manifest.agents).map(([key, { kind, version }]) => [key, kind, version])).toEqual(
    expect.arrayContaining([
      ['shop', 'http', 1],
      ['doubler', 'code', 1],
      ['adder', 'mcp', 1],
      ['speller', 'llm', 1],
      ['shouter', 'workflow', 1],
      ['checker', 'worker', 1],
      ['scripted', 'scripted', 1],
    ]),
  );
  expect(http.received[0]?.headers.authorization).toBe(`Bearer ${CANARY}`);
  const told = JSON.stringify([run, await api.events(run.id), (await api.get('/agents')).body]);
  expect(told).not.toContain(CANARY);
});

it('calls the version that a run pinned, whatever the agent has become meanwhile', async () => {
  await register('moody', 'code', { source: 'export default async () => "first"' });
  const definition = {
    steps: [
      { id: 'wait', kind: 'signal', signal: 'go' },
      { id: 'say', agent: 'moody', dependsOn: ['wait'] },
    ],
    output: '{{ steps.say.output }}',
  };
  const run = await api.start(definition);
  const { status, body } = await api.put('/agents/moody', {
    settings: { source: 'export default async () => "second"' },
  });
  await api.post(`/runs/${run.id}/signals/go`);

  const outputOf = async (id: string): Promise<unknown> => {
    const { body } = await api.get<{ readonly status: string; readonly output?: Json }>(`/runs/${id}`);
    return body.status === 'completed' ? body.output : undefined;
  };
  if (status !== 200) throw new Error(JSON.stringify(body));
  let output: unknown;
  await until(async () => (output = await outputOf(run.id)) !== undefined, 'the run ended');
  const later = await api.start(definition);
  await api.post(`/runs/${later.id}/signals/go`);
  let laterOutput: unknown;
  await until(async () => (laterOutput = await outputOf(later.id)) !== undefined, 'the later run ended');

  expect([output, laterOutput]).toEqual(['first', 'second']);
});
