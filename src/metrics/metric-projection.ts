import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { MetricConfig } from '../platform/config/app.config.js';
import type { LogFollower } from '../runs/log-follower.js';
import { LogFollowers } from '../runs/log-followers.js';
import { RunStore } from '../runs/run.store.js';
import { MetricCounter } from './metric-counter.js';
import { MetricStore } from './metric.store.js';
import { ServiceMeters } from './service-meters.js';

/** Counts the log while the service runs, behind the engine and unknown to it. */
@Injectable()
export class MetricProjection implements OnApplicationBootstrap, OnModuleDestroy {
  /** Absent where nothing is counted. */
  private readonly follower: LogFollower | undefined;

  constructor(
    metrics: MetricStore,
    runs: RunStore,
    meters: ServiceMeters,
    clock: Clock,
    config: MetricConfig,
    followers: LogFollowers,
  ) {
    if (!config.isEnabled) return;
    const counter = new MetricCounter({ metrics, runs, clock, config }, (minutes) => {
      meters.count(minutes);
    });
    this.follower = followers.create(counter);
  }

  onApplicationBootstrap(): void {
    this.follower?.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.follower?.stop();
  }
}
