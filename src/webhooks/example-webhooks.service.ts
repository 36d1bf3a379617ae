import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { StorageConfig } from '../platform/config/app.config.js';
import { EXAMPLE_COMPLETED_RUN } from '../runs/examples.js';
import { DeliveryStore } from './delivery.store.js';
import { EXAMPLE_DELIVERY, EXAMPLE_OLD_WEBHOOK, EXAMPLE_WEBHOOK } from './examples.js';
import { WebhookService, type WrittenWebhook } from './webhook.service.js';

const NAMESPACE = 'default';

/** Nobody answers there, and nobody but this machine could be meant: the service refuses to call it. */
const WRITTEN: WrittenWebhook = {
  url: 'http://127.0.0.1:9/events',
  description: 'an example',
  filter: { types: ['run.completed', 'run.failed'] },
  isEnabled: false,
};

/**
 * Two webhooks and a delivery with fixed ids, so that every example of the API can be executed on a fresh start. They
 * are disabled, so nothing is sent. Made on the embedded record only, while it has no webhook: what somebody deleted
 * stays deleted.
 */
@Injectable()
export class ExampleWebhooksService implements OnApplicationBootstrap {
  constructor(
    private readonly webhooks: WebhookService,
    private readonly deliveries: DeliveryStore,
    private readonly clock: Clock,
    private readonly storage: StorageConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.storage.databaseUrl !== undefined) return;
    const { items } = await this.webhooks.list(NAMESPACE, { limit: 1 });
    if (items.length > 0) return;
    await this.webhooks.create(NAMESPACE, WRITTEN, EXAMPLE_WEBHOOK);
    await this.webhooks.create(NAMESPACE, WRITTEN, EXAMPLE_OLD_WEBHOOK);
    await this.plantDelivery();
  }

  /** Where the log is read on stays as it is. */
  private async plantDelivery(): Promise<void> {
    const event = { runId: EXAMPLE_COMPLETED_RUN, seq: 1, type: 'run.queued' };
    const owner = { webhookId: EXAMPLE_WEBHOOK, namespace: NAMESPACE };
    const delivery = { id: EXAMPLE_DELIVERY, ...owner, ...event, createdAt: this.clock.now() };
    const cursor = await this.deliveries.cursor();
    await this.deliveries.commit(cursor, cursor, [delivery]);
  }
}
