/** F11: programs of users that take whatever they can get, beside small runs of others on the embedded default. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Api } from '../support/api.js';
import { checkRecord } from '../support/invariants/check-record.js';
import { ServiceProcess } from '../support/service-process.js';
import { percentile, report, type Measured } from './fault-report.js';
import { RUNS_PER_SECOND, sizeOf } from './sizes.js';
import { SteadyRuns } from './steady-runs.js';

const ROUNDS = sizeOf('FAULT_BOMBS', { full: 10, short: 2 });
/** How long small runs are measured without anything beside them. */
const CALM_MS = sizeOf('FAULT_CALM_MS', { full: 20_000, short: 4_000 });
const WARM_UP_MS = 2_000;
/** For what goes beyond its time; what goes beyond another bound has time for that on any machine. */
const SHORT_MS = 1_000;
const LONG_MS = 30_000;

interface Bomb {
  readonly key: string;
  /** The body of its program. */
  readonly body: string;
  /** The bound that the failure names. */
  readonly limit: 'time' | 'memory' | 'stack' | 'output';
  readonly timeoutMs: number;
  readonly memoryMb?: number;
}

const BOMBS: readonly Bomb[] = [
  {
    ...{ key: 'memory-bomb', limit: 'memory', timeoutMs: LONG_MS },
    body: 'const all = []; for (;;) all.push(new Array(1e4).fill(0));',
  },
  { key: 'endless-loop', limit: 'time', timeoutMs: SHORT_MS, body: 'for (;;);' },
  {
    ...{ key: 'regular-expression', limit: 'time', timeoutMs: SHORT_MS },
    body: 'return /^(a+)+$/.test("a".repeat(40) + "b");',
  },
  {
    ...{ key: 'stack-bomb', limit: 'stack', timeoutMs: LONG_MS },
    body: 'const deeper = () => deeper() + 1; return deeper();',
  },
  {
    ...{ key: 'promise-for-ever', limit: 'time', timeoutMs: SHORT_MS },
    body: 'await new Promise(() => {});',
  },
  {
    ...{ key: 'output-beyond-memory', limit: 'memory', timeoutMs: LONG_MS },
    body: 'return "x".repeat(1e8);',
  },
  {
    ...{ key: 'output-beyond-bound', limit: 'output', timeoutMs: LONG_MS, memoryMb: 256 },
    body: 'return "x".repeat(1e7);',
  },
];

const SMALL_PROGRAM = { source: 'export default ({ n }) => ({ doubled: 2 * n });', timeoutMs: 60_000 };
const QUICK = { steps: [{ id: 'a', agent: 'echo', input: { n: 1 } }] };
const SMALL_CODE = { steps: [{ id: 'a', agent: 'small-program', input: { n: 1 } }] };

jest.setTimeout(1_200_000);

let folder: string;
let service: ServiceProcess;
let api: Api;
/** Every run that was answered. */
let accepted: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-bombs-'));
  accepted = [];
  const unhindered = { RATE_LIMIT_READ: '0', RATE_LIMIT_WRITE: '0', RATE_LIMIT_START: '0' };
  const env = { DATA_DIR: folder, AGENT_MAX_QUEUE_SIZE: '10000', ...unhindered };
  service = await ServiceProcess.start({ name: 'bombs', env });
  api = new Api(service.url);
  await createAgent('small-program', SMALL_PROGRAM);
});

