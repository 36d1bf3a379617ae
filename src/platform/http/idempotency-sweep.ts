import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import type { Duty } from '../duties/duty.js';
import { DutyRoster } from '../duties/duty-roster.js';
import { IdempotencyStore } from '../ports/idempotency.store.js';

/** How often expired keys are removed. */
const EVERY_MS = 10 * 60_000;

/** How many are removed in one write. */
const BATCH = 1_000;

/** Removes idempotency keys whose time is over, in bounded batches. */
@Injectable()
export class IdempotencySweep implements Duty {
  readonly name = 'idempotency-keys';
  private readonly logger = new Logger(IdempotencySweep.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: IdempotencyStore,
    private readonly clock: Clock,
    roster: DutyRoster,
  ) {
    roster.register(this);
  }

  start(): void {
    this.timer = setInterval(() => void this.sweep(), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      while ((await this.store.sweep(this.clock.now(), BATCH)) === BATCH);
    } catch (error) {
      this.logger.warn({ msg: 'Expired idempotency keys could not be removed', err: error });
    }
  }
}
