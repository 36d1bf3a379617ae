/**
 * F9: clients of sockets and streams are cut off while they follow runs, again and again, and come back with their
 * place: at once, later, after the end of the run, while the process that answers is killed or restarted. Each sees
 * the list that the record has.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Page } from '../../src/kernel/page.js';
import { Api } from '../support/api.js';
import { Member, UNHINDERED } from '../support/cluster.js';
import { aFreePort } from '../support/free-port.js';
import { checkRecord } from '../support/invariants/check-record.js';
import type { StartEvidence } from '../support/invariants/evidence.js';
import { describeWithOwnRedis, describeWithPostgres } from '../support/services.js';
import { dropUnderLoad } from './drop-under-load.js';
import { Load } from './load.js';
import { standsInFolder, standsInPostgres } from './run-stands.js';
import { tellSeed } from './seed.js';
import { sizeOf } from './sizes.js';
import { expectAllKept, withScene } from './with-scene.js';

const DROPS = sizeOf('FAULT_DROPS', { full: 500, short: 30 });
/** The embedded default has one process for everything: fewer. */
const EMBEDDED_DROPS = Math.ceil(DROPS / 5);
const RUNS_PER_SECOND = 2;

jest.setTimeout(1_800_000);
beforeAll(tellSeed);

describeWithOwnRedis('clients that are cut off', () => {
  describeWithPostgres('from one of several processes', (databaseUrl) => {
    it(`F9: ${DROPS} times: each sees the list that the record has`, async () => {
      await withScene({ name: 'F9', databaseUrl, roles: ['api', 'worker'] }, async (scene) => {
        const stands = standsInPostgres(databaseUrl);
        try {
          const load = scene.load({
            perSecond: RUNS_PER_SECOND,
            shapes: ['long', 'map', 'long', 'retries', 'long', 'fanOut'],
          });
          const { front } = scene.cluster;
          const name = 'PostgreSQL and Redis';
          scene.captures.push(...(await dropUnderLoad({ name, front, load, stands, drops: DROPS })));
        } finally {
          await stands.close();
        }
        await expectAllKept(scene);
      });
    });
  });
});

describe('clients that are cut off from the embedded default', () => {
  let folder: string;
  let front: Member;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ensemble-dropping-'));
    const env = { ...UNHINDERED, PORT: String(await aFreePort()), DATA_DIR: folder };
    front = new Member('embedded', { env });
    await front.start();
  });

  afterEach(async () => {
    await front.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`F9: ${EMBEDDED_DROPS} times: each sees the list that the record has`, async () => {
    const { url } = front.process;
    const api = new Api(url);
    const examples = (await api.get<Page<unknown>>('/runs?limit=100')).body.items.length;
    const load = new Load(() => url, { perSecond: RUNS_PER_SECOND, shapes: ['long'] }).start();
    const stands = standsInFolder(folder);
    const name = 'the embedded default';
    const captures = await dropUnderLoad({ name, front, load, stands, drops: EMBEDDED_DROPS });
    await allEnded(api, load.accepted);
    const { code } = await front.stop();

    expect([code, load.refused]).toEqual([0, []]);
    const known = { accepted: load.accepted, captures, troubles: front.troubles(), isOver: true };
    expect(await checkRecord({ folder }, known)).toMatchObject({
      violations: [],
      runs: examples + load.accepted.length,
    });
  });
});

async function allEnded(api: Api, runs: readonly StartEvidence[]): Promise<void> {
  for (const { runId } of runs) expect(await api.ended(runId)).toMatchObject({ status: 'completed' });
}
