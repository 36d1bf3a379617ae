/** F10: the disk under the record, or under Redis, is full under load, and is freed again. */
import { setTimeout as delay } from 'node:timers/promises';

import { PostgresServer } from '../support/postgres-server.js';
import {
  describeWithOwnPostgres,
  describeWithOwnRedis,
  describeWithPostgres,
  describeWithSmallDisk,
} from '../support/services.js';
import { SmallDisk } from '../support/small-disk.js';
import { until } from '../support/until.js';
import { EmbeddedScene } from './embedded-scene.js';
import { report } from './fault-report.js';
import { AWAY, FULL, RefusedStarts, untilReady, untilUnready, type Started } from './full-disk.js';
import type { FaultScene, SceneOptions } from './scene.js';
import { tellSeed } from './seed.js';
import { sizeOf, SOCKETS } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const FULL_MS = sizeOf('FAULT_FULL_MS', { full: 20_000, short: 6_000 });
const RATE = sizeOf('FAULT_RATE', { full: 5, short: 3 });
const BACK_BAR_MS = 10_000;
const ANSWER_BAR_MS = 1_000;
const PACE_MS = 250;
/** More than any of the leases that a fault may cost. */
const LOST_LEASES = 20;
const LARGE = { steps: [{ id: 'a', agent: 'echo', input: { text: '♪'.repeat(200_000) } }] };

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithSmallDisk('F10: the disk is full', () => {
  let disk: SmallDisk;

  beforeEach(() => {
    disk = SmallDisk.mount(160);
  });

  afterEach(() => {
    disk.remove();
  });

  const fill = (): void => {
    disk.fill();
  };

  describe('under SQLite', () => {
    let scene: EmbeddedScene;

    async function begin(name: string): Promise<string> {
      scene = await EmbeddedScene.start(name, `${disk.folder}/data`);
      scene.begin(RATE);
      const large = await scene.startRun(LARGE);
      await scene.untilAccepted(20);
      return large;
    }

    afterEach(() => scene.end());

    it(`for ${FULL_MS} ms: starts are refused with the reason, and all that was accepted ends`, async () => {
      const large = await begin('F10-sqlite');
      const starts = new RefusedStarts(scene.url, fill);
      await starts.begin(['store.full']);
      await untilUnready(scene.url, [FULL]);
      const refused = await starts.goOn(FULL_MS);
      const read = await scene.api.get<{ steps: object[] }>(`/runs/${large}`);
      disk.free();
      const [backMs, readyMs] = await Promise.all([scene.untilNextCall(), untilReady(scene.url)]);

      expectRefused(refused, ['store.full']);
      expect(read.status).toBe(200);
      scene.told(await starts.repeat());
      expect(await scene.finish(LOST_LEASES)).toEqual({ violations: [], statuses: ['completed'] });
      tell('SQLite', { backMs, readyMs, refused });
    });

    it('and its process is killed and started meanwhile: it says so, and goes on when there is room', async () => {
      await begin('F10-sqlite-killed');
      const starts = new RefusedStarts(scene.url, fill);
      await starts.begin(['store.full']);
      await scene.service.kill();
      disk.fill();
      const again = scene.respawn();
      const isUp = await Promise.race([
        again.listening().then(() => true),
        again.ended.then(() => false),
      ]).catch(() => false);
      if (isUp) await untilUnready(scene.url, [FULL]);
      else {
        expect(again.log).toMatch(/^Ensemble cannot start: .*disk is full.*Make room on the disk$/m);
        again.expectDeath();
      }
      disk.free();
      if (!isUp) await scene.respawn().listening();
      const [backMs, readyMs] = await Promise.all([scene.untilNextCall(), untilReady(scene.url)]);

      scene.told(await starts.repeat());
      expect(await scene.finish(LOST_LEASES)).toEqual({ violations: [], statuses: ['completed'] });
      tell('SQLite, killed meanwhile', { backMs, readyMs, refused: [] });
    });
  });

  describeWithOwnPostgres('under PostgreSQL', () => {
    describeWithOwnRedis('and not under Redis', () => {
      // Without room for tables statements fail; without room for the log the server ends all its processes.
      it.each([
        { part: 'tables', codes: ['store.full'], reasons: [FULL] },
        // Only whoever wrote last is told why the server has ended; the others find nobody there.
        { part: 'log', codes: ['store.full', 'store.unavailable'], reasons: [FULL, AWAY] },
      ])(
        `for ${FULL_MS} ms, under its $part: starts are refused with the reason, and all that was accepted ends`,
        async ({ part, codes, reasons }) => {
          const server = await PostgresServer.start({ [part]: disk.folder });
          try {
            await withScene(options(`postgres-${part}`, server.url), async (scene) => {
              scene.load({ perSecond: RATE });
              await scene.untilAccepted(20);
              const { url } = scene.cluster;
              const starts = new RefusedStarts(url, fill);
              await starts.begin(codes);
              await untilUnready(url, reasons);
              const refused = await starts.goOn(FULL_MS);
              disk.free();
              await server.resume();
              const [backMs, readyMs] = await Promise.all([scene.untilNextStart(), untilReady(url)]);

              expectRefused(refused, codes);
              scene.told(await starts.repeat());
              await expectAllKept(scene);
              tell(`PostgreSQL's ${part}`, { backMs, readyMs, refused });
            });
          } finally {
            await server.stop();
          }
        },
      );
    });
  });

  describeWithOwnRedis('under Redis', () => {
    describeWithPostgres('with the record elsewhere', (databaseUrl) => {
      it(`for ${FULL_MS} ms: starts are accepted and runs go on meanwhile, and after it`, async () => {
        const place = { redisParent: disk.folder };
        await withScene({ ...options('redis', databaseUrl), ...place }, async (scene) => {
          const load = scene.load({ perSecond: RATE });
          await scene.untilAccepted(20);
          await until(() => refusesWrites(scene, fill), 'Redis refuses writes', 60_000, PACE_MS);
          await scene.untilAccepted(10);
          const meanwhileMs = await scene.untilNextStart();
          await delay(FULL_MS);
          expect(await refusesWrites(scene, fill)).toBe(true);
          disk.free();
          const backMs = await scene.untilNextStart();
          await until(async () => !(await refusesWrites(scene)), 'Redis takes writes', 60_000, PACE_MS);

          await expectAllKept(scene);
          expect([...load.failures]).toEqual([]);
          report([
            { fault: 'F10', what: 'Redis: next step while full', bar: BACK_BAR_MS, values: [meanwhileMs] },
            { fault: 'F10', what: 'Redis: next step after it', bar: BACK_BAR_MS, values: [backMs] },
          ]);
        });
      });
    });
  });
});

