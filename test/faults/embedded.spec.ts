/** Faults of the embedded default: its only process killed, its event loop blocked, its clock set. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { RunEvent } from '../../src/runs/domain/run.events.js';
import { Api } from '../support/api.js';
import { startCounting } from '../support/counting-service.js';
import type { ServiceProcess } from '../support/service-process.js';
import { checkRecord, type CallLine } from '../support/invariants/check-record.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { ReadinessProber } from './readiness-prober.js';
import { sizeOf } from './sizes.js';

const KILLS = sizeOf('FAULT_KILLS', { full: 50, short: 5 });
const HOUR_MS = 3_600_000;
const BLOCK_MS = 10_000;
const PRELOAD = join(process.cwd(), 'test/faults/stepped-clock.mjs');

/** Each of fifty restarts may take seconds on a machine that does much else. */
jest.setTimeout(900_000);

let folder: string;
let service: ServiceProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-faults-'));
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<Api> {
  service = await startCounting(folder, { RATE_LIMIT_START: '0', ...env });
  return new Api(service.url);
}

async function violations(accepted: readonly string[]): Promise<readonly unknown[]> {
  const told = accepted.map((runId) => ({ runId }));
  const options = { callsFile: join(folder, 'calls'), accepted: told, isOver: true };
  return (await checkRecord({ folder: join(folder, 'data') }, options)).violations;
}

/** When the first call was made, in milliseconds since the epoch. */
function firstCallAt(): number {
  const [line = ''] = readFileSync(join(folder, 'calls'), 'utf8').split('\n');
  return (JSON.parse(line) as CallLine).at;
}

const counting = (id: string, more: object = {}): object => ({
  id,
  agent: 'counting',
  input: { delayMs: 30 },
  ...more,
});

/** Shapes of the load, taken in turn. */
const LOAD: readonly object[] = [
  { steps: ['a', 'b', 'c', 'd'].map((id, n, all) => counting(id, n > 0 ? { dependsOn: [all[n - 1]] } : {})) },
  {
    steps: [
      counting('a'),
      counting('b', { dependsOn: ['a'] }),
      counting('c', { dependsOn: ['a'] }),
      counting('d', { dependsOn: ['b', 'c'] }),
    ],
  },
  { steps: [counting('m', { forEach: { items: '[1, 2, 3, 4, 5, 6]', maxConcurrency: 3 } })] },
  {
    steps: [
      counting('a'),
      { id: 'w', kind: 'wait', durationMs: 400, dependsOn: ['a'] },
      counting('n', { dependsOn: ['a'], when: 'false' }),
      counting('z', { dependsOn: ['w', 'n'] }),
    ],
  },
];

it(`F5: every run goes on through ${String(KILLS)} kills under load, and nothing is done twice`, async () => {
  const accepted: string[] = [];
  const readyMs: number[] = [];
  let api = await start();
  for (let kill = 0; kill < KILLS; kill += 1) {
    for (let n = 0; n < 4; n += 1) {
      const definition = LOAD[(4 * kill + n) % LOAD.length];
      const answer = await api.post<{ id: string }>('/runs', { definition });
      if (answer.status === 202) accepted.push(answer.body.id);
    }
    await delay((kill * 37) % 150);
    await service.kill();
    const before = performance.now();
    api = await start();
    readyMs.push(performance.now() - before);
  }
  for (const runId of accepted) expect(await api.ended(runId)).toMatchObject({ status: 'completed' });

  expect(accepted.length).toBeGreaterThan(KILLS);
  expect(await violations(accepted)).toEqual([]);
  report([{ fault: 'F5', what: 'ready after kill -9', bar: 3_000, values: readyMs }]);
});

it('F12: a process whose event loop was blocked for 10 s has lost its lease, knows it, and goes on', async () => {
  const api = await start();
  const prober = ReadinessProber.start(service.url);
  await until(() => prober.readyAs !== undefined, 'it is ready');
  const former = prober.readyAs;
  const { id } = await api.start({
    steps: [counting('block', { input: { blockMs: BLOCK_MS } }), counting('next', { dependsOn: ['block'] })],
  });
  await delay(500); // the start is answered before it blocks
  const before = performance.now();
  expect(await api.ended(id)).toMatchObject({ status: 'completed' });

  const events = await api.events(id);
  expect(linesOf(events)).toContain('step.interrupted block');
  expect(linesOf(events).filter((line) => line === 'step.completed block')).toHaveLength(1);
  expect(await violations([id])).toEqual([]);
  const blockedAt = firstCallAt();
  await until(() => prober.readyAgainAs(blockedAt).length > 0, 'it is ready again');
  await prober.stop();
  // Never with the lease that it had, not even before it has noticed.
  expect(prober.readyAgainAs(blockedAt)).not.toContain(former);
  const unreadyMs = prober.unreadyAfter(blockedAt) ?? Infinity;
  report([
    { fault: 'F12', what: 'a blocked process is not ready after', bar: 3_000, values: [unreadyMs] },
    {
      fault: 'F12',
      what: 'end of the run after the block began',
      bar: 20_000,
      values: [performance.now() - before],
    },
  ]);
});

it.each([HOUR_MS, -HOUR_MS])(
  'F15: a clock that is set by %d ms, and back by 10 s, ends no timer early and takes no lease away',
  async (offsetMs) => {
    const clock = join(folder, 'clock');
    writeFileSync(clock, '0');
    const api = await start({ CLOCK_FILE: clock, NODE_OPTIONS: `--import=${PRELOAD}` });
    const set = (ms: number): void => {
      writeFileSync(clock, String(ms));
      process.kill(service.pid, 'SIGUSR2');
    };
    const before = performance.now();
    const { id } = await api.start({
      steps: [
        { id: 'wait', kind: 'wait', durationMs: 3_000 },
        counting('work', { input: { delayMs: 4_000 } }),
        counting('last', { dependsOn: ['wait', 'work'] }),
      ],
    });
    set(offsetMs);
    await delay(1_000);
    set(offsetMs - 10_000);
    expect(await api.ended(id)).toMatchObject({ status: 'completed' });

    // A lower bound does not depend on how fast the machine is.
    expect(performance.now() - before).toBeGreaterThanOrEqual(3_950);
    const lines = linesOf(await api.events(id));
    expect(lines.filter((line) => line.startsWith('step.interrupted'))).toEqual([]);
    expect(lines.indexOf('step.completed wait')).toBeLessThan(lines.indexOf('step.completed work'));
    expect(await violations([id])).toEqual([]);
  },
);

function linesOf(events: readonly RunEvent[]): readonly string[] {
  return events.map(({ type, stepId = '' }) => `${type} ${stepId}`.trim());
}
