import { Module } from '@nestjs/common';

import { RunsModule } from '../runs/runs.module.js';
import { DeliveryController } from './delivery.controller.js';
import { DeliveryExecutor } from './delivery.executor.js';
import { DeliveryLoop } from './delivery.loop.js';
import { ExampleWebhooksService } from './example-webhooks.service.js';
import { WebhookProjection } from './webhook-projection.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookLifecycle } from './webhook.lifecycle.js';
import { WebhookService } from './webhook.service.js';

/** Webhooks: telling others of events, at least once and in order. */
@Module({
  imports: [RunsModule],
  controllers: [WebhookController, DeliveryController],
  providers: [
    DeliveryExecutor,
    DeliveryLoop,
    ExampleWebhooksService,
    WebhookLifecycle,
    WebhookProjection,
    WebhookService,
  ],
})
export class WebhooksModule {}
