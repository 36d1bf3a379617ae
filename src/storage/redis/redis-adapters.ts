import type { FactoryProvider } from '@nestjs/common';

import type { StorageConfig } from '../../platform/config/app.config.js';
import { RedisConnections } from './redis-connections.js';

/** The ports that Redis serves where it is configured; the others stay in the process. */
export function redisAdapters(config: StorageConfig): readonly FactoryProvider[] {
  const { redisUrl, redisKeyPrefix, redisCaFile } = config;
  if (redisUrl === undefined) return [];
  const settings = { redisUrl, redisKeyPrefix, redisCaFile };
  return [{ provide: RedisConnections, useFactory: () => new RedisConnections(settings) }];
}
