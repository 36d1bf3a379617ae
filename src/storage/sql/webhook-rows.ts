/** Webhooks and deliveries as rows. */
import type { Attempt, Delivery } from '../../webhooks/domain/delivery.js';
import type { Webhook } from '../../webhooks/domain/webhook.js';
import type { WebhookDeliveriesTable, WebhooksTable } from './tables.js';

type WebhookBody = Pick<Webhook, 'url' | 'description' | 'filter' | 'sealedSecret'>;

export function webhookColumns(webhook: Webhook): WebhooksTable {
  const { id, namespace, version, url, description, filter, sealedSecret, breaker } = webhook;
  const body: WebhookBody = { url, ...(description !== undefined && { description }), filter, sealedSecret };
  return {
    ...{ id, namespace, version, body: JSON.stringify(body), is_enabled: webhook.isEnabled ? 1 : 0 },
    failures: breaker.failures,
    open_until: breaker.openUntil ?? null,
    reason: breaker.reason ?? null,
    created_at: webhook.createdAt,
    updated_at: webhook.updatedAt,
  };
}

export function webhookOf(row: WebhooksTable): Webhook {
  const { id, namespace, version, failures, open_until: openUntil, reason } = row;
  return {
    ...{ id, namespace, version, isEnabled: row.is_enabled === 1 },
    ...(JSON.parse(row.body) as WebhookBody),
    breaker: {
      failures,
      ...(openUntil !== null && { openUntil }),
      ...(reason !== null && { reason }),
    },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

export function deliveryOf(row: WebhookDeliveriesTable): Delivery {
  const { id, webhook_id: webhookId, namespace, run_id: runId, seq, type, status, tries } = row;
  return {
    ...{ id, webhookId, namespace, runId, seq, type, status, tries },
    ...(row.next_at !== null && { nextAt: row.next_at }),
    attempts: JSON.parse(row.attempts) as readonly Attempt[],
    createdAt: row.created_at,
    ...(row.settled_at !== null && { settledAt: row.settled_at }),
  };
}
