import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { HealthIndicator, type HealthStatus } from './health.indicator.js';
import { HealthRegistry } from './health.registry.js';

/** How far the machine's clock may be off from the record's. */
const MAX_OFF_MS = 1_000;

/**
 * Whether the clock of this machine and that of the record agree. Timers and leases follow the record's either way;
 * certificates and whoever reads logs do not.
 */
@Injectable()
export class ClockIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'clock';
  private readonly logger = new Logger('Clock');
  private isTold = false;

  constructor(
    private readonly clock: Clock,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override check(): Promise<HealthStatus> {
    const offMs = Math.round(this.clock.wallOffMs());
    const isOff = Math.abs(offMs) > MAX_OFF_MS;
    if (isOff && !this.isTold)
      this.logger.warn({ msg: "The clock of this machine is off from the record's: not ready", offMs });
    this.isTold = isOff;
    if (!isOff) return Promise.resolve({ status: 'up', detail: { offMs } });
    return Promise.resolve({ status: 'down', detail: { offMs, reason: "off from the record's clock" } });
  }
}
