/** F3: Redis is killed, away, frozen and emptied under load: runs go on through SQL, and nothing is lost. */
import { setTimeout as delay } from 'node:timers/promises';

import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { report } from './fault-report.js';
import type { SceneOptions } from './scene.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS, onlyInFull } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const KILLS = sizeOf('FAULT_REDIS_KILLS', { full: 20, short: 3 });
const AWAY_MS = sizeOf('FAULT_REDIS_AWAY_MS', { full: 30_000, short: 6_000 });
const BACK_BAR_MS = 10_000;

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithOwnRedis('F3: Redis', () => {
  onlyInFull(() => {
    describeWithPostgres('killed', (databaseUrl) => {
      it(`${KILLS} times and started again at once`, async () => {
        await withScene(options('kills', databaseUrl), async (scene) => {
          const random = seededRandom(3);
          const backMs: number[] = [];
          scene.load({ perSecond: RUNS_PER_SECOND });
          await scene.untilAccepted(10);
          for (let kill = 0; kill < KILLS; kill += 1) {
            await scene.redis.restart();
            backMs.push(await scene.untilNextStart());
            await delay(500 + random.below(2_000));
          }

          await expectAllKept(scene);
          tell('next step after Redis was killed and started', backMs);
        });
      });
    });
  });

  describeWithPostgres('away', (databaseUrl) => {
    it(`for ${AWAY_MS} ms: starts are accepted and runs go on meanwhile, and after it`, async () => {
      await withScene(options('away', databaseUrl), async (scene) => {
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(10);
        await scene.redis.kill();
        await scene.untilAccepted(5);
        const meanwhileMs = await scene.untilNextStart();
        await delay(AWAY_MS);
        await scene.redis.restart();
        const backMs = await scene.untilNextStart();

        await expectAllKept(scene);
        tell('next step while Redis is away', [meanwhileMs]);
        tell('next step after Redis is back', [backMs]);
      });
    });
  });

  describeWithPostgres('frozen', (databaseUrl) => {
    it(`for ${AWAY_MS} ms: starts are accepted and runs go on meanwhile, and after it`, async () => {
      await withScene(options('frozen', databaseUrl), async (scene) => {
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(10);
        scene.redis.freeze();
        await scene.untilAccepted(5);
        const meanwhileMs = await scene.untilNextStart();
        await delay(AWAY_MS);
        scene.redis.thaw();
        const backMs = await scene.untilNextStart();

        await expectAllKept(scene);
        tell('next step while Redis is frozen', [meanwhileMs]);
        tell('next step after Redis goes on', [backMs]);
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('emptied', (databaseUrl) => {
      it('under load: all that it had is made again', async () => {
        await withScene(options('emptied', databaseUrl), async (scene) => {
          const backMs: number[] = [];
          scene.load({ perSecond: RUNS_PER_SECOND });
          await scene.untilAccepted(10);
          for (let flush = 0; flush < KILLS; flush += 1) {
            await scene.redis.flush();
            backMs.push(await scene.untilNextStart());
            await scene.untilAccepted(3);
          }

          await expectAllKept(scene);
          tell('next step after FLUSHALL', backMs);
        });
      });
    });
  });
});

function options(name: string, databaseUrl: string): SceneOptions {
  return { name: `F3-${name}`, databaseUrl, roles: ROLES, sockets: SOCKETS };
}

function tell(what: string, values: readonly number[]): void {
  report([{ fault: 'F3', what, bar: BACK_BAR_MS, values }]);
}
