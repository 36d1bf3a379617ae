/** A model's conversation that is killed half-way goes on after the last recorded turn. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Api } from '../support/api.js';
import { ServiceProcess } from '../support/service-process.js';
import { gated, LlmStub, message, type StubAnswer } from '../support/llm-stub.js';
import { until } from '../support/until.js';

const TURNS = 8;
const NEVER = new Promise<never>(() => undefined);
const SCRIPT = 'test/crash/tool-using-service.mjs';

jest.setTimeout(120_000);

let folder: string;
let stub: LlmStub;
let service: ServiceProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-llm-'));
  stub = await LlmStub.start();
});

afterEach(async () => {
  await service.kill();
  await stub.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function restart(): Promise<Api> {
  service = await ServiceProcess.start({
    script: SCRIPT,
    env: {
      DATA_DIR: join(folder, 'data'),
      CALLS_FILE: join(folder, 'calls'),
      ANTHROPIC_API_KEY: 'sk-stub',
      ANTHROPIC_BASE_URL: stub.baseUrl,
    },
  });
  return new Api(service.url);
}

/** Every call of the tool so far. */
function calls(): readonly { readonly n: number; readonly idempotencyKey: string }[] {
  try {
    const lines = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as { n: number; idempotencyKey: string });
  } catch {
    return [];
  }
}

/** The n-th turn asks for the tool, the last one answers. */
function turn(n: number, more: { readonly holdFile?: string } = {}): StubAnswer {
  if (n === TURNS) return message({ deltas: ['Composed'] });
  return message({
    deltas: [],
    toolUse: [{ id: `call_${String(n)}`, name: 'counting', input: { n, ...more } }],
  });
}

const definition = { steps: [{ id: 'compose', agent: 'composer', input: { prompt: 'Compose' } }] };

it('goes on at turn 6 when it is killed at turn 5 of 8, and asks nothing twice', async () => {
  const holdFile = join(folder, 'go');
  stub.queue(...[1, 2, 3, 4].map((n) => turn(n)), turn(5, { holdFile }), ...[6, 7, 8].map((n) => turn(n)));
  let api = await restart();
  const { id } = await api.start(definition);
  await until(() => calls().length === 5, 'the tool of turn 5 is called');

  await service.kill();
  const before = { asked: stub.calls, called: calls().length };
  writeFileSync(holdFile, '');
  api = await restart();
  const run = await api.ended(id);
  const events = await api.events(id);

  expect(before).toEqual({ asked: 5, called: 5 });
  expect(run).toMatchObject({ status: 'completed' });
  expect(stub.calls).toBe(TURNS);
  // Only the call that the kill cut short is made again, under the same key.
  expect(calls().map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 5, 6, 7]);
  expect(new Set(calls().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(7);
  expect(events.filter(({ type }) => type === 'turn.completed')).toHaveLength(TURNS);
  expect(events.filter(({ type }) => type === 'tool.called').map(({ data }) => data)).toMatchObject(
    [1, 2, 3, 4, 5, 6, 7].map((n) => ({
      tool: { name: 'counting', callId: `call_${String(n)}`, output: { n } },
    })),
  );
  expect(events.map(({ type }) => type)).toContain('step.interrupted');
});

it('asks again only for the answer that a kill cut short', async () => {
  stub.queue(...[1, 2, 3, 4, 5].map((n) => turn(n)), gated(1, NEVER), ...[6, 7, 8].map((n) => turn(n)));
  let api = await restart();
  const { id } = await api.start(definition);
  await until(() => stub.calls === 6, 'turn 6 is asked for');

  await service.kill();
  api = await restart();
  const run = await api.ended(id);

  expect(run).toMatchObject({ status: 'completed', costUsd: expect.any(Number) });
  expect(stub.calls).toBe(TURNS + 1);
  expect(stub.request(7).body).toEqual(stub.request(6).body);
  expect(stub.request(7).headers['idempotency-key']).toBe(stub.request(6).headers['idempotency-key']);
  expect(calls().map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7]);
});
