import { sql } from 'kysely';

import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import { DeliveryStore, type NewDelivery, type SettledAttempt } from '../../webhooks/delivery.store.js';
import type { Delivery, DeliveryStatus } from '../../webhooks/domain/delivery.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { WebhookDeliveriesTable, WebhooksTable } from './tables.js';
import { deliveryOf } from './webhook-rows.js';

type Inserted = Omit<WebhookDeliveriesTable, 'status' | 'tries' | 'next_at' | 'attempts' | 'settled_at'>;
type SettledColumns = Pick<
  WebhookDeliveriesTable,
  'id' | 'status' | 'tries' | 'next_at' | 'attempts' | 'settled_at'
>;
type BreakerColumns = Pick<WebhooksTable, 'id' | 'failures' | 'open_until' | 'reason'>;

/**
 * Whoever makes or settles deliveries of a webhook changes its row first. So no two do at once, and the first pending
 * delivery of a run is known.
 */
export class SqlDeliveryStore extends DeliveryStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly findCursor = this.database.prepare('delivery.cursor', () =>
    this.database.kysely.selectFrom('webhook_cursors').select('cursor').where('id', '=', 'log'),
  );

  private readonly moveCursor = this.database.prepare(
    'delivery.move-cursor',
    (p: Slots<{ readonly from: string; readonly to: string }>) =>
      this.database.kysely
        .updateTable('webhook_cursors')
        .set({ cursor: p.to })
        .where('id', '=', 'log')
        .where('cursor', '=', p.from),
  );

  private readonly lockWebhook = this.database.prepare(
    'delivery.lock-webhook',
    (p: Slots<{ readonly id: string }>) =>
      this.database.kysely
        .updateTable('webhooks')
        .set((build) => ({ failures: build.ref('failures') }))
        .where('id', '=', p.id),
  );

  private readonly insertRow = this.database.prepare(
    'delivery.insert',
    (p: Slots<Inserted>) => sql`insert into webhook_deliveries
      (id, webhook_id, namespace, run_id, seq, type, status, tries, attempts, created_at, next_at)
      values (${p.id}, ${p.webhook_id}, ${p.namespace}, ${p.run_id}, ${p.seq}, ${p.type}, 'pending', 0, '[]',
        ${p.created_at}, case when exists (
          select 1 from webhook_deliveries before
          where before.webhook_id = ${p.webhook_id} and before.run_id = ${p.run_id} and before.status = 'pending'
        ) then null else cast(${p.created_at} as bigint) end)`,
  );

  private readonly setBreaker = this.database.prepare('delivery.set-breaker', (p: Slots<BreakerColumns>) =>
    this.database.kysely
      .updateTable('webhooks')
      .set({ failures: p.failures, open_until: p.open_until, reason: p.reason })
      .where('id', '=', p.id),
  );

  private readonly settleRow = this.database.prepare(
    'delivery.settle',
    (p: Slots<SettledColumns & { readonly seen: number }>) =>
      this.database.kysely
        .updateTable('webhook_deliveries')
        .set({
          ...{ status: p.status, tries: p.tries, next_at: p.next_at },
          ...{ attempts: p.attempts, settled_at: p.settled_at },
        })
        .where('id', '=', p.id)
        .where('status', '=', 'pending')
        .where('tries', '=', p.seen),
  );

  private readonly releaseNext = this.database.prepare(
    'delivery.release-next',
    (p: Slots<{ readonly webhook_id: string; readonly run_id: string; readonly now: number }>) =>
      this.database.kysely
        .updateTable('webhook_deliveries')
        .set({ next_at: p.now })
        .where('next_at', 'is', null)
        .where('id', '=', (build) =>
          build
            .selectFrom('webhook_deliveries')
            .select('id')
            .where('webhook_id', '=', p.webhook_id)
            .where('run_id', '=', p.run_id)
            .where('status', '=', sql.lit('pending'))
            .orderBy('seq')
            .limit(1),
        ),
  );

  private readonly forget = this.database.prepare(
    'delivery.forget',
    (p: Slots<{ readonly webhook_id: string; readonly keep_from: number }>) =>
      this.database.kysely
        .deleteFrom('webhook_deliveries')
        .where('webhook_id', '=', p.webhook_id)
        .where('created_at', '<', p.keep_from)
        .where('status', '<>', 'pending'),
  );

  private readonly findRow = this.database.prepare(
    'delivery.find',
    (p: Slots<{ readonly webhook_id: string; readonly id: string }>) =>
      this.database.kysely
        .selectFrom('webhook_deliveries')
        .selectAll()
        .where('id', '=', p.id)
        .where('webhook_id', '=', p.webhook_id),
  );

  private readonly nextDue = this.database.prepare(
    'delivery.next-due',
    (p: Slots<{ readonly now: number }>) =>
      this.database.kysely
        .selectFrom('webhook_deliveries')
        .innerJoin('webhooks', 'webhooks.id', 'webhook_deliveries.webhook_id')
        .select('webhook_deliveries.next_at')
        .where('webhook_deliveries.next_at', 'is not', null)
        .where('webhooks.is_enabled', '=', 1)
        .where((build) =>
          build.or([build('webhooks.open_until', 'is', null), build('webhooks.open_until', '<=', p.now)]),
        )
        .orderBy('webhook_deliveries.next_at')
        .limit(1),
  );

  private readonly nextClosing = this.database.prepare(
    'delivery.next-closing',
    (p: Slots<{ readonly now: number }>) =>
      this.database.kysely
        .selectFrom('webhooks')
        .select('open_until')
        .where('is_enabled', '=', 1)
        .where('open_until', '>', p.now)
        .orderBy('open_until')
        .limit(1),
  );

  private readonly replayOne = this.database.prepare(
    'delivery.replay-one',
    (p: Slots<{ readonly webhook_id: string; readonly id: string; readonly now: number }>) =>
      this.database.kysely
        .updateTable('webhook_deliveries')
        .set({ status: 'pending', tries: 0, settled_at: null, next_at: p.now })
        .where('id', '=', p.id)
        .where('webhook_id', '=', p.webhook_id),
  );

  private readonly replaySpan = this.database.prepare(
    'delivery.replay-span',
    (p: Slots<{ readonly webhook_id: string; readonly from: number; readonly to: number }>) =>
      this.database.kysely
        .updateTable('webhook_deliveries')
        .set({ status: 'pending', tries: 0, settled_at: null, next_at: null })
        .where('webhook_id', '=', p.webhook_id)
        .where('created_at', '>=', p.from)
        .where('created_at', '<=', p.to)
        .where('status', '<>', 'pending'),
  );

  private readonly releaseFirsts = this.database.prepare(
    'delivery.release-firsts',
    (p: Slots<{ readonly webhook_id: string; readonly now: number }>) => sql`
      update webhook_deliveries set next_at = ${p.now}
      where webhook_id = ${p.webhook_id} and status = 'pending' and next_at is null and not exists (
        select 1 from webhook_deliveries before
        where before.webhook_id = webhook_deliveries.webhook_id and before.run_id = webhook_deliveries.run_id
          and before.status = 'pending' and before.seq < webhook_deliveries.seq)`,
  );

  override async cursor(): Promise<string> {
    const [row] = await this.database.read(this.findCursor.bind({}));
    return row?.cursor ?? '';
  }

  override async commit(from: string, to: string, deliveries: readonly NewDelivery[]): Promise<boolean> {
    const webhookIds = [...new Set(deliveries.map(({ webhookId }) => webhookId))].toSorted();
    const { held } = await this.database.write({
      statements: [
        this.moveCursor.guard({ from, to }),
        ...webhookIds.map((id) => this.lockWebhook.bind({ id })),
        ...deliveries.map(({ id, webhookId, namespace, runId, seq, type, createdAt }) =>
          this.insertRow.bind({
            ...{ id, namespace, seq, type },
            ...{ webhook_id: webhookId, run_id: runId, created_at: createdAt },
          }),
        ),
      ],
    });
    return held;
  }

  override async claim({
    now,
    until,
    limit,
    except,
  }: Parameters<DeliveryStore['claim']>[0]): Promise<readonly Delivery[]> {
    let due = this.database.kysely
      .selectFrom('webhook_deliveries as due')
      .innerJoin('webhooks', 'webhooks.id', 'due.webhook_id')
      .select('due.id')
      .where('due.next_at', '<=', now)
      .where('webhooks.is_enabled', '=', 1)
      .where((build) =>
        build.or([build('webhooks.open_until', 'is', null), build('webhooks.open_until', '<=', now)]),
      )
      .orderBy('due.next_at')
      .limit(limit);
    if (except.length > 0) due = due.where('due.webhook_id', 'not in', [...except]);
    // Looked at again once the row is ours: where transactions run beside each other, another one may have it.
    const claim = this.database.kysely
      .updateTable('webhook_deliveries')
      .set({ next_at: until })
      .where('next_at', '<=', now)
      .where('id', 'in', due)
      .returningAll();
    const { results } = await this.database.write({ statements: [statementOf(claim)] });
    const rows = (results[0]?.rows ?? []) as readonly WebhookDeliveriesTable[];
    return rows.map(deliveryOf).toSorted((a, b) => a.createdAt - b.createdAt);
  }

  override async nextDueAt(now: number): Promise<number | undefined> {
    const [[due], [closing]] = await Promise.all([
      this.database.read(this.nextDue.bind({ now })),
      this.database.read(this.nextClosing.bind({ now })),
    ]);
    const times = [due?.next_at, closing?.open_until].filter((at) => typeof at === 'number');
    return times.length === 0 ? undefined : Math.min(...times);
  }

  override async settle(
    { delivery, breaker, seenTries, keepFrom }: SettledAttempt,
    now: number,
  ): Promise<boolean> {
    const { id, webhookId, runId, status, tries, nextAt, attempts, settledAt } = delivery;
    const { failures, openUntil = null, reason = null } = breaker;
    const { held } = await this.database.write({
      statements: [
        this.setBreaker.guard({ id: webhookId, failures, open_until: openUntil, reason }),
        this.settleRow.guard({
          ...{ id, status, tries, attempts: JSON.stringify(attempts), seen: seenTries },
          ...{ next_at: nextAt ?? null, settled_at: settledAt ?? null },
        }),
        ...(status === 'pending'
          ? []
          : [this.releaseNext.bind({ webhook_id: webhookId, run_id: runId, now })]),
        this.forget.bind({ webhook_id: webhookId, keep_from: keepFrom }),
      ],
    });
    return held;
  }

  override async find(webhookId: string, id: string): Promise<Delivery | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ webhook_id: webhookId, id }));
    return row && deliveryOf(row);
  }

  override async list(
    webhookId: string,
    { status, runId }: { readonly status?: DeliveryStatus; readonly runId?: string },
    { limit, cursor }: PageRequest,
  ): Promise<Page<Delivery>> {
    const below = cursor === undefined ? undefined : decodeCursor(cursor);
    if (cursor !== undefined && below === undefined) return { items: [] };
    let query = this.database.kysely
      .selectFrom('webhook_deliveries')
      .selectAll()
      .where('webhook_id', '=', webhookId)
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (status !== undefined) query = query.where('status', '=', status);
    if (runId !== undefined) query = query.where('run_id', '=', runId);
    if (below !== undefined) query = query.where('id', '<', below);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(deliveryOf), limit, ({ id }) => id);
  }

  override async replay(
    webhookId: string,
    which: Parameters<DeliveryStore['replay']>[1],
    now: number,
  ): Promise<number> {
    const owned = { webhook_id: webhookId };
    const repeat =
      'id' in which
        ? this.replayOne.bind({ ...owned, id: which.id, now })
        : this.replaySpan.bind({ ...owned, from: which.from, to: which.to });
    const { results } = await this.database.write({
      statements: [
        this.lockWebhook.bind({ id: webhookId }),
        repeat,
        this.releaseFirsts.bind({ ...owned, now }),
      ],
    });
    return results[1]?.changes ?? 0;
  }
}
