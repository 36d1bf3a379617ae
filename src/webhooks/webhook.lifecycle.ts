import { Injectable } from '@nestjs/common';

import type { Duty } from '../platform/duties/duty.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { DELIVERY_DUTY, DeliveryLoop } from './delivery.loop.js';
import { WebhookProjection } from './webhook-projection.js';

/** Delivers where this process has the duty to. */
@Injectable()
export class WebhookLifecycle implements Duty {
  readonly name = DELIVERY_DUTY;

  constructor(
    private readonly projection: WebhookProjection,
    private readonly loop: DeliveryLoop,
    roster: DutyRoster,
  ) {
    roster.register(this);
  }

  start(): void {
    this.loop.start();
    this.projection.start(() => {
      this.loop.look();
    });
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.projection.stop();
    await this.loop.stop(deadline);
  }

  wake(): void {
    this.projection.look();
    this.loop.look();
  }
}
