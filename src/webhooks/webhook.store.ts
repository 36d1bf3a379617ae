/** Webhooks as people make them. */
import type { Page, PageRequest } from '../kernel/page.js';
import type { Webhook } from './domain/webhook.js';

export abstract class WebhookStore {
  abstract create(webhook: Webhook): Promise<void>;

  /** The webhook, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, id: string): Promise<Webhook | undefined>;

  /** Those that are enabled, of all namespaces, in no order. */
  abstract listEnabled(): Promise<readonly Webhook[]>;

  /** Webhooks of a namespace, newest first. A cursor that is not one of ours gives an empty page. */
  abstract list(namespace: string, page: PageRequest): Promise<Page<Webhook>>;

  /** Writes a webhook, its breaker included, if it is still at the version before; tells whether it was. */
  abstract save(webhook: Webhook): Promise<boolean>;

  /** Removes a webhook with its deliveries; tells whether it was there. */
  abstract delete(namespace: string, id: string): Promise<boolean>;
}
