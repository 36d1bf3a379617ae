import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { fieldErrors } from '../kernel/field.errors.js';
import type { Page, PageRequest } from '../kernel/page.js';
import { Clock } from '../platform/clock/clock.js';
import { requireVersion } from '../platform/http/if-match.js';
import { IdSource } from '../platform/ids/id.source.js';
import { SealSource } from '../platform/ports/seal.source.js';
import { DeliveryExecutor } from './delivery.executor.js';
import { DeliveryLoop } from './delivery.loop.js';
import { DeliveryStore } from './delivery.store.js';
import type { Attempt, Delivery, DeliveryStatus } from './domain/delivery.js';
import { webhookErrors } from './domain/webhook.errors.js';
import { CLOSED, type EventFilter, type Webhook } from './domain/webhook.js';
import { makeSecret } from './signature.js';
import { WebhookStore } from './webhook.store.js';

/** A webhook as a person writes it. */
export interface WrittenWebhook {
  readonly url: string;
  readonly description?: string;
  readonly filter: EventFilter;
  readonly isEnabled: boolean;
  /** @default one of our making for a new webhook, the present one for another */
  readonly secret?: string;
}

/** Which webhook is to be changed, and the versions that may be the present one; any where none are named. */
export interface WebhookEdit {
  readonly namespace: string;
  readonly id: string;
  readonly accepted?: readonly number[];
}

/** Webhooks and what was delivered to them. */
@Injectable()
export class WebhookService {
  constructor(
    private readonly store: WebhookStore,
    private readonly deliveries: DeliveryStore,
    private readonly executor: DeliveryExecutor,
    private readonly loop: DeliveryLoop,
    private readonly seals: SealSource,
    private readonly clock: Clock,
    private readonly ids: IdSource,
  ) {}

  /**
   * A new webhook, which is told of what happens from now on, and its secret, which nobody is shown again.
   *
   * @throws AppError `webhook.invalid`, `secret.not-configured`
   */
  async create(
    namespace: string,
    written: WrittenWebhook,
    id = this.ids.next('whk'),
  ): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
    requireUrl(written.url);
    const { secret = makeSecret(), ...rest } = written;
    const now = this.clock.now();
    const sealedSecret = await this.seal(namespace, id, secret);
    const made = { id, namespace, sealedSecret, version: 1, breaker: CLOSED, createdAt: now, updatedAt: now };
    const webhook = { ...made, ...rest };
    await this.store.create(webhook);
    return { webhook, secret };
  }

  /** @throws AppError `webhook.not-found` */
  async get(namespace: string, id: string): Promise<Webhook> {
    const webhook = await this.store.find(namespace, id);
    if (webhook === undefined) throw notFound(id);
    return webhook;
  }

  /** Webhooks of a namespace, newest first. */
  list(namespace: string, page: PageRequest): Promise<Page<Webhook>> {
    return this.store.list(namespace, page);
  }

  /**
   * Says anew what a webhook is, and lets it try at once what waits.
   *
   * @throws AppError `webhook.not-found`, `version.stale`, `webhook.invalid`, `webhook.contended`
   */
  async replace({ namespace, id, accepted }: WebhookEdit, written: WrittenWebhook): Promise<Webhook> {
    requireUrl(written.url);
    const { secret, ...rest } = written;
    const present = await this.get(namespace, id);
    requireVersion(accepted, present.version);
    const { description: _, ...kept } = present;
    const webhook: Webhook = {
      ...kept,
      ...rest,
      ...(secret !== undefined && { sealedSecret: await this.seal(namespace, id, secret) }),
      ...{ version: present.version + 1, breaker: CLOSED, updatedAt: this.clock.now() },
    };
    if (!(await this.store.save(webhook))) {
      const message = 'Somebody else changed the webhook just now. Read it again and repeat the change';
      throw AppError.of(webhookErrors['webhook.contended'], message);
    }
    this.loop.ask(id);
    return webhook;
  }

  /** Removes a webhook with its deliveries. @throws AppError `webhook.not-found` */
  async delete(namespace: string, id: string): Promise<void> {
    if (!(await this.store.delete(namespace, id))) throw notFound(id);
  }

  /** Sends a message that is no event, enabled or not, and tells what came of it. Nothing of it is kept. */
  async ping(namespace: string, id: string): Promise<{ readonly id: string; readonly attempt: Attempt }> {
    const messageId = this.ids.next('dlv');
    return { id: messageId, attempt: await this.executor.ping(await this.get(namespace, id), messageId) };
  }

  /** Deliveries of a webhook, newest first. @throws AppError `webhook.not-found` */
  async listDeliveries(
    namespace: string,
    id: string,
    filter: { readonly status?: DeliveryStatus; readonly runId?: string },
    page: PageRequest,
  ): Promise<Page<Delivery>> {
    await this.get(namespace, id);
    return this.deliveries.list(id, filter, page);
  }

  /** Delivers once more, with the same id. @throws AppError `webhook.not-found`, `webhook.delivery-not-found` */
  async replay(namespace: string, id: string, deliveryId: string): Promise<Delivery> {
    await this.get(namespace, id);
    await this.deliveries.replay(id, { id: deliveryId }, this.clock.now());
    const delivery = await this.deliveries.find(id, deliveryId);
    if (delivery === undefined) {
      const message = `The webhook ${id} has no delivery ${deliveryId}.`;
      throw AppError.of(webhookErrors['webhook.delivery-not-found'], message);
    }
    this.loop.ask(id);
    return delivery;
  }

  /** Delivers once more whatever was settled of a span, and tells how much. @throws AppError `webhook.not-found` */
  async replaySpan(
    namespace: string,
    id: string,
    span: { readonly from: number; readonly to: number },
  ): Promise<number> {
    await this.get(namespace, id);
    const count = await this.deliveries.replay(id, span, this.clock.now());
    this.loop.ask(id);
    return count;
  }

  private seal(namespace: string, id: string, secret: string): Promise<string> {
    return this.seals.seal(secret, { namespace, name: `webhook/${id}` });
  }
}

/** Whether it may be called is found out at each call: a name may lead elsewhere tomorrow. */
function requireUrl(text: string): void {
  const url = URL.parse(text);
  const problem =
    url === null || !/^https?:$/.test(url.protocol)
      ? 'expected an absolute http or https address'
      : url.username !== '' || url.password !== ''
        ? 'credentials do not belong in the address: deliveries are signed'
        : undefined;
  if (problem === undefined) return;
  const issues = [{ pointer: '/url', code: fieldErrors['field.invalid'].code, message: problem }];
  throw AppError.of(webhookErrors['webhook.invalid'], problem, { issues });
}

function notFound(id: string): AppError {
  return AppError.of(webhookErrors['webhook.not-found'], `There is no webhook ${id}.`);
}
