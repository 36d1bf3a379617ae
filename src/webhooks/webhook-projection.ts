import { Injectable } from '@nestjs/common';

import { IdSource } from '../platform/ids/id.source.js';
import { DEFAULT_PACE, type LogConsumer, type LogFollower } from '../runs/log-follower.js';
import { LogFollowers } from '../runs/log-followers.js';
import { RunLog, type LogEntry, type LogPage } from '../runs/run.log.js';
import { RunReader } from '../runs/run.reader.js';
import { DeliveryStore, type NewDelivery } from './delivery.store.js';
import { needsTraits, passes, type RunTraits, type Webhook } from './domain/webhook.js';
import { WebhookStore } from './webhook.store.js';

/** From a published event to its deliveries, in milliseconds. */
const GATHER_MS = 50;
const PAGE_SIZE = 500;
/** Runs whose rows are read at a time. */
const MAX_ROWS = 200;

/**
 * Turns the log into deliveries, behind the engine and unknown to it. Each event is turned once: deliveries and cursor
 * are one transaction.
 */
@Injectable()
export class WebhookProjection implements LogConsumer {
  readonly name = 'webhooks';
  private readonly follower: LogFollower;
  private onDeliveries: () => void = () => undefined;

  constructor(
    private readonly webhooks: WebhookStore,
    private readonly deliveries: DeliveryStore,
    private readonly reader: RunReader,
    private readonly ids: IdSource,
    private readonly log: RunLog,
    followers: LogFollowers,
  ) {
    const pace = { ...DEFAULT_PACE, pageSize: PAGE_SIZE, gatherMs: GATHER_MS };
    this.follower = followers.create(this, pace);
  }

  /** @param onDeliveries called when deliveries were made */
  start(onDeliveries: () => void): void {
    this.onDeliveries = onDeliveries;
    this.follower.start();
  }

  stop(): Promise<void> {
    return this.follower.stop();
  }

  /** Reads soon: events may have come that nobody hinted at. */
  look(): void {
    this.follower.look();
  }

  /** Nobody was told of anything before the first webhook was made, so the first reading begins at the end of the log. */
  async cursor(): Promise<string> {
    const cursor = await this.deliveries.cursor();
    if (cursor !== '' || (await this.webhooks.listEnabled()).length > 0) return cursor;
    const head = await this.log.head();
    return (await this.deliveries.commit('', head, [])) ? head : this.deliveries.cursor();
  }

  async take(from: string, { entries, cursor }: LogPage): Promise<void> {
    const made = await this.deliveriesOf(entries);
    if (!(await this.deliveries.commit(from, cursor, made))) return; // another process was faster
    if (made.length > 0) this.onDeliveries();
  }

  private async deliveriesOf(entries: readonly LogEntry[]): Promise<readonly NewDelivery[]> {
    const webhooks = await this.webhooks.listEnabled();
    if (webhooks.length === 0) return [];
    const traits = await this.traitsOf(entries, webhooks);
    return entries.flatMap(({ namespace, event: { event } }) => {
      const at = Date.parse(event.at);
      return webhooks
        .filter((webhook) => webhook.namespace === namespace && webhook.createdAt <= at)
        .filter(({ filter }) => passes(filter, event, traits.get(event.runId)))
        .map(({ id: webhookId }) => {
          const { runId, seq, type } = event;
          return { id: this.ids.next('dlv'), webhookId, namespace, runId, seq, type, createdAt: at };
        });
    });
  }

  /** Read only for namespaces whose webhooks ask for them. */
  private async traitsOf(
    entries: readonly LogEntry[],
    webhooks: readonly Webhook[],
  ): Promise<ReadonlyMap<string, RunTraits>> {
    const asking = new Set(
      webhooks.filter(({ filter }) => needsTraits(filter)).map(({ namespace }) => namespace),
    );
    const traits = new Map<string, RunTraits>();
    for (const namespace of asking) {
      const own = entries.filter((entry) => entry.namespace === namespace);
      const runIds = [...new Set(own.map(({ event }) => event.head.runId))];
      for (let first = 0; first < runIds.length; first += MAX_ROWS) {
        const rows = await this.reader.rows(namespace, runIds.slice(first, first + MAX_ROWS));
        for (const { id, tags, workflowId } of rows)
          traits.set(id, { tags, ...(workflowId !== undefined && { workflowId }) });
      }
    }
    return traits;
  }
}
