/** What processes add: two workers against one, limits that hold for all, and what waiting runs cost. */
import { Redis } from 'ioredis';
import { setTimeout as delay } from 'node:timers/promises';

import { residentMib } from '../support/resident-memory.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { query } from './record-queries.js';
import type { FaultScene, SceneOptions } from './scene.js';
import { ROLES, sizeOf } from './sizes.js';
import { LIMITED_PLACES } from './target.js';
import { expectAllKept, withScene } from './with-scene.js';

const RUNS = sizeOf('FAULT_SCALE_RUNS', { full: 2_000, short: 200 });
const PARKED = sizeOf('FAULT_PARKED', { full: 10_000, short: 200 });
const WATCH_MS = sizeOf('FAULT_WATCH_MS', { full: 30_000, short: 5_000 });
/** Few places for each worker, so that they and not the cores decide. */
const PLACES = '8';

jest.setTimeout(1_800_000);

/** Runs a second of a service with one worker, once it has been measured. */
const runsPerSecond: number[] = [];

describeWithOwnRedis('more than one worker', () => {
  describe.each([1, 2])('%d workers', (workers) => {
    describeWithPostgres('with few places each', (databaseUrl) => {
      it(`execute ${RUNS} runs of waiting steps, and keep the limit of all`, async () => {
        const roles = ROLES.slice(0, 1 + workers);
        const env = { AGENT_MAX_CONCURRENT_WORKFLOWS: PLACES };
        await withScene({ name: `scale-${workers}`, databaseUrl, roles, env }, async (scene) => {
          const before = performance.now();
          const shapes = ['waiting', 'waiting', 'waiting', 'limits'] as const;
          const load = scene.load({ perSecond: 200, runs: RUNS, shapes });
          await load.settle();
          const end = await expectAllKept(scene);
          runsPerSecond.push((1_000 * RUNS) / (performance.now() - before));

          expect(end.mostLimited).toBeLessThanOrEqual(LIMITED_PLACES);
          const [one = 0, two] = runsPerSecond;
          const ratio = two === undefined ? [] : [two / one];
          const what = 'runs a second with 2 workers against 1';
          if (ratio.length > 0)
            report([{ fault: 'scale', what, unit: 'times', bar: 1.6, isFloor: true, values: ratio }]);
        });
      });
    });
  });
});

describeWithOwnRedis('a service without work', () => {
  describeWithPostgres('and runs that wait', (databaseUrl) => {
    it(`asks next to nothing of Redis and PostgreSQL, with ${PARKED} of them and with none`, async () => {
      // The agents of the load are new: for ten minutes the process that answers would ask after each, once a minute.
      const env = { AGENT_HEALTH_INTERVAL_MS: '0' };
      const options: SceneOptions = { name: 'idle', databaseUrl, roles: ROLES, env };
      await withScene(options, async (scene) => {
        const without = await costOf(scene, databaseUrl);
        await park(scene);
        const withThem = await costOf(scene, databaseUrl);

        expect(await waiting(databaseUrl)).toBe(PARKED);
        tellMemory([without, withThem]);
        const rows = [without, withThem].map(({ redis, sql }, index) => ({
          ...{ fault: 'idle', unit: '1/s', bar: 3, values: [redis + sql] },
          what: `commands of a process with ${index * PARKED} runs (${redis.toFixed(2)} Redis, ${sql.toFixed(2)} SQL)`,
        }));
        report(rows);
      });
    });
  });
});

/** Starts runs that wait for a signal, and waits until all of them do and nothing else is to be done. */
async function park(scene: FaultScene): Promise<void> {
  await scene.load({ perSecond: 500, runs: PARKED, shapes: ['parked'] }).settle();
  await until(async () => (await waiting(scene.databaseUrl)) === PARKED, 'all wait', 600_000, 500);
}

async function waiting(url: string): Promise<number> {
  const [row] = await query<{ n: string }>(
    url,
    `select count(*) as n from runs where status = 'waiting' and owner_id is null`,
  );
  return Number(row?.n);
}

/** What it costs to have nothing to do. */
interface IdleCost {
  /** Commands a second of one process. */
  readonly redis: number;
  readonly sql: number;
  /** Of each process, in MiB. */
  readonly memory: readonly number[];
}

function tellMemory(costs: readonly IdleCost[]): void {
  for (const [index, { memory }] of costs.entries()) {
    const each = memory.map((mib) => mib.toFixed(0)).join(', ');
    process.stderr.write(`idle: memory of the processes with ${index * PARKED} runs ${each} MiB\n`);
  }
}

/** What is seen once what was to be done after the last work is done. */
async function costOf(scene: FaultScene, databaseUrl: string): Promise<IdleCost> {
  await delay(WATCH_MS);
  const [redis, sql] = [await redisCommands(scene), await transactions(databaseUrl)];
  await delay(WATCH_MS);
  const perSecond = (count: number): number => (1_000 * count) / WATCH_MS / ROLES.length;
  return {
    redis: perSecond((await redisCommands(scene)) - redis),
    sql: perSecond((await transactions(databaseUrl)) - sql),
    memory: scene.cluster.members.map(({ process }) => residentMib(process.pid)),
  };
}

async function redisCommands({ redis: { url } }: FaultScene): Promise<number> {
  const client = new Redis(url);
  try {
    const text = await client.info('stats');
    return Number(/total_commands_processed:(\d+)/.exec(text)?.[1]);
  } finally {
    client.disconnect();
  }
}

/** Statements that stand alone are transactions, too. What asks is itself among them. */
async function transactions(url: string): Promise<number> {
  const [row] = await query<{ n: string }>(
    url,
    'select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()',
  );
  return Number(row?.n);
}
