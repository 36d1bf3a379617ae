import { Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';

import { HealthRegistry } from '../health/health.registry.js';
import { ServerConfig, StorageConfig } from '../platform/config/app.config.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { productVersion } from '../platform/lifecycle/product-version.js';

/** What Prometheus is told of the part that this process has in the service. */
@Injectable()
export class ProcessMeters {
  private readonly registry = new Registry();

  constructor(server: ServerConfig, storage: StorageConfig, roster: DutyRoster, health: HealthRegistry) {
    this.gaugeRole(server.role);
    this.gaugeDuties(roster);
    if (storage.redisUrl !== undefined) this.gaugeRedis(health);
  }

  /** In the text format of Prometheus. */
  read(): Promise<string> {
    return this.registry.metrics();
  }

  private gaugeRole(role: string): void {
    const gauge = this.gauge('ensemble_process_info', 'What this process is; always 1', ['role', 'version']);
    gauge.set({ role, version: productVersion() }, 1);
  }

  private gaugeDuties(roster: DutyRoster): void {
    this.gauge(
      'ensemble_duty_held',
      'Whether this process does a duty for all: 1 or 0',
      ['duty'],
      (gauge) => {
        for (const { name, isHeld } of roster.list()) gauge.set({ duty: name }, isHeld ? 1 : 0);
      },
    );
  }

  private gaugeRedis(health: HealthRegistry): void {
    this.gauge('ensemble_redis_up', 'Whether Redis answers this process: 1 or 0', [], async (gauge) => {
      const redis = health.list().find(({ name }) => name === 'redis');
      const status = await redis?.check();
      gauge.set(status?.detail?.['reachable'] === true ? 1 : 0);
    });
  }

  private gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    collect?: (gauge: Gauge<L>) => void | Promise<void>,
  ): Gauge<L> {
    return new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      ...(collect !== undefined && {
        collect() {
          return collect(this);
        },
      }),
    });
  }
}
