import type { FactoryProvider } from '@nestjs/common';

import { TaskFeed } from '../../agents/task.feed.js';
import { HealthRegistry } from '../../health/health.registry.js';
import { Clock } from '../../platform/clock/clock.js';
import type { StorageConfig } from '../../platform/config/app.config.js';
import { Bell } from '../../platform/ports/bell.js';
import { HotStore } from '../../platform/ports/hot.store.js';
import { RateStore } from '../../platform/ports/rate.store.js';
import { RunCatalogue } from '../../runs/run.catalogue.js';
import { RunFeed } from '../../runs/run.feed.js';
import { RunLog } from '../../runs/run.log.js';
import { RunQueue } from '../../runs/run.queue.js';
import { RunStore } from '../../runs/run.store.js';
import { NoteBus } from './note-bus.js';
import { RedisBell } from './redis-bell.js';
import { RedisConnections } from './redis-connections.js';
import { RedisHotStore } from './redis-hot.store.js';
import { RedisIndicator } from './redis.indicator.js';
import { RedisRateStore } from './redis-rate.store.js';
import { RedisReach } from './redis-reach.js';
import { RedisRunFeed } from './redis-run.feed.js';
import { RedisRunQueue } from './redis-run.queue.js';
import { RedisTaskFeed } from './redis-task.feed.js';

/** The ports that Redis serves where it is configured; the others stay in the process. */
export function redisAdapters(config: StorageConfig): readonly FactoryProvider[] {
  const { redisUrl, redisKeyPrefix, redisCaFile } = config;
  if (redisUrl === undefined) return [];
  const settings = { redisUrl, redisKeyPrefix, redisCaFile };
  return [
    { provide: RedisConnections, useFactory: () => new RedisConnections(settings) },
    ...MEANS,
    ...ADAPTERS,
  ];
}

/** What adapters share. */
const MEANS: readonly FactoryProvider[] = [
  {
    provide: RedisReach,
    useFactory: ({ commands }: RedisConnections) => new RedisReach(commands),
    inject: [RedisConnections],
  },
  {
    provide: NoteBus,
    useFactory: (redis: RedisConnections, clock: Clock) => new NoteBus(redis, clock),
    inject: [RedisConnections, Clock],
  },
  {
    provide: RedisIndicator,
    useFactory: (redis: RedisConnections, registry: HealthRegistry) => new RedisIndicator(redis, registry),
    inject: [RedisConnections, HealthRegistry],
  },
];

const ADAPTERS: readonly FactoryProvider[] = [
  {
    provide: RunQueue,
    useFactory: (redis: RedisConnections) => new RedisRunQueue(redis),
    inject: [RedisConnections],
  },
  {
    provide: RunFeed,
    useFactory: (bus: NoteBus, runs: RunStore, catalogue: RunCatalogue, log: RunLog) =>
      new RedisRunFeed({ runs, catalogue, log }, bus),
    inject: [NoteBus, RunStore, RunCatalogue, RunLog],
  },
  { provide: TaskFeed, useFactory: (bus: NoteBus) => new RedisTaskFeed(bus), inject: [NoteBus] },
  {
    provide: Bell,
    useFactory: (redis: RedisConnections) => new RedisBell(redis),
    inject: [RedisConnections],
  },
  {
    provide: HotStore,
    useFactory: (redis: RedisConnections, reach: RedisReach, clock: Clock) =>
      new RedisHotStore(redis, reach, clock),
    inject: [RedisConnections, RedisReach, Clock],
  },
  {
    provide: RateStore,
    useFactory: (redis: RedisConnections, reach: RedisReach, clock: Clock) =>
      new RedisRateStore(redis, reach, clock),
    inject: [RedisConnections, RedisReach, Clock],
  },
];