function options(name: string, databaseUrl: string): SceneOptions {
  const common = { roles: ['api', 'worker'] as const, sockets: SOCKETS, lostLeases: LOST_LEASES };
  return { ...common, name: `F10-${name}`, databaseUrl };
}

function expectRefused(refused: readonly Started[], codes: readonly string[]): void {
  for (const { status, code, hasRetryAfter } of refused) {
    expect({ status, hasRetryAfter }).toEqual({ status: 503, hasRetryAfter: true });
    expect(codes).toContain(code);
  }
}

/** Whether Redis, once its disk has been filled, refuses what it would have to keep. */
async function refusesWrites(scene: FaultScene, fillDisk?: () => void): Promise<boolean> {
  fillDisk?.();
  try {
    await scene.redis.ask('SET', 'test', 'x'.repeat(10_000));
    return false;
  } catch (error) {
    return String(error).includes('MISCONF');
  }
}

function tell(
  record: string,
  { backMs, readyMs, refused }: { backMs: number; readyMs: number; refused: readonly Started[] },
): void {
  const answers = refused.map(({ afterMs }) => afterMs);
  report([
    { fault: 'F10', what: `${record}: next step after it`, bar: BACK_BAR_MS, values: [backMs] },
    { fault: 'F10', what: `${record}: ready after it`, bar: BACK_BAR_MS, values: [readyMs] },
    ...(answers.length === 0
      ? []
      : [{ fault: 'F10', what: `${record}: start refused while full`, bar: ANSWER_BAR_MS, values: answers }]),
  ]);
}
