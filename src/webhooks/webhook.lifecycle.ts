import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { DrainService, type DrainHook } from '../platform/lifecycle/drain.service.js';
import { DeliveryLoop } from './delivery.loop.js';
import { WebhookProjection } from './webhook-projection.js';

/** Begins to deliver once the application has started, and ends before it does. */
@Injectable()
export class WebhookLifecycle implements OnApplicationBootstrap, OnModuleDestroy, DrainHook {
  readonly name = 'webhooks';

  constructor(
    private readonly projection: WebhookProjection,
    private readonly loop: DeliveryLoop,
    drains: DrainService,
  ) {
    drains.register(this);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
    this.projection.start(() => {
      this.loop.look();
    });
  }

  async drain(deadline: AbortSignal): Promise<void> {
    await this.projection.stop();
    await this.loop.stop(deadline);
  }

  onModuleDestroy(): Promise<void> {
    return this.drain(AbortSignal.abort());
  }
}
