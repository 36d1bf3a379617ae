/** Webhooks and deliveries on the SQL engines. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';

import { openDatabase } from '../../src/storage/sql/open-database.js';
import { SqlDeliveryStore } from '../../src/storage/sql/sql-delivery.store.js';
import type { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { SqlWebhookStore } from '../../src/storage/sql/sql-webhook.store.js';
import type { NewDelivery } from '../../src/webhooks/delivery.store.js';
import type { Delivery } from '../../src/webhooks/domain/delivery.js';
import { CLOSED, type Webhook } from '../../src/webhooks/domain/webhook.js';
import { ManualClock } from '../support/manual-clock.js';
import { describeWithPostgres } from '../support/services.js';

let made = 0;

function aWebhook(fields: Partial<Webhook> = {}): Webhook {
  return {
    id: `whk_${String(++made).padStart(32, '0')}`,
    namespace: 'default',
    url: 'https://example.com',
    filter: { types: ['run.*'] },
    isEnabled: true,
    sealedSecret: 'sealed',
    version: 1,
    breaker: CLOSED,
    createdAt: 1,
    updatedAt: 1,
    ...fields,
  };
}

function aDelivery({ id: webhookId }: Webhook, runId: string, seq: number, createdAt = 10): NewDelivery {
  const id = `dlv_${String(++made).padStart(32, '0')}`;
  return { ...{ id, webhookId, namespace: 'default', runId, seq }, type: 'run.queued', createdAt };
}

function webhookStores(open: () => Promise<SqlDatabase>): void {
  let database: SqlDatabase;
  let webhooks: SqlWebhookStore;
  let deliveries: SqlDeliveryStore;

  beforeAll(async () => {
    database = await open();
    webhooks = new SqlWebhookStore(database);
    deliveries = new SqlDeliveryStore(database);
  });

  afterAll(() => database.close());

  beforeEach(async () => {
    for (const table of ['webhooks', 'webhook_deliveries'])
      await sql`delete from ${sql.table(table)}`.execute(database.kysely);
    await sql`update webhook_cursors set cursor = ''`.execute(database.kysely);
  });

  async function kept(fields: Partial<Webhook> = {}): Promise<Webhook> {
    const webhook = aWebhook(fields);
    await webhooks.create(webhook);
    return webhook;
  }

  async function deliver(...list: readonly NewDelivery[]): Promise<void> {
    const cursor = await deliveries.cursor();
    expect(await deliveries.commit(cursor, `${cursor}x`, list)).toBe(true);
  }

  const claim = (now: number, more: { readonly limit?: number; readonly except?: readonly string[] } = {}) =>
    deliveries.claim({ now, until: now + 1_000, limit: 10, except: [], ...more });

  const seqs = (list: readonly Delivery[]): readonly number[] => list.map(({ seq }) => seq);

  function settle(
    delivery: Delivery,
    status: Delivery['status'],
    now: number,
    nextAt?: number,
  ): Promise<boolean> {
    const { nextAt: _, ...rest } = delivery;
    const settled = { ...rest, status, tries: delivery.tries + 1, attempts: [{ at: now, durationMs: 1 }] };
    return deliveries.settle(
      {
        delivery: { ...settled, ...(nextAt === undefined ? { settledAt: now } : { nextAt }) },
        breaker: CLOSED,
        seenTries: delivery.tries,
        keepFrom: 0,
      },
      now,
    );
  }

  it('keeps a webhook, changes it from the version that was seen, and deletes it with its deliveries', async () => {
    const webhook = await kept({ description: 'ü', breaker: { failures: 3, openUntil: 5, reason: 'r' } });
    await kept({ namespace: 'other', isEnabled: false });
    const next = { ...webhook, version: 2, isEnabled: false, breaker: CLOSED };

    expect(await webhooks.find('default', webhook.id)).toEqual(webhook);
    expect(await webhooks.find('other', webhook.id)).toBeUndefined();
    expect(await webhooks.listEnabled()).toEqual([webhook]);
    expect(await webhooks.save({ ...next, version: 3 })).toBe(false);
    expect(await webhooks.save(next)).toBe(true);
    expect((await webhooks.list('default', { limit: 9 })).items).toEqual([next]);
    await deliver(aDelivery(webhook, 'run_1', 1));
    expect(await webhooks.delete('other', webhook.id)).toBe(false);
    expect(await webhooks.delete('default', webhook.id)).toBe(true);
    expect((await deliveries.list(webhook.id, {}, { limit: 9 })).items).toEqual([]);
  });

  it('moves the cursor and makes deliveries together, once', async () => {
    const webhook = await kept();
    const delivery = aDelivery(webhook, 'run_1', 1);

    const tries = [1, 2, 3].map((index) =>
      deliveries.commit('', `to-${index}`, index === 1 ? [delivery] : []),
    );
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await deliveries.commit('', 'again', [aDelivery(webhook, 'run_2', 1)])).toBe(false);
    expect(await deliveries.cursor()).toMatch(/^to-/);
    expect((await deliveries.list(webhook.id, { runId: 'run_2' }, { limit: 9 })).items).toEqual([]);
  });

  it('gives the deliveries of a run one after the other, and those of runs and webhooks beside each other', async () => {
    const [one, other] = [await kept(), await kept()];
    await deliver(...[1, 2, 3].map((seq) => aDelivery(one, 'run_1', seq)), aDelivery(one, 'run_2', 7));
    await deliver(aDelivery(one, 'run_1', 4), aDelivery(other, 'run_1', 9));

    expect(await claim(9)).toEqual([]);
    const first = await claim(10);
    expect(seqs(first).toSorted((a, b) => a - b)).toEqual([1, 7, 9]);
    expect(await claim(10)).toEqual([]);
    const head = first.find(({ seq }) => seq === 1) as Delivery;
    expect(await settle(head, 'pending', 11, 50)).toBe(true);
    expect(await claim(49)).toEqual([]);
    const [again] = await claim(50);
    expect(again).toMatchObject({ seq: 1, tries: 1, attempts: [{ at: 11, durationMs: 1 }] });
    expect(await settle(again as Delivery, 'delivered', 51)).toBe(true);
    expect(await settle(again as Delivery, 'failed', 52)).toBe(false);
    const [second] = await claim(51);
    expect(second?.seq).toBe(2);
    expect(await settle(second as Delivery, 'failed', 52)).toBe(true);
    expect(seqs(await claim(52))).toEqual([3]);
  });

  it('gives a claimed delivery again when whoever took it does not report', async () => {
    await deliver(aDelivery(await kept(), 'run_1', 1));

    expect(await claim(10)).toHaveLength(1);
    expect(await deliveries.nextDueAt(10)).toBe(1_010);
    expect(await claim(1_009)).toEqual([]);
    expect(await claim(1_010)).toHaveLength(1);
  });

  it('gives each delivery to one of those who ask at once', async () => {
    const webhook = await kept();
    await deliver(...Array.from({ length: 20 }, (_, index) => aDelivery(webhook, `run_${index}`, 1)));

    const claims = await Promise.all([1, 2, 3, 4].map(() => claim(10, { limit: 20 })));
    const ids = claims.flat().map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claim(10, { limit: 20 });
    expect(ids.length + rest.length).toBe(20);
  });

  it('leaves out webhooks that are disabled, have enough to do or are left alone for a while', async () => {
    const [disabled, open, busy] = [
      await kept({ isEnabled: false }),
      await kept({ breaker: { failures: 10, openUntil: 100 } }),
      await kept(),
    ];
    await deliver(...[disabled, open, busy].map((webhook) => aDelivery(webhook, 'run_1', 1)));

    expect(await claim(10, { except: [busy.id] })).toEqual([]);
    expect(await deliveries.nextDueAt(10)).toBe(10);
    expect((await claim(10)).map(({ webhookId }) => webhookId)).toEqual([busy.id]);
    expect(await deliveries.nextDueAt(11)).toBe(100);
    expect((await claim(100)).map(({ webhookId }) => webhookId)).toEqual([open.id]);
  });

  it('notes what is known of the address, and forgets what was settled long ago', async () => {
    const webhook = await kept();
    await deliver(aDelivery(webhook, 'run_1', 1, 10), aDelivery(webhook, 'run_2', 1, 20));
    const [old, recent] = await claim(20);
    await settle(old as Delivery, 'delivered', 21);
    const breaker = { failures: 2, openUntil: 99, reason: 'no' };
    const delivery = { ...(recent as Delivery), tries: 1, nextAt: 70 };
    await deliveries.settle({ delivery, breaker, seenTries: 0, keepFrom: 15 }, 22);

    expect((await webhooks.find('default', webhook.id))?.breaker).toEqual(breaker);
    const left = (await deliveries.list(webhook.id, {}, { limit: 9 })).items;
    expect(left.map(({ id, nextAt }) => [id, nextAt])).toEqual([[recent?.id, 70]]);
  });

  it('lists deliveries newest first, and finds one of its webhook only', async () => {
    const [webhook, other] = [await kept(), await kept()];
    const list = [1, 2, 3].map((seq) => aDelivery(webhook, 'run_1', seq));
    await deliver(...list);
    const first = await deliveries.list(webhook.id, { status: 'pending' }, { limit: 2 });
    const rest = await deliveries.list(webhook.id, {}, { limit: 2, cursor: first.nextCursor ?? '' });

    expect(seqs([...first.items, ...rest.items])).toEqual([3, 2, 1]);
    expect((await deliveries.list(webhook.id, { status: 'failed' }, { limit: 9 })).items).toEqual([]);
    expect(await deliveries.list(webhook.id, {}, { limit: 2, cursor: '!' })).toEqual({ items: [] });
    expect(await deliveries.find(webhook.id, list[0]?.id ?? '')).toMatchObject({ seq: 1, status: 'pending' });
    expect(await deliveries.find(other.id, list[0]?.id ?? '')).toBeUndefined();
  });

  it('delivers once more, one or all of a span in the order of each run', async () => {
    const webhook = await kept();
    await deliver(...[1, 2, 3].map((seq) => aDelivery(webhook, 'run_1', seq, seq * 10)));
    for (const now of [30, 31, 32])
      for (const delivery of await claim(now)) await settle(delivery, 'delivered', now);
    const all = (await deliveries.list(webhook.id, { status: 'delivered' }, { limit: 9 })).items;
    expect(seqs(all)).toEqual([3, 2, 1]);

    expect(await deliveries.replay(webhook.id, { id: all[0]?.id ?? '' }, 40)).toBe(1);
    expect(await deliveries.replay(webhook.id, { id: 'dlv_none' }, 40)).toBe(0);
    const [once] = await claim(40);
    expect(once).toMatchObject({ seq: 3, tries: 0, id: all[0]?.id });
    await settle(once as Delivery, 'delivered', 41);
    expect(await deliveries.replay(webhook.id, { from: 20, to: 30 }, 50)).toBe(2);
    const [second] = await claim(50);
    expect(second?.seq).toBe(2);
    await settle(second as Delivery, 'delivered', 51);
    expect(seqs(await claim(51))).toEqual([3]);
  });
}

describe('webhook stores on SQLite', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ensemble-webhooks-'));
  webhookStores(() => openDatabase({ dataDir: directory }, new ManualClock()));
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });
});

describeWithPostgres('webhook stores on PostgreSQL', (url) => {
  webhookStores(() => openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock()));
});
