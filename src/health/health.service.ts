import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheckService, type HealthCheckResult, type HealthIndicatorResult } from '@nestjs/terminus';

import { Clock } from '../platform/clock/clock.js';
import { productVersion } from '../platform/lifecycle/product-version.js';
import type { HealthIndicator } from './health.indicator.js';
import { HealthRegistry } from './health.registry.js';

/** An indicator that takes longer is down. */
const LIMIT_MS = 1000;

/** What `GET /api/v1/health` tells. */
export interface HealthSummary {
  readonly status: 'ok' | 'error';
  readonly version: string;
  readonly uptimeMs: number;
  readonly indicators: HealthIndicatorResult;
}

/** Asks all indicators at once. */
@Injectable()
export class HealthService {
  private readonly startedAt: number;

  constructor(
    private readonly checks: HealthCheckService,
    private readonly registry: HealthRegistry,
    private readonly clock: Clock,
  ) {
    this.startedAt = clock.monotonic();
  }

  /** The state of every indicator; `status` is `ok` when all are up. */
  async check(): Promise<HealthCheckResult> {
    try {
      return await this.checks.check(this.registry.list().map((indicator) => () => ask(indicator)));
    } catch (error) {
      if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
      throw error;
    }
  }

  async summary(): Promise<HealthSummary> {
    const { status, details } = await this.check();
    return {
      status: status === 'ok' ? 'ok' : 'error',
      version: productVersion(),
      uptimeMs: Math.round(this.clock.monotonic() - this.startedAt),
      indicators: details,
    };
  }
}

/** Never rejects. What an indicator throws is not shown: it may name hosts. */
async function ask(indicator: HealthIndicator): Promise<HealthIndicatorResult> {
  const { promise: late, resolve } = Promise.withResolvers<HealthIndicatorResult[string]>();
  const timer = setTimeout(resolve, LIMIT_MS, { status: 'down', reason: 'no answer within 1 s' });
  try {
    const asked = indicator.check().then(({ status, detail }) => ({ status, ...detail }));
    return { [indicator.name]: await Promise.race([asked, late]) };
  } catch {
    return { [indicator.name]: { status: 'down', reason: 'failed' } };
  } finally {
    clearTimeout(timer);
  }
}
