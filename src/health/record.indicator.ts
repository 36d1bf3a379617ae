import { Injectable, type OnModuleInit } from '@nestjs/common';

import { KeyStore } from '../platform/ports/key.store.js';
import { HealthIndicator, type HealthStatus } from './health.indicator.js';
import { HealthRegistry } from './health.registry.js';

/** Whether the record answers, asked by the smallest query that every store has. */
@Injectable()
export class RecordIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'record';

  constructor(
    private readonly keys: KeyStore,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override async check(): Promise<HealthStatus> {
    await this.keys.hasAny();
    return { status: 'up' };
  }
}
