import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { Webhook } from '../../webhooks/domain/webhook.js';
import { WebhookStore } from '../../webhooks/webhook.store.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { WebhooksTable } from './tables.js';
import { webhookColumns, webhookOf } from './webhook-rows.js';

type OwnedWebhook = Pick<WebhooksTable, 'namespace' | 'id'>;

export class SqlWebhookStore extends WebhookStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly insertRow = this.database.prepare('webhook.insert', (p: Slots<WebhooksTable>) =>
    this.database.kysely.insertInto('webhooks').values({
      ...{ id: p.id, namespace: p.namespace, body: p.body, is_enabled: p.is_enabled, version: p.version },
      ...{ failures: p.failures, open_until: p.open_until, reason: p.reason },
      ...{ created_at: p.created_at, updated_at: p.updated_at },
    }),
  );

  private readonly updateRow = this.database.prepare(
    'webhook.update',
    (p: Slots<WebhooksTable & { readonly seen: number }>) =>
      this.database.kysely
        .updateTable('webhooks')
        .set({
          ...{ body: p.body, is_enabled: p.is_enabled, version: p.version, updated_at: p.updated_at },
          ...{ failures: p.failures, open_until: p.open_until, reason: p.reason },
        })
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace)
        .where('version', '=', p.seen),
  );

  private readonly findRow = this.database.prepare('webhook.find', (p: Slots<OwnedWebhook>) =>
    this.database.kysely
      .selectFrom('webhooks')
      .selectAll()
      .where('id', '=', p.id)
      .where('namespace', '=', p.namespace),
  );

  private readonly enabledRows = this.database.prepare('webhook.enabled', () =>
    this.database.kysely.selectFrom('webhooks').selectAll().where('is_enabled', '=', 1),
  );

  private readonly deleteRow = this.database.prepare('webhook.delete', (p: Slots<OwnedWebhook>) =>
    this.database.kysely.deleteFrom('webhooks').where('id', '=', p.id).where('namespace', '=', p.namespace),
  );

  private readonly deleteDeliveries = this.database.prepare(
    'webhook.delete-deliveries',
    (p: Slots<{ readonly webhook_id: string }>) =>
      this.database.kysely.deleteFrom('webhook_deliveries').where('webhook_id', '=', p.webhook_id),
  );

  override async create(webhook: Webhook): Promise<void> {
    await this.database.write({ statements: [this.insertRow.bind(webhookColumns(webhook))] });
  }

  override async find(namespace: string, id: string): Promise<Webhook | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ namespace, id }));
    return row && webhookOf(row);
  }

  override async listEnabled(): Promise<readonly Webhook[]> {
    return (await this.database.read(this.enabledRows.bind({}))).map(webhookOf);
  }

  override async list(namespace: string, { limit, cursor }: PageRequest): Promise<Page<Webhook>> {
    const below = cursor === undefined ? undefined : decodeCursor(cursor);
    if (cursor !== undefined && below === undefined) return { items: [] };
    let query = this.database.kysely
      .selectFrom('webhooks')
      .selectAll()
      .where('namespace', '=', namespace)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (below !== undefined) query = query.where('id', '<', below);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(webhookOf), limit, ({ id }) => id);
  }

  override async save(webhook: Webhook): Promise<boolean> {
    const values = { ...webhookColumns(webhook), seen: webhook.version - 1 };
    const { held } = await this.database.write({ statements: [this.updateRow.guard(values)] });
    return held;
  }

  override async delete(namespace: string, id: string): Promise<boolean> {
    const { held } = await this.database.write({
      statements: [this.deleteRow.guard({ namespace, id }), this.deleteDeliveries.bind({ webhook_id: id })],
    });
    return held;
  }
}
