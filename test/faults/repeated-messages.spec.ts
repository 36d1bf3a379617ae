/** F7: messages between processes that arrive two or three times, late and out of order. */
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { Echo } from './echo.js';
import type { FaultScene } from './scene.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const RUNS = sizeOf('FAULT_ECHOED_RUNS', { full: 1_000, short: 60 });
const PACE_MS = 20;

jest.setTimeout(1_200_000);
beforeAll(tellSeed);

describeWithOwnRedis('messages', () => {
  describeWithPostgres('repeated', (databaseUrl) => {
    it(`F7: ${RUNS} runs of which every hint and note comes again, late and out of order, are as ever`, async () => {
      await withScene({ name: 'F7', databaseUrl, roles: ROLES, sockets: SOCKETS }, async (scene) => {
        const echo = await Echo.start(scene.redis.url, seededRandom(7));
        try {
          await echoed(scene, echo);
          const end = await expectAllKept(scene);

          expect(end.runs).toBe(RUNS);
          expect(echo.hints).toBeGreaterThanOrEqual(2 * RUNS);
          expect(echo.notes).toBeGreaterThan(0);
          process.stderr.write(`F7: ${echo.hints} hints and ${echo.notes} notes came again\n`);
        } finally {
          await echo.stop();
        }
      });
    });
  });
});

/** Starts the runs, and resolves when all hints at them are sent. */
async function echoed(scene: FaultScene, echo: Echo): Promise<void> {
  const load = scene.load({ perSecond: RUNS_PER_SECOND, runs: RUNS });
  let hinted = 0;
  const hintAtNew = (): boolean => {
    const fresh = scene.accepted.slice(hinted);
    for (const { runId } of fresh) echo.hintAt(runId);
    hinted += fresh.length;
    return hinted >= RUNS && echo.hints >= 2 * RUNS;
  };
  await until(hintAtNew, 'all hints are sent', 900_000, PACE_MS);
  await load.settle();
}
