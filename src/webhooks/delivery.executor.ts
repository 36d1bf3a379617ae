import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { Clock } from '../platform/clock/clock.js';
import { EngineConfig } from '../platform/config/app.config.js';
import { Egress } from '../platform/egress/egress.js';
import { SealSource } from '../platform/ports/seal.source.js';
import { EditLanes } from '../platform/versions/edit-lanes.js';
import { RunReader } from '../runs/run.reader.js';
import { DeliveryStore } from './delivery.store.js';
import { settle, type AttemptEnd } from './domain/attempt-plan.js';
import type { Attempt, Delivery } from './domain/delivery.js';
import { CLOSED, type Webhook } from './domain/webhook.js';
import { signedHeaders } from './signature.js';
import { WebhookStore } from './webhook.store.js';

/** How long a receiver may take. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_ERROR_LENGTH = 300;
const DAY_MS = 86_400_000;

/** Attempts: sends one event to one address, and records what came of it. */
@Injectable()
export class DeliveryExecutor {
  /** What is known of an address counts every attempt, so they are recorded one after the other. */
  private readonly lanes = new EditLanes();

  constructor(
    private readonly webhooks: WebhookStore,
    private readonly deliveries: DeliveryStore,
    private readonly reader: RunReader,
    private readonly egress: Egress,
    private readonly seals: SealSource,
    private readonly clock: Clock,
    private readonly config: EngineConfig,
  ) {}

  /** Tries a delivery that was claimed. An attempt that the signal broke off is not recorded: it is due again at once. */
  async attempt(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const webhook = await this.webhooks.find(delivery.namespace, delivery.webhookId);
    if (webhook === undefined) return;
    const body = await this.bodyOf(delivery);
    const end =
      body === undefined
        ? { at: this.clock.now(), durationMs: 0, error: 'the event is not kept any more', isFinal: true }
        : await this.send(webhook, { id: delivery.id, body }, signal);
    if (signal.aborted && end.error !== undefined) return this.giveBack(delivery, webhook);
    await this.lanes.run(delivery.webhookId, () => this.record(delivery, end));
    if (end.status === 410) await this.disable(webhook);
  }

  /** Sends a message that is no event, once; what came of it is for whoever asked. */
  async ping(webhook: Webhook, id: string): Promise<Attempt> {
    const at = new Date(this.clock.now()).toISOString();
    const body = JSON.stringify({ type: 'webhook.ping', at, data: { webhookId: webhook.id } });
    const { retryAfterMs: _, isFinal: __, ...attempt } = await this.send(webhook, { id, body });
    return attempt;
  }

  /** The event as it stands in the log. */
  private async bodyOf({ namespace, runId, seq }: Delivery): Promise<string | undefined> {
    try {
      return await this.reader.eventText(namespace, runId, seq);
    } catch (error) {
      if (AppError.is(error) && error.failure.code === 'run.not-found') return undefined;
      throw error;
    }
  }

  private async send(
    { id: webhookId, namespace, url, sealedSecret }: Webhook,
    { id, body }: { readonly id: string; readonly body: string },
    signal?: AbortSignal,
  ): Promise<AttemptEnd> {
    const at = this.clock.now();
    const began = this.clock.monotonic();
    const took = (): number => Math.round(this.clock.monotonic() - began);
    try {
      const secret = await this.seals.open(sealedSecret, { namespace, name: `webhook/${webhookId}` });
      const answer = await this.egress.fetch(url, {
        method: 'POST',
        headers: signedHeaders(secret, { id, timestamp: Math.floor(at / 1_000), body }),
        body,
        redirect: 'manual',
        timeoutMs: ATTEMPT_TIMEOUT_MS,
        maxResponseBytes: MAX_ANSWER_BYTES,
        ...(signal && { signal }),
      });
      await answer.body?.cancel();
      return { at, durationMs: took(), status: answer.status, ...verdictOn(answer, at) };
    } catch (error) {
      return { at, durationMs: took(), error: sentenceOf(error) };
    }
  }

  private async record(delivery: Delivery, end: AttemptEnd): Promise<void> {
    const now = this.clock.now();
    const webhook = await this.webhooks.find(delivery.namespace, delivery.webhookId);
    const before = { delivery, breaker: webhook?.breaker ?? CLOSED };
    const settled = settle(before, end, { now, random: Math.random() });
    const keepFrom = now - this.config.runRetentionDays * DAY_MS;
    await this.deliveries.settle({ ...settled, seenTries: delivery.tries, keepFrom }, now);
  }

  private async giveBack(delivery: Delivery, { breaker }: Webhook): Promise<void> {
    const now = this.clock.now();
    const due = { ...delivery, nextAt: now };
    await this.deliveries.settle({ delivery: due, breaker, seenTries: delivery.tries, keepFrom: 0 }, now);
  }

  /** 410 says that the address is gone for good. Whoever changed the webhook meanwhile knows better. */
  private async disable(webhook: Webhook): Promise<void> {
    const breaker = { failures: 0, reason: 'the receiver answered 410: it is gone' };
    const version = webhook.version + 1;
    await this.webhooks.save({ ...webhook, isEnabled: false, version, breaker, updatedAt: this.clock.now() });
  }
}

function verdictOn({ status, headers }: Response, at: number): Partial<AttemptEnd> {
  if (status >= 200 && status < 300) return {};
  const retryAfterMs = retryAfterOf(headers.get('retry-after'), at);
  return {
    error: `the receiver answered ${status}`,
    ...(status === 410 && { isFinal: true }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterOf(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

/** What failed, for the log of deliveries: the system's reason where a connection failed. */
function sentenceOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (cause instanceof Error ? cause.message : 'the connection failed').slice(0, MAX_ERROR_LENGTH);
}
