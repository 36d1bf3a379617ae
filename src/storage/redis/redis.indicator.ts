import { Logger, type OnModuleInit } from '@nestjs/common';

import { HealthIndicator, type HealthStatus } from '../../health/health.indicator.js';
import type { HealthRegistry } from '../../health/health.registry.js';
import type { RedisConnections } from './redis-connections.js';
import { LATE, within } from './redis-reach.js';
import { redisWarnings } from './redis-warnings.js';

/**
 * Whether Redis can be reached, and what is unsafe about how it is set up. Always up: without Redis the service is
 * slower and loses nothing, so no process goes out of rotation for it.
 */
export class RedisIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'redis';
  private readonly logger = new Logger('Redis');
  private warnings: readonly string[] = [];

  constructor(
    private readonly redis: Pick<RedisConnections, 'commands'>,
    private readonly registry: HealthRegistry,
  ) {
    super();
    redis.commands.on('ready', () => void this.inspect());
    if (redis.commands.status === 'ready') void this.inspect();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override async check(): Promise<HealthStatus> {
    const isReachable = await this.isReachable();
    const { warnings } = this;
    return { status: 'up', detail: { reachable: isReachable, ...(warnings.length > 0 && { warnings }) } };
  }

  /** Frozen, it has a connection and does not answer. */
  private async isReachable(): Promise<boolean> {
    const { commands } = this.redis;
    if (commands.status !== 'ready') return false;
    try {
      return (await within(commands.ping(), ANSWER_MS)) !== LATE;
    } catch {
      return false;
    }
  }

  /** With each connection: it may be another server, or set up anew. */
  private async inspect(): Promise<void> {
    try {
      this.warnings = redisWarnings(await this.redis.commands.info('memory', 'persistence'));
    } catch {
      return; // away again, or it does not tell: what was known stays
    }
    for (const warning of this.warnings) this.logger.warn(warning);
  }
}

/** Within the second that an indicator has. */
const ANSWER_MS = 800;
