/** F14: a step that kills its worker every time, beside healthy runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { RunView } from '../../src/runs/domain/view.js';
import type { Member } from '../support/cluster.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { until } from '../support/until.js';
import { report } from './fault-report.js';
import { query } from './record-queries.js';
import { tellSeed } from './seed.js';
import { ROLES, RUNS_PER_SECOND, SOCKETS } from './sizes.js';
import { withScene } from './with-scene.js';

/** The service with the agent `counting`, which does what its input says: kill its process, for one. */
const SCRIPT = 'test/crash/counting-service.mjs';

const LOOK_MS = 100;

jest.setTimeout(600_000);
beforeAll(tellSeed);

describeWithOwnRedis('a step that kills its worker', () => {
  describeWithPostgres('beside healthy runs', (databaseUrl) => {
    it('F14: ends its run as poisoned, and harms no other', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ensemble-poison-'));
      const options = {
        ...{ name: 'F14', databaseUrl, roles: ROLES, script: SCRIPT, sockets: SOCKETS, lostLeases: 10 },
        env: { CALLS_FILE: join(folder, 'calls') },
      };
      await withScene(options, async (scene) => {
        const supervision = new Supervision(scene.cluster.members);
        try {
          scene.load({ perSecond: RUNS_PER_SECOND });
          await scene.untilAccepted(20);
          const before = performance.now();
          const steps = [{ id: 'deadly', agent: 'counting', input: { kill: true } }];
          const runId = await scene.startRun({ steps });
          await until(async () => (await statusOf(databaseUrl, runId)) === 'failed', 'it ends', 300_000, 100);
          const endedMs = performance.now() - before;
          await supervision.stop();
          const { body } = await scene.api.get<RunView>(`/runs/${runId}`);
          const { violations, statuses, failures } = await scene.finish();

          expect(body).toMatchObject({ status: 'failed', failure: { code: 'run.poisoned' } });
          expect(supervision.deaths).toBeLessThanOrEqual(4); // a lease that is lost counts, too
          expect(violations).toEqual([]);
          expect(failures.filter((failure) => !failure.startsWith(runId))).toEqual([]);
          expect(statuses).toEqual({ completed: scene.accepted.length - 1, failed: 1 });
          report([{ fault: 'F14', what: 'the run is ended as poisoned', bar: 60_000, values: [endedMs] }]);
        } finally {
          await supervision.stop();
        }
      });
      rmSync(folder, { recursive: true, force: true });
    });
  });
});

async function statusOf(databaseUrl: string, runId: string): Promise<string | undefined> {
  const [row] = await query<{ status: string }>(databaseUrl, 'select status from runs where id = $1', [
    runId,
  ]);
  return row?.status;
}

/** Starts processes again whenever they have died, as supervisors do. */
class Supervision {
  deaths = 0;
  private isOver = false;
  private readonly watched: Promise<unknown>;

  constructor(members: readonly Member[]) {
    this.watched = Promise.all(members.map((member) => this.watch(member)));
  }

  /** Resolves when all processes run and nobody watches them any more. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.watched;
  }

  private async watch(member: Member): Promise<void> {
    while (!this.isOver) {
      member.process.expectDeath();
      await Promise.race([member.process.ended, delay(LOOK_MS)]);
      if (member.isAlive) continue;
      this.deaths += 1;
      await member.start();
    }
  }
}
