import { Global, Logger, Module, type DynamicModule, type FactoryProvider } from '@nestjs/common';

import { TaskFeed } from '../agents/task.feed.js';
import { Clock } from '../platform/clock/clock.js';
import type { StorageConfig } from '../platform/config/app.config.js';
import { Bell } from '../platform/ports/bell.js';
import { HotStore } from '../platform/ports/hot.store.js';
import { RateStore } from '../platform/ports/rate.store.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunQueue } from '../runs/run.queue.js';
import { RunStore } from '../runs/run.store.js';
import { InProcessBell } from './memory/in-process-bell.js';
import { InProcessHotStore } from './memory/in-process-hot.store.js';
import { InProcessRateStore } from './memory/in-process-rate.store.js';
import { InProcessRunFeed } from './memory/in-process-run.feed.js';
import { InProcessRunQueue } from './memory/in-process-run.queue.js';
import { InProcessTaskFeed } from './memory/in-process-task.feed.js';
import { openDatabase } from './sql/open-database.js';
import { SQL_ADAPTERS } from './sql/sql-adapters.js';
import { SqlDatabase } from './sql/sql-database.js';

/** What makes the record fast and loses nothing when it is lost, within one process. */
const IN_PROCESS: readonly FactoryProvider[] = [
  { provide: RunQueue, useFactory: () => new InProcessRunQueue() },
  { provide: RunFeed, useFactory: (runs: RunStore) => new InProcessRunFeed(runs), inject: [RunStore] },
  { provide: TaskFeed, useFactory: () => new InProcessTaskFeed() },
  { provide: Bell, useFactory: () => new InProcessBell() },
  { provide: HotStore, useFactory: (clock: Clock) => new InProcessHotStore(clock), inject: [Clock] },
  { provide: RateStore, useFactory: (clock: Clock) => new InProcessRateStore(clock), inject: [Clock] },
];

/**
 * Who opens the record: the service, of which one process is active at a time unless they meet in Redis, or a command
 * that does its work beside it, where the engine lets it in.
 */
export type RecordUser = 'service' | 'command';

/** Every port of storage, on the engines that the configuration names. Needs `Clock` from a global module. */
@Global()
@Module({})
export class StorageModule {
  static async forRoot(config: StorageConfig, user: RecordUser = 'service'): Promise<DynamicModule> {
    const redis = user === 'service' ? await redisAdaptersOf(config) : [];
    const inProcess = IN_PROCESS.filter(
      ({ provide }) => !redis.some((adapter) => adapter.provide === provide),
    );
    const providers = [
      databaseProvider(config, user),
      ...SQL_ADAPTERS.map(sqlProvider),
      ...inProcess,
      ...redis,
    ];
    return { module: StorageModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Their modules, a tenth of all modules, are loaded only where there is a Redis. */
async function redisAdaptersOf(config: StorageConfig): Promise<readonly FactoryProvider[]> {
  if (config.redisUrl === undefined) return [];
  const { redisAdapters } = await import('./redis/redis-adapters.js');
  return redisAdapters(config);
}

function databaseProvider(config: StorageConfig, user: RecordUser): FactoryProvider<SqlDatabase> {
  // Processes that meet in Redis are active beside each other; others could only find out by asking again and again.
  const isAlone = user === 'service' && config.redisUrl === undefined;
  const open = isAlone ? openAlone : openDatabase;
  return { provide: SqlDatabase, useFactory: (clock: Clock) => open(config, clock), inject: [Clock] };
}

function sqlProvider([port, adapter]: (typeof SQL_ADAPTERS)[number]): FactoryProvider {
  return {
    provide: port,
    useFactory: (database: SqlDatabase) => new adapter(database),
    inject: [SqlDatabase],
  };
}

/** One process is active at a time: another one waits here until it is its turn. */
async function openAlone(config: StorageConfig, clock: Clock): Promise<SqlDatabase> {
  const database = await openDatabase(config, clock);
  const logger = new Logger(StorageModule.name);
  try {
    await database.acquireStandbyLock(() => {
      logger.log('Another process is active on this database: waiting as standby');
    });
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
