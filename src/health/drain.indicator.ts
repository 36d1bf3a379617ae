import { Injectable, type OnModuleInit } from '@nestjs/common';

import { DrainService } from '../platform/lifecycle/drain.service.js';
import { HealthIndicator, type HealthStatus } from './health.indicator.js';
import { HealthRegistry } from './health.registry.js';

/** Down from the signal to stop on, so that nobody sends new work here. */
@Injectable()
export class DrainIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'lifecycle';

  constructor(
    private readonly drain: DrainService,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override check(): Promise<HealthStatus> {
    return Promise.resolve(
      this.drain.isDraining ? { status: 'down', detail: { reason: 'draining' } } : { status: 'up' },
    );
  }
}
