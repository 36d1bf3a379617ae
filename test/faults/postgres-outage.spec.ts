/** F4: PostgreSQL is away, for long and again and again, as a server that is gone and as a network without an answer. */
import { setTimeout as delay } from 'node:timers/promises';

import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { report } from './fault-report.js';
import type { FaultScene, SceneOptions } from './scene.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS, onlyInFull } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const AWAY_MS = sizeOf('FAULT_AWAY_MS', { full: 60_000, short: 8_000 });
const BLIPS = sizeOf('FAULT_BLIPS', { full: 12, short: 2 });
const BACK_BAR_MS = 10_000;

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithOwnRedis('F4: the way to PostgreSQL', () => {
  describeWithPostgres('is cut', (databaseUrl) => {
    it(`for ${AWAY_MS} ms: starts are refused at once, and nothing accepted is lost`, async () => {
      await withScene(options('cut', databaseUrl), async (scene) => {
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(20);
        await scene.cluster.sql('cut');
        const refusal = await refusalOf(scene);
        await delay(AWAY_MS);
        await scene.cluster.sql('mend');
        const backMs = await scene.untilNextStart();

        expect(refusal).toEqual({ status: 503, hasRetryAfter: true });
        await expectAllKept(scene);
        tell('next step after PostgreSQL is back', [backMs]);
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('is silent', (databaseUrl) => {
      it(`for ${AWAY_MS} ms, then all that was held arrives: nothing is lost or done twice`, async () => {
        await withScene(options('silent', databaseUrl), async (scene) => {
          scene.load({ perSecond: RUNS_PER_SECOND });
          await scene.untilAccepted(20);
          await scene.cluster.sql('hold');
          await delay(AWAY_MS);
          await scene.cluster.sql('mend');
          const backMs = await scene.untilNextStart();

          await expectAllKept(scene);
          tell('next step after the network is back', [backMs]);
        });
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('has blips', (databaseUrl) => {
      it(`${BLIPS} times for up to 2 s: runs go on`, async () => {
        await withScene(options('blips', databaseUrl), async (scene) => {
          const random = seededRandom(4);
          const backMs: number[] = [];
          scene.load({ perSecond: RUNS_PER_SECOND });
          await scene.untilAccepted(10);
          for (let blip = 0; blip < BLIPS; blip += 1) {
            await scene.cluster.sql('cut');
            await delay(random.below(2_000));
            await scene.cluster.sql('mend');
            backMs.push(await scene.untilNextStart());
            await delay(5_000 + random.below(5_000));
          }

          await expectAllKept(scene);
          tell('next step after a blip', backMs);
        });
      });
    });
  });
});

function options(name: string, databaseUrl: string): SceneOptions {
  const common = { roles: ROLES, isProxied: true, sockets: SOCKETS };
  return { ...common, name: `F4-${name}`, databaseUrl, lostLeases: 20 };
}

function tell(what: string, values: readonly number[]): void {
  report([{ fault: 'F4', what, bar: BACK_BAR_MS, values }]);
}

/** What a start is answered with while PostgreSQL is away. */
async function refusalOf(scene: FaultScene): Promise<{ status: number; hasRetryAfter: boolean }> {
  const definition = { steps: [{ id: 'a', agent: 'echo' }] };
  const { status, headers } = await scene.api.post('/runs', { definition });
  return { status, hasRetryAfter: headers.has('retry-after') };
}
