/** F12: a worker whose event loop is blocked while it executes runs, so that its lease runs out without its knowledge. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { Member } from '../support/cluster.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { ReadinessProber } from './readiness-prober.js';
import { query, resumedAfter } from './record-queries.js';
import type { FaultScene } from './scene.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const BLOCKS = sizeOf('FAULT_BLOCKS', { full: 4, short: 1 });
const BLOCK_MS = 10_000;
/** How long the calls take that a block meets. */
const CALL_MS = 2_000;
const DEADLINE_MS = 60_000;
const PACE_MS = 100;
const PRELOAD = join(process.cwd(), 'test/faults/blocked-loop.mjs');

jest.setTimeout(1_800_000);

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ensemble-blocked-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const blockFile = (): string => join(folder, 'block');

describeWithOwnRedis('a worker', () => {
  describeWithPostgres('whose event loop is blocked', (databaseUrl) => {
    it(`F12: ${String(BLOCKS)} times for 10 s: others go on with its runs, and it fences itself when it goes on`, async () => {
      const env = { BLOCK_FILE: blockFile(), NODE_OPTIONS: `--import=${PRELOAD}` };
      const options = { name: 'F12', databaseUrl, roles: ROLES, sockets: SOCKETS, lostLeases: 20, env };
      await withScene(options, async (scene) => {
        const blockedAt: number[] = [];
        const unreadyMs: number[] = [];
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(10);
        for (let block = 0; block < BLOCKS; block += 1) {
          const worker = scene.cluster.workers[block % scene.cluster.workers.length];
          if (worker === undefined) throw new Error('there is no worker');
          const met = await underProbes(worker, (prober) => blockOnce(scene, worker, prober));
          blockedAt.push(met.blockedAt);
          unreadyMs.push(met.unreadyMs);
          await scene.untilAccepted(10);
        }

        await expectAllKept(scene);
        const resumedMs = await resumedAfter(databaseUrl, blockedAt);
        report([
          { fault: 'F12', what: 'a blocked worker is not ready after', bar: 3_000, values: unreadyMs },
          {
            fault: 'F12',
            what: 'block of a worker to the next step of its runs',
            bar: 10_000,
            values: resumedMs,
          },
        ]);
      });
    });
  });
});

interface Met {
  readonly blockedAt: number;
  readonly unreadyMs: number;
}

async function underProbes(worker: Member, test: (prober: ReadinessProber) => Promise<Met>): Promise<Met> {
  const prober = ReadinessProber.start(worker.process.url);
  try {
    return await test(prober);
  } finally {
    await prober.stop();
  }
}

/** The block is over when 10 s have passed and others have gone on with all that it met, not before. */
async function blockOnce(scene: FaultScene, worker: Member, prober: ReadinessProber): Promise<Met> {
  const { pid } = worker.process;
  await until(() => prober.readyAs !== undefined, 'the worker is ready', DEADLINE_MS, PACE_MS);
  const former = prober.readyAs ?? '';
  const met = await untilItExecutes(scene, former);

  writeFileSync(blockFile(), '');
  const blockedAt = Date.now();
  process.kill(pid, 'SIGUSR2');
  const isLongEnough = delay(BLOCK_MS);
  try {
    for (const runId of met) await untilMadeAgain(scene, runId);
    await isLongEnough;
    expect(since('BLOCKED', worker)).not.toContain('WOKEN');
  } finally {
    rmSync(blockFile());
  }

  const said = /the event loop was blocked for \d+ ms[^]*has lost its lease/;
  await until(() => said.test(since('WOKEN', worker)), 'it fences itself', DEADLINE_MS, PACE_MS);
  const again = (): readonly string[] => prober.readyAgainAs(blockedAt);
  await until(() => again().length > 0, 'it is ready again', DEADLINE_MS, PACE_MS);
  // Never with the lease that it had, not even before it has noticed.
  expect(again()).not.toContain(former);
  expect(await ownersOf(scene)).toEqual(expect.arrayContaining([again()[0]]));
  expect(worker.process.pid).toBe(pid);
  for (const runId of met) await scene.api.ended(runId);
  return { blockedAt, unreadyMs: prober.unreadyAfter(blockedAt) ?? Infinity };
}

/** Runs of which the owner has a call under way that will not be over soon. */
async function untilItExecutes(scene: FaultScene, owner: string): Promise<readonly string[]> {
  const definition = { steps: [{ id: 'long', agent: 'target', input: { delayMs: CALL_MS } }] };
  let met: readonly string[] = [];
  const looked = async (): Promise<boolean> => {
    const ids = await Promise.all([1, 2, 3, 4].map(() => scene.startRun(definition)));
    for (const id of ids) await scene.api.event(id, 'step.started');
    const sql = 'select id from runs where owner_id = $1 and id = any($2)';
    met = (await query<{ id: string }>(scene.databaseUrl, sql, [owner, ids])).map(({ id }) => id);
    return met.length > 0;
  };
  await until(looked, 'the worker executes runs', DEADLINE_MS, PACE_MS);
  return met;
}

/** Its attempt was interrupted by who took it over, and is made again. */
async function untilMadeAgain(scene: FaultScene, runId: string): Promise<void> {
  const isMadeAgain = async (): Promise<boolean> => {
    const types = (await scene.api.events(runId)).map(({ type }) => type);
    const interrupted = types.indexOf('step.interrupted');
    return interrupted >= 0 && types.includes('step.started', interrupted);
  };
  await until(isMadeAgain, `the step of ${runId} is made again`, DEADLINE_MS, PACE_MS);
}

/** The owners that have not been retired. */
async function ownersOf({ databaseUrl }: FaultScene): Promise<readonly string[]> {
  const sql = 'select id from owners where retired_at is null';
  return (await query<{ id: string }>(databaseUrl, sql)).map(({ id }) => id);
}

/** What a process has written since it last said something. */
function since(said: string, { process }: Member): string {
  const { log } = process;
  const at = log.lastIndexOf(said);
  return at < 0 ? '' : log.slice(at);
}
