import { Injectable } from '@nestjs/common';

import type { HealthIndicator } from './health.indicator.js';

/** The indicators of all features. */
@Injectable()
export class HealthRegistry {
  private readonly indicators = new Map<string, HealthIndicator>();

  /** @throws when an indicator of the same name is registered */
  register(indicator: HealthIndicator): void {
    if (this.indicators.has(indicator.name)) {
      throw new Error(`Two health indicators are named "${indicator.name}"`);
    }
    this.indicators.set(indicator.name, indicator);
  }

  list(): readonly HealthIndicator[] {
    return [...this.indicators.values()];
  }
}
