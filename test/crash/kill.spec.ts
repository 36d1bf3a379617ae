/** A process that is killed at any moment loses nothing and repeats no finished step. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Api, eventsOf } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';
import { checkRecord } from '../support/invariants/check-record.js';

const KILLS = 20;
const STEPS = 30;

interface Call {
  readonly stepId: string;
  readonly attempt: number;
  readonly idempotencyKey: string;
}

/** Each restart takes a second or two; the deadline is generous. */
jest.setTimeout(600_000);

let folder: string;
let service: ServiceProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-crash-'));
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function restart(): Promise<Api> {
  service = await startCounting(folder);
  return new Api(service.url);
}

function calls(): readonly Call[] {
  const lines = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Call);
}

/** Two chains side by side, one slower: a kill after an outcome of the one interrupts the other. */
function pairs(count: number): unknown {
  const steps = Array.from({ length: count }, (_, index) => ({
    id: `s${String(index)}`,
    agent: 'counting',
    input: { delayMs: index % 2 === 0 ? 250 : 800 },
    ...(index < 2 ? {} : { dependsOn: [`s${String(index - 2)}`] }),
  }));
  return { steps, maxParallelSteps: 2 };
}

/** Waits for one more outcome than the log had, then for a moment of no particular meaning. */
async function nextMoment(runId: string, afterSeq: number, waitMs: number): Promise<void> {
  const stream = await fetch(`${service.url}/api/v1/runs/${runId}/events?afterSeq=${String(afterSeq)}`, {
    headers: { accept: 'text/event-stream' },
  });
  for await (const { type } of eventsOf(stream)) if (type === 'step.completed') break;
  await delay(waitMs);
}

it(`completes a run of ${String(STEPS)} steps through ${String(KILLS)} kills, each step finished once`, async () => {
  const seed = Date.now() % 100_000;
  let random = seed;
  const next = (below: number): number => (random = (random * 16_807) % 2_147_483_647) % below;
  let api = await restart();
  const { id } = await api.start(pairs(STEPS));

  let seen = 0;
  let kills = 0;
  for (
    ;
    kills < KILLS && (await api.get<{ status: string }>(`/runs/${id}`)).body.status !== 'completed';
    kills += 1
  ) {
    await nextMoment(id, seen, next(12));
    await service.kill();
    api = await restart();
    seen = (await api.get<{ lastSeq: number }>(`/runs/${id}`)).body.lastSeq;
  }
  const run = await api.ended(id);
  const events = await api.events(id);

  expect({ seed, status: run.status }).toEqual({ seed, status: 'completed' });
  expect(kills).toBeGreaterThanOrEqual(15);
  expectWhole(events);
  expectNothingRepeated(events);
  const record = await checkRecord(
    { folder: join(folder, 'data') },
    { callsFile: join(folder, 'calls'), isOver: true },
  );
  expect(record.violations).toEqual([]);
});

it('ends a run that kills its process each time, and takes no healthy run with it', async () => {
  let api = await restart();
  const healthy = await api.start({ steps: [{ id: 'calm', agent: 'counting', input: { delayMs: 200 } }] });
  const poison = await api.start({
    steps: [
      { id: 'fuse', agent: 'counting', input: { delayMs: 100 } }, // the start is answered before it kills
      { id: 'bomb', agent: 'counting', input: { kill: true }, dependsOn: ['fuse'] },
    ],
  });
  for (let deaths = 0; deaths < 6; deaths += 1) {
    const ended = api
      .ended(poison.id)
      .then(() => 'ended' as const)
      .catch(() => 'died' as const);
    if ((await Promise.race([ended, service.ended.then(() => 'died' as const)])) === 'ended') break;
    await service.ended;
    api = await revived();
  }

  expect(await api.ended(poison.id)).toMatchObject({ status: 'failed', failure: { code: 'run.poisoned' } });
  expect((await api.ended(healthy.id)).status).toBe('completed');
  expect(calls().filter(({ stepId }) => stepId === 'bomb')).toHaveLength(4);
});

it('hands runs back on SIGTERM, and goes on with them after the next start', async () => {
  let api = await restart();
  const { id } = await api.start({
    steps: [
      { id: 'first', agent: 'counting', input: { delayMs: 100 } },
      { id: 'second', agent: 'counting', input: {}, dependsOn: ['first'] },
    ],
  });
  await api.event(id, 'step.started');
  const { code } = await service.stop();
  api = await restart();

  expect(code).toBe(0);
  expect((await api.ended(id)).status).toBe('completed');
  expectWhole(await api.events(id));
  expect(calls().map(({ stepId }) => stepId)).toEqual(['first', 'second']);
});

/** Starts the service again, and once more each time that a run it takes up kills it before it listens. */
async function revived(): Promise<Api> {
  for (let deaths = 0; ; deaths += 1) {
    try {
      return await restart();
    } catch (error) {
      if (deaths === 5) throw error;
    }
  }
}

function expectWhole(events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
}

/** Every call is a recorded attempt, none is made twice, and none after the one that completed. */
function expectNothingRepeated(events: readonly RunEvent[]): void {
  const started = events.filter(({ type }) => type === 'step.started').map(nameOf);
  const completed = new Map(
    events.filter(({ type }) => type === 'step.completed').map(({ stepId, attempt }) => [stepId, attempt]),
  );
  const made = calls();
  expect(new Set(made.map(nameOf)).size).toBe(made.length);
  expect(started).toEqual(expect.arrayContaining(made.map(nameOf)));
  for (const { stepId, attempt } of made) expect(attempt).toBeLessThanOrEqual(completed.get(stepId) ?? 0);
  expect(new Set(made.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(completed.size);
}

function nameOf({ stepId = '', attempt = 0 }: Pick<RunEvent, 'stepId' | 'attempt'> | Call): string {
  return `${stepId}#${String(attempt)}`;
}
