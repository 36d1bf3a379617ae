/** F1, F6, F13: workers that are killed, cut off, frozen and restarted while they work. */
import { setTimeout as delay } from 'node:timers/promises';

import type { Member } from '../support/cluster.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { resumedAfter } from './record-queries.js';
import type { FaultScene, SceneOptions } from './scene.js';
import { seededRandom, tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, sizeOf, SOCKETS, onlyInFull } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const KILLS = sizeOf('FAULT_WORKER_KILLS', { full: 60, short: 3 });
const ROUNDS = sizeOf('FAULT_RESTART_ROUNDS', { full: 10, short: 1 });
const LONGEST_MS = sizeOf('FAULT_CUT_MS', { full: 30_000, short: 7_000 });
/** One shorter than a lease, one longer, one much longer. */
const CUTS_MS = [3_000, 9_000, 30_000].filter((ms) => ms < LONGEST_MS).concat(LONGEST_MS);
/** By then what was interrupted has been taken up, so that each resumption belongs to one kill. */
const BETWEEN_KILLS_MS = 8_000;
const LEASE_MS = 5_000;

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithOwnRedis('workers', () => {
  describeWithPostgres('killed', (databaseUrl) => {
    it(`F1: ${KILLS} times in the middle of steps: others go on with their runs`, async () => {
      await withScene(options('F1', databaseUrl), async (scene) => {
        const random = seededRandom(1);
        const killedAt: number[] = [];
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(10);
        for (let kill = 0; kill < KILLS; kill += 1) {
          const worker = random.pick(scene.cluster.workers);
          await until(() => scene.target.openCalls > 0, 'a step is under way', 60_000, 5);
          killedAt.push(Date.now());
          await worker.kill();
          await worker.start();
          await delay(BETWEEN_KILLS_MS);
        }

        await expectAllKept(scene);
        const values = await resumedAfter(databaseUrl, killedAt);
        report([{ fault: 'F1', what: 'kill of a worker to the next step of its runs', bar: 10_000, values }]);
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('cut off from SQL', (databaseUrl) => {
      it(`F6: for ${CUTS_MS.join(', ')} ms: others go on, and what comes late is refused`, async () => {
        await withScene(options('F6-sql', databaseUrl), async (scene) => {
          await underLoad(scene, async ({ sql }, ms) => {
            await sql?.cut();
            await delay(ms);
            await sql?.mend();
          });
        });
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('cut off from Redis', (databaseUrl) => {
      it(`F6: for ${CUTS_MS.join(', ')} ms: they go on through SQL`, async () => {
        await withScene(options('F6-redis', databaseUrl), async (scene) => {
          await underLoad(scene, async ({ redis }, ms) => {
            await redis?.cut();
            await delay(ms);
            await redis?.mend();
          });
        });
      });
    });
  });

  describeWithPostgres('stopped', (databaseUrl) => {
    it(`F6: for ${CUTS_MS.join(', ')} ms (SIGSTOP): they fence themselves when they wake`, async () => {
      await withScene(options('F6-stop', databaseUrl), async (scene) => {
        await underLoad(scene, async ({ process }, ms) => {
          process.freeze();
          await delay(ms);
          process.thaw();
        });
      });
    });
  });

  onlyInFull(() => {
    describeWithPostgres('whose lease runs out', (databaseUrl) => {
      it('F6: end the calls that they have made, and make them again once they may', async () => {
        const alone = { ...options('F6-lease', databaseUrl), roles: ROLES.slice(0, 2), sockets: 0 };
        await withScene(alone, async (scene) => {
          const input = { delayMs: 25_000 };
          const id = await scene.startRun({ steps: [{ id: 'long', agent: 'target', input }] });
          await until(() => scene.target.openCalls === 1, 'the call is made', 60_000, 5);
          const cutAt = performance.now();
          await scene.cluster.workers.at(-1)?.sql?.cut();
          await until(() => scene.target.openCalls === 0, 'the call is ended', 60_000, 5);
          const endedMs = performance.now() - cutAt;
          await scene.cluster.workers.at(-1)?.sql?.mend();
          await scene.api.ended(id);

          await expectAllKept(scene);
          const what = 'a call ends after its worker is cut off from SQL';
          report([{ fault: 'F6', what, bar: LEASE_MS + 1_000, values: [endedMs] }]);
        });
      });
    });
  });

  describeWithPostgres('restarted in turn', (databaseUrl) => {
    it(`F13: ${ROUNDS} rounds under load: no run fails, every process ends in order`, async () => {
      await withScene({ ...options('F13', databaseUrl), lostLeases: 0 }, async (scene) => {
        const exitMs: number[] = [];
        const codes: (number | null)[] = [];
        scene.load({ perSecond: RUNS_PER_SECOND });
        await scene.untilAccepted(10);
        for (let round = 0; round < ROUNDS; round += 1) {
          for (const member of scene.cluster.members.toReversed()) {
            const before = performance.now();
            codes.push((await member.stop()).code);
            exitMs.push(performance.now() - before);
            await member.start();
            await scene.untilAccepted(5);
          }
        }

        expect(codes.filter((code) => code !== 0)).toEqual([]);
        await expectAllKept(scene);
        report([{ fault: 'F13', what: 'exit after SIGTERM', bar: 30_000, values: exitMs }]);
      });
    });
  });
});

/** One worker after the other suffers, for each of the times, while others and the load go on. */
async function underLoad(
  scene: FaultScene,
  suffer: (worker: Member, ms: number) => Promise<void>,
): Promise<void> {
  scene.load({ perSecond: RUNS_PER_SECOND });
  await scene.untilAccepted(10);
  for (const [index, ms] of CUTS_MS.entries()) {
    const worker = scene.cluster.workers[index % scene.cluster.workers.length];
    if (worker === undefined) throw new Error('there is no worker');
    await suffer(worker, ms);
    await scene.untilNextStart();
    await scene.untilAccepted(10);
  }
  await expectAllKept(scene);
}

function options(name: string, databaseUrl: string): SceneOptions {
  const common = { roles: ROLES, isProxied: true, sockets: SOCKETS };
  return { ...common, name, databaseUrl, lostLeases: 20 };
}
