/** A process that is killed right after it has answered a retry or a fork loses neither, and does neither twice. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunView } from '../../src/runs/domain/view.js';
import { Api, type Answer } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'ensemble-crash-'));
let service: ServiceProcess;
let api: Api;

beforeAll(() => start());

afterAll(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  service = await startCounting(folder);
  api = new Api(service.url);
}

/** How often a step was called. */
function callsOf(stepId: string): number {
  const lines = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  return lines.filter((line) => (JSON.parse(line) as { readonly stepId: string }).stepId === stepId).length;
}

/** Posts, kills the process as soon as it has answered, and starts the next. */
async function postAndKill(path: string, body: unknown, key: string): Promise<Answer<RunView>> {
  const answer = await api.post<RunView>(path, body, { 'Idempotency-Key': key });
  await service.kill();
  await start();
  return answer;
}

it('goes on with what it has answered, once', async () => {
  const { id } = await api.start({
    context: { bound: 0 },
    steps: [
      { id: 'first', agent: 'counting', input: {} },
      { id: 'second', agent: 'counting', input: { delayMs: 300 }, dependsOn: ['first'] },
      { id: 'third', kind: 'transform', expression: '1 / context.bound', dependsOn: ['second'] },
    ],
  });
  expect((await api.ended(id)).failure).toMatchObject({ code: 'expression.failed' });

  const retried = await postAndKill(`/runs/${id}/retry`, { fromStep: 'second' }, 'retry-1');
  expect(retried.status).toBe(200);
  const again = await api.post<RunView>(
    `/runs/${id}/retry`,
    { fromStep: 'second' },
    { 'Idempotency-Key': 'retry-1' },
  );
  expect(again.body).toEqual(retried.body);
  expect(await api.ended(id)).toMatchObject({ status: 'failed', retries: 1 });
  expect(callsOf('first')).toBe(1);

  const edit = { atStep: 'second', context: { bound: 4 } };
  const forked = await postAndKill(`/runs/${id}/fork`, edit, 'fork-1');
  expect(forked.status).toBe(202);
  const same = await api.post<RunView>(`/runs/${id}/fork`, edit, { 'Idempotency-Key': 'fork-1' });
  expect(same.body.id).toBe(forked.body.id);
  expect(await api.ended(forked.body.id)).toMatchObject({ status: 'completed', output: { third: 0.25 } });
  expect(callsOf('first')).toBe(1);
  const { body } = await api.get<{ readonly items: readonly RunView[] }>('/runs?limit=200');
  expect(body.items.filter(({ workflow, tags }) => workflow === undefined && tags.length === 0)).toHaveLength(
    2,
  );
});
