/** Sub-runs over kills of the process: none is made twice, no end of one is lost, nothing finished runs again. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Page } from '../../src/kernel/page.js';
import type { RunEvent } from '../../src/runs/domain/run.events.js';
import type { RunView, StepView } from '../../src/runs/domain/view.js';
import { Api, eventsOf } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

const LINKS = 6;
const KILLS = 6;

/** Each restart takes a second or two; the deadline is generous. */
jest.setTimeout(240_000);

interface Call {
  readonly idempotencyKey: string;
}

let folder: string;
let service: ServiceProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-sub-runs-'));
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function restart(): Promise<Api> {
  service = await startCounting(folder, {
    AGENT_MAX_CONCURRENT_WORKFLOWS: '2',
    RATE_LIMIT_READ: '1000000',
  });
  return new Api(service.url);
}

function calls(): readonly Call[] {
  const file = join(folder, 'calls');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Call);
}

async function save(api: Api, name: string, steps: readonly object[]): Promise<void> {
  const { status } = await api.post('/workflows', { name, definition: { steps } });
  expect(status).toBe(201);
}

const count = (delayMs: number): object => ({ id: 'count', agent: 'counting', input: { delayMs } });

async function runsAbove(api: Api): Promise<readonly RunView[]> {
  const { body } = await api.get<Page<RunView>>('/runs?limit=200');
  return body.items;
}

/** The sub-run of a step, as soon as the step waits for it. */
async function subRunOf(api: Api, runId: string, path: string): Promise<string> {
  let id: string | undefined;
  const look = async (): Promise<boolean> => {
    id = (await api.get<StepView>(`/runs/${runId}/steps/${path}`)).body.subRun?.id;
    return id !== undefined;
  };
  await until(look, `${path} has a sub-run`, 60_000);
  return id ?? '';
}

/** Waits until one more item has completed than the log had, or the run has ended. */
async function nextItem(runId: string, afterSeq: number): Promise<void> {
  const stream = await fetch(`${service.url}/api/v1/runs/${runId}/events?afterSeq=${String(afterSeq)}`, {
    headers: { accept: 'text/event-stream' },
  });
  for await (const { type } of eventsOf(stream)) if (type === 'item.completed') break;
}

function expectWhole(events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
}

it('goes on where the process died between the end of a sub-run and the next step', async () => {
  let api = await restart();
  await save(api, 'link', [count(20)]);
  const steps = Array.from({ length: LINKS }, (_, index) => ({
    id: `s${String(index)}`,
    workflow: { name: 'link' },
    ...(index > 0 && { dependsOn: [`s${String(index - 1)}`] }),
  }));
  const { id } = await api.start({ steps });
  const subRuns: string[] = [];

  for (let index = 0; index < LINKS; index += 1) {
    const subRun = await subRunOf(api, id, `s${String(index)}`);
    subRuns.push(subRun);
    await api.event(subRun, 'run.completed');
    await delay(index % 3);
    await service.kill();
    api = await restart();
  }
  const run = await api.ended(id);
  const events = await api.events(id);

  expect(run.status).toBe('completed');
  expectWhole(events);
  expect(events.filter(({ type }) => type === 'step.started').map(({ stepId }) => stepId)).toEqual(
    steps.map((step) => step.id),
  );
  expect((await runsAbove(api)).filter(({ links }) => links.parent !== undefined)).toHaveLength(LINKS);
  for (const subRun of subRuns) expectWhole(await api.events(subRun));
  expect(new Set(calls().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(LINKS);
});

it('finishes a map over sub-runs, each made once, through kills at any time', async () => {
  const seed = Date.now() % 100_000;
  let random = seed;
  const next = (below: number): number => (random = (random * 16_807) % 2_147_483_647) % below;
  let api = await restart();
  await save(api, 'leaf', [count(30)]);
  await save(api, 'branch', [{ id: 'leaf', workflow: { name: 'leaf' } }]);
  const items = Array.from({ length: 40 }, (_, index) => index);
  const { id } = await api.start({
    steps: [{ id: 'map', workflow: { name: 'branch' }, forEach: { items, maxConcurrency: 6 } }],
  });

  for (let kills = 0, seen = 0; kills < KILLS; kills += 1) {
    await nextItem(id, seen);
    await delay(next(12));
    await service.kill();
    api = await restart();
    seen = (await api.get<RunView>(`/runs/${id}`)).body.lastSeq;
  }
  const { status, failure } = await api.ended(id);

  expect({ seed, status, failure }).toEqual({ seed, status: 'completed' });
  const all = await runsAbove(api);
  const subRuns = all.filter(({ links }) => links.parent !== undefined);
  expect(subRuns.map(({ status }) => status)).toEqual(subRuns.map(() => 'completed'));
  expect(subRuns).toHaveLength(2 * items.length);
  for (const subRun of all) expectWhole(await api.events(subRun.id));
  expect(new Set(calls().map(({ idempotencyKey }) => idempotencyKey)).size).toBe(items.length);
});

it('cancels what a dead process left under way', async () => {
  let api = await restart();
  await save(api, 'long', [{ id: 'wait', kind: 'signal', signal: 'never' }]);
  const { id } = await api.start({ steps: [{ id: 'sub', workflow: { name: 'long' } }] });
  const subRun = await subRunOf(api, id, 'sub');
  await api.event(subRun, 'run.waiting');
  await service.kill();
  api = await restart();

  await api.post(`/runs/${id}/cancel`);

  expect((await api.ended(id)).status).toBe('cancelled');
  expect((await api.ended(subRun)).status).toBe('cancelled');
});
