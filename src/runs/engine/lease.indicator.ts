import { Injectable, type OnModuleInit } from '@nestjs/common';

import { HealthIndicator, type HealthStatus } from '../../health/health.indicator.js';
import { HealthRegistry } from '../../health/health.registry.js';
import { OwnerService } from './owner.service.js';

/**
 * Whether this process holds a lease. It has lost it when it was blocked or stopped for too long, or when the record
 * does not take renewals; until it has another it executes nothing and takes no command.
 */
@Injectable()
export class LeaseIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'lease';

  constructor(
    private readonly owner: OwnerService,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  /** By the process's own clock: right also before it has noticed that its lease ran out. */
  override check(): Promise<HealthStatus> {
    const { owner } = this;
    if (owner.believes()) return Promise.resolve({ status: 'up', detail: { owner: owner.id } });
    return Promise.resolve({ status: 'down', detail: { reason: 'no lease' } });
  }
}
