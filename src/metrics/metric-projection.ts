import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { MetricConfig } from '../platform/config/app.config.js';
import { LogFollower } from '../runs/log-follower.js';
import { RunFeed } from '../runs/run.feed.js';
import { RunLog } from '../runs/run.log.js';
import { RunStore } from '../runs/run.store.js';
import { MetricCounter } from './metric-counter.js';
import { MetricStore } from './metric.store.js';
import { ServiceMeters } from './service-meters.js';

/** Counts the log while the service runs, behind the engine and unknown to it. */
@Injectable()
export class MetricProjection implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly follower: LogFollower;

  constructor(
    metrics: MetricStore,
    runs: RunStore,
    meters: ServiceMeters,
    clock: Clock,
    private readonly config: MetricConfig,
    log: RunLog,
    feed: RunFeed,
  ) {
    const counter = new MetricCounter({ metrics, runs, clock, config }, (minutes) => {
      meters.count(minutes);
    });
    this.follower = new LogFollower({ log, feed, logger: new Logger(MetricProjection.name) }, counter);
  }

  onApplicationBootstrap(): void {
    if (this.config.isEnabled) this.follower.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.follower.stop();
  }
}
