import { Injectable } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { MetricConfig } from '../platform/config/app.config.js';
import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { DEFAULT_PACE, type LogFollower } from '../runs/log-follower.js';
import { LogFollowers } from '../runs/log-followers.js';
import { RunStore } from '../runs/run.store.js';
import { MetricCounter } from './metric-counter.js';
import { MetricStore } from './metric.store.js';
import { ServiceMeters } from './service-meters.js';

/** Pages are large: what a page costs beside its events is the greater part of what counting costs. */
export const PACE = { ...DEFAULT_PACE, pageSize: 10_000 };

/** Counts the log where this process has the duty to, behind the engine and unknown to it. */
@Injectable()
export class MetricProjection implements Duty {
  readonly name = 'metrics';
  /** Absent where nothing is counted. */
  private readonly follower: LogFollower | undefined;

  constructor(
    metrics: MetricStore,
    runs: RunStore,
    meters: ServiceMeters,
    clock: Clock,
    config: MetricConfig,
    followers: LogFollowers,
    roster: DutyRoster,
  ) {
    if (!config.isEnabled) return;
    const counter = new MetricCounter({ metrics, runs, clock, config }, (minutes) => {
      meters.count(minutes);
    });
    this.follower = followers.create(counter, PACE);
    roster.register(this);
  }

  start(): void {
    this.follower?.start();
  }

  async stop(): Promise<void> {
    await this.follower?.stop();
  }

  wake(): void {
    this.follower?.look();
  }
}
