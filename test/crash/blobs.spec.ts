/** Outputs of 5 MiB come through kills of their process byte for byte, each made once. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Api, eventsOf } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';

const LENGTH = 5 * 1_048_576;
const ITEMS = 5;

/** Each restart takes a second or two; the deadline is generous. */
jest.setTimeout(240_000);

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

/** Waits for the next event of a type after a number; its number. */
async function next(runId: string, type: string, afterSeq: number): Promise<number> {
  const stream = await fetch(`${service.url}/api/v1/runs/${runId}/events?afterSeq=${String(afterSeq)}`, {
    headers: { accept: 'text/event-stream' },
  });
  for await (const event of eventsOf(stream)) if (event.type === type) return event.seq;
  throw new Error(`run ${runId} ended without ${type} after ${String(afterSeq)}`);
}

it(`a map of ${String(ITEMS)} items of 5 MiB survives kills after its outcomes and starts`, async () => {
  let api = await restart();
  const { id } = await api.start({
    steps: [
      {
        id: 'make',
        agent: 'counting',
        forEach: { items: '[1, 2, 3, 4, 5]', maxConcurrency: 2 },
        input: { length: LENGTH, delayMs: 300 },
      },
      { id: 'pass', agent: 'echo', input: '{{ steps.make.output[1].text }}' },
    ],
    output: { all: '{{ steps.make.output }}', passed: '{{ steps.pass.output }}' },
  });
  let seen = 0;
  for (const type of ['item.completed', 'item.completed', 'item.started']) {
    seen = await next(id, type, seen);
    await service.kill();
    api = await restart();
  }
  const run = await api.ended(id);
  const events = await api.events(id);

  expect(run.status).toBe('completed');
  const items = Array.from({ length: ITEMS }, (_, number) => {
    const idempotencyKey = `${id}:make[${String(number)}]:1`;
    return { stepId: 'make', idempotencyKey, text: textOf(idempotencyKey) };
  });
  expect(isSame(run.output, { all: items, passed: items[1]?.text })).toBe(true);
  expect(completedItems(events)).toEqual([...new Set(completedItems(events))]);
  expect(completedItems(events)).toHaveLength(ITEMS);
  for (const { path, attempt } of completions(events))
    expect(callsOf(`${id}:${String(path)}:1`)).toBeLessThanOrEqual(attempt ?? 0);
});

/** As the agent makes it. */
function textOf(key: string): string {
  return `${key} ♪ `.repeat(LENGTH / key.length + 1).slice(0, LENGTH);
}

function completions(events: readonly RunEvent[]): readonly RunEvent[] {
  return events.filter(({ type }) => type === 'item.completed');
}

function completedItems(events: readonly RunEvent[]): readonly (string | undefined)[] {
  return completions(events).map(({ path }) => path);
}

/** How often the agent was called for a unit. */
function callsOf(key: string): number {
  const lines = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  return lines.filter((line) => (JSON.parse(line) as { idempotencyKey: string }).idempotencyKey === key)
    .length;
}

/** Compared as text: a difference of megabytes shown by the test would bury it. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
