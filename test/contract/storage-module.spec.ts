import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Global, Module, type INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';

import { Clock } from '../../src/platform/clock/clock.js';
import { HotStore } from '../../src/platform/ports/hot.store.js';
import { KeyStore } from '../../src/platform/ports/key.store.js';
import { RunFeed } from '../../src/runs/run.feed.js';
import { RunQueue } from '../../src/runs/run.queue.js';
import { RunStore } from '../../src/runs/run.store.js';
import { StorageModule } from '../../src/storage/storage.module.js';
import { aRun } from '../support/a-run.js';
import { ManualClock } from '../support/manual-clock.js';

@Global()
@Module({ providers: [{ provide: Clock, useFactory: () => new ManualClock() }], exports: [Clock] })
class TimeModule {}

/** What an application with this storage can inject. */
async function start(dataDir: string): Promise<INestApplicationContext> {
  const config = {
    dataDir,
    databaseUrl: undefined,
    redisUrl: undefined,
    maxConnections: 10,
    redisKeyPrefix: 'test',
    redisCaFile: undefined,
  };
  const testing = await Test.createTestingModule({
    imports: [TimeModule, StorageModule.forRoot(config)],
  }).compile();
  return testing.init();
}

describe('StorageModule', () => {
  it('gives every port, and lets go of the record when the application closes', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ensemble-module-'));
    const first = await start(dataDir);
    const run = aRun();
    expect(await first.get(RunStore).create({ run })).toEqual({ outcome: 'created' });
    for (const port of [KeyStore, HotStore, RunFeed, RunQueue]) expect(first.get(port)).toBeInstanceOf(port);
    await expect(start(dataDir)).rejects.toMatchObject({ failure: { code: 'store.locked' } });

    await first.close();

    const second = await start(dataDir);
    expect(await second.get(RunStore).create({ run })).toEqual({ outcome: 'exists' });
    await second.close();
    await rm(dataDir, { recursive: true, force: true });
  });
});