afterEach(async () => {
  await service.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function createAgent(key: string, settings: object, more: object = {}): Promise<void> {
  const { status, body } = await api.post('/agents', { key, kind: 'code', settings, ...more });
  if (status !== 201)
    throw new Error(`the agent was answered with ${String(status)}: ${JSON.stringify(body)}`);
}

/** Lets one go off in a run of its own; resolves with how long after its limit its only attempt failed. */
async function letOff({ key, limit, timeoutMs }: Bomb): Promise<number> {
  const { id } = await api.start({ steps: [{ id: 'bomb', agent: key }] });
  accepted.push(id);
  const failure = { code: 'sandbox.limit-exceeded', retryable: false, details: { limit } };
  expect([key, await api.ended(id)]).toMatchObject([key, { status: 'failed' }]);
  const events = await api.events(id);
  const [started, ...others] = events.filter(({ type }) => type === 'step.started');
  const failed = events.find(({ type }) => type === 'step.failed');
  expect([key, failed?.data]).toMatchObject([key, { failure }]);
  expect(others).toEqual([]);
  return Date.parse(failed?.at ?? '') - Date.parse(started?.at ?? '') - timeoutMs;
}

/** What small runs of either kind took while something went on; all of them complete. */
interface Beside {
  readonly quickMs: readonly number[];
  readonly codeMs: readonly number[];
}

async function beside(goOn: () => Promise<unknown>): Promise<Beside> {
  const quick = new SteadyRuns(api, QUICK).start(RUNS_PER_SECOND);
  const code = new SteadyRuns(api, SMALL_CODE).start(RUNS_PER_SECOND);
  try {
    await goOn();
  } finally {
    await Promise.all([quick.stop(), code.stop()]);
  }
  expect([...quick.wrong, ...code.wrong]).toEqual([]);
  accepted.push(...quick.runIds, ...code.runIds);
  return { quickMs: quick.tookMs, codeMs: code.tookMs };
}

function added(what: string, calm: readonly number[], meanwhile: readonly number[]): Measured {
  const values = [percentile(meanwhile, 99) - percentile(calm, 99)];
  return { fault: 'F11', what: `p99 of others, ${what} − without`, bar: 50, values };
}

/** The same process goes on, ends in order when it is asked to, and has kept what it was told. */
async function expectUnharmed(pid: number): Promise<void> {
  expect([service.pid, service.isAlive, await service.isReady()]).toEqual([pid, true, true]);
  expect(await service.stop()).toMatchObject({ code: 0 });
  const told = accepted.map((runId) => ({ runId }));
  const troubles = service.troubles();
  const { violations } = await checkRecord({ folder }, { accepted: told, troubles, isOver: true });
  expect(violations).toEqual([]);
}

it(`F11: ${String(ROUNDS)} rounds of bombs, one after the other and all at once: each fails as it should, and nothing else does`, async () => {
  const { pid } = service;
  for (const { key, body, timeoutMs, memoryMb = 64 } of BOMBS)
    await createAgent(key, { source: `export default async () => { ${body} };`, timeoutMs, memoryMb });
  const lateMs = new Map(BOMBS.map(({ key }) => [key, [] as number[]]));
  await beside(() => delay(WARM_UP_MS));

  const calm = await beside(() => delay(CALM_MS));
  const inTurn = await beside(async () => {
    for (let round = 0; round < ROUNDS; round += 1)
      for (const bomb of BOMBS) lateMs.get(bomb.key)?.push(await letOff(bomb));
  });
  const atOnce = await beside(async () => {
    for (let round = 0; round < ROUNDS; round += 1) await Promise.all(BOMBS.map(letOff));
  });

  await expectUnharmed(pid);
  report([
    ...[...lateMs].map(([key, values]) => ({
      ...{ fault: 'F11', what: `${key} fails after its limit`, bar: 250, values },
    })),
    added('quick agent, with bombs', calm.quickMs, inTurn.quickMs),
    added('small code, with bombs', calm.codeMs, inTurn.codeMs),
    added('quick agent, all bombs at once', calm.quickMs, atOnce.quickMs),
    added('small code, all bombs at once', calm.codeMs, atOnce.codeMs),
  ]);
});

it('F11: patterns that take for ever are refused, and long texts are not matched with those that take long', async () => {
  const { pid } = service;
  const refused = (more: object): Promise<{ status: number; body: { issues?: { code: string }[] } }> =>
    api.post('/runs', { definition: { ...QUICK, ...more } });
  const matching = { id: 'a', kind: 'transform', expression: 'input.text.matches("^(a+)+$")' };
  const costly = { inputSchema: { properties: { text: { type: 'string', pattern: '^(a+)+$' } } } };
  const inExpression = await refused({ steps: [matching] });
  const inSchema = await refused(costly);
  const text = 'a'.repeat(500_000);
  const slow = { inputSchema: { properties: { text: { type: 'string', pattern: 'a+x' } } } };
  const filters = {
    id: 'a',
    agent: 'echo',
    input: '{{ input.text | strip_html | squish | slugify | size }}',
  };

  await beside(async () => {
    const tooLong = await api.post<{ code: string }>('/runs', {
      ...{ definition: { ...QUICK, ...slow }, input: { text } },
    });
    const hostile = await api.finish({ steps: [filters] }, { input: { text: '<'.repeat(500_000) } });
    accepted.push(hostile.id);
    expect([tooLong.status, hostile.status]).toEqual([422, 'completed']);
  });

  expect([inExpression.status, inSchema.status]).toEqual([422, 422]);
  expect(inExpression.body.issues).toMatchObject([{ code: 'expression.invalid' }]);
  expect(inSchema.body.issues).toMatchObject([{ code: 'schema.invalid' }]);
  await expectUnharmed(pid);
});
