/** F2: the process that answers is killed while it answers: a start under a key is one run, however often it is sent. */
import { setTimeout as delay } from 'node:timers/promises';

import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { report } from './fault-report.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, sizeOf, SOCKETS } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const KILLS = sizeOf('FAULT_API_KILLS', { full: 50, short: 3 });
const RUNS = sizeOf('FAULT_API_RUNS', { full: 2_000, short: 150 });
const PER_SECOND = 20;

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithOwnRedis('the process that answers', () => {
  describeWithPostgres('killed', (databaseUrl) => {
    it(`F2: ${KILLS} times over ${RUNS} keyed starts: exactly ${RUNS} runs`, async () => {
      await withScene({ name: 'F2', databaseUrl, roles: ROLES, sockets: SOCKETS }, async (scene) => {
        const random = seededRandom(2);
        const readyMs: number[] = [];
        const load = scene.load({ perSecond: PER_SECOND, runs: RUNS, shapes: ['single'] });
        const settled = load.settle();
        for (let kill = 0; kill < KILLS; kill += 1) {
          await scene.untilAccepted(
            random.below(Math.max(1, Math.floor((RUNS - load.accepted.length) / KILLS / 2))),
          );
          await delay(random.below(50));
          await scene.cluster.front.kill();
          const before = performance.now();
          await scene.cluster.front.start();
          await scene.cluster.front.process.ready();
          readyMs.push(performance.now() - before);
        }
        await settled;
        const { runs } = await expectAllKept(scene);

        expect(runs).toBe(RUNS);
        expect(new Set(load.accepted.map(({ runId }) => runId)).size).toBe(RUNS);
        report([{ fault: 'F2', what: 'ready after kill -9 of the API', bar: 5_000, values: readyMs }]);
      });
    });
  });
});
