/** Everything at once: workers killed and stopped, Redis killed, away and emptied, blips of PostgreSQL, dropping sockets. */
import { setTimeout as delay } from 'node:timers/promises';

import type { SeededRandom } from '../simulation/seeded-random.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { report } from './fault-report.js';
import type { FaultScene } from './scene.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const RUNS = sizeOf('FAULT_RUNS', { full: 5_000, short: 200 });
const BAR_MS = 900_000;

type Fault = (scene: FaultScene, random: SeededRandom) => Promise<void>;

const FAULTS: Readonly<Record<string, Fault>> = {
  workerKilled: async ({ cluster }, random) => {
    const worker = random.pick(cluster.workers);
    await worker.kill();
    await delay(random.below(2_000));
    await worker.start();
  },
  workerStopped: async ({ cluster }, random) => {
    const { process } = random.pick(cluster.workers);
    process.freeze();
    await delay(1_000 + random.below(7_000));
    process.thaw();
  },
  redisKilled: ({ redis }) => redis.restart(),
  redisAway: async ({ redis }, random) => {
    await redis.kill();
    await delay(3_000 + random.below(9_000));
    await redis.restart();
  },
  redisEmptied: ({ redis }) => redis.flush(),
  postgresBlip: async ({ cluster }, random) => {
    await cluster.sql('cut');
    await delay(random.below(2_000));
    await cluster.sql('mend');
  },
};

jest.setTimeout(2_400_000);
beforeAll(tellSeed);

describeWithOwnRedis('faults of all kinds', () => {
  describeWithPostgres('at random', (databaseUrl) => {
    it(`${RUNS} runs end, and no invariant is violated`, async () => {
      const options = { name: 'combined', databaseUrl, roles: ROLES, isProxied: true, sockets: SOCKETS };
      await withScene({ ...options, lostLeases: 100 }, async (scene) => {
        const random = seededRandom(5);
        const counts = new Map<string, number>();
        const before = performance.now();
        const load = scene.load({ perSecond: RUNS_PER_SECOND, runs: RUNS });
        while (load.isUnderWay) {
          const [name, fault] = random.pick(Object.entries(FAULTS));
          counts.set(name, (counts.get(name) ?? 0) + 1);
          await fault(scene, random);
          await delay(2_000 + random.below(5_000));
        }
        await load.settle();
        const end = await expectAllKept(scene);
        const tookMs = performance.now() - before;

        expect(end.runs).toBe(RUNS);
        process.stderr.write(`${JSON.stringify(Object.fromEntries(counts))}, ${end.events} events\n`);
        report([{ fault: 'all', what: `${RUNS} runs under faults`, bar: BAR_MS, values: [tookMs] }]);
      });
    });
  });
});
