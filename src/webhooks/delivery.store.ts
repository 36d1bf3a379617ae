/**
 * Deliveries, and how far the log has been turned into them.
 *
 * Decided here: a page of the log becomes deliveries once, because the cursor moves in the same transaction; of the
 * deliveries of one run to one webhook only the first that is pending has a time, so they go one after the other.
 * Decided elsewhere: what becomes of an attempt (domain/attempt-plan.ts).
 */
import type { Page, PageRequest } from '../kernel/page.js';
import type { Delivery, DeliveryStatus } from './domain/delivery.js';
import type { Breaker } from './domain/webhook.js';

/** A delivery to be made; it is due when no pending one of its run is before it. */
export type NewDelivery = Pick<
  Delivery,
  'id' | 'webhookId' | 'namespace' | 'runId' | 'seq' | 'type' | 'createdAt'
>;

/** What an attempt has come to. */
export interface SettledAttempt {
  readonly delivery: Delivery;
  readonly breaker: Breaker;
  /** The tries that were seen: another attempt may have been settled first. */
  readonly seenTries: number;
  /** Settled deliveries of the same webhook that were made before are forgotten. */
  readonly keepFrom: number;
}

export abstract class DeliveryStore {
  /** Where the log is read on; `""` at the beginning. */
  abstract cursor(): Promise<string>;

  /** Moves the cursor and makes deliveries, if it still stands where it was; tells whether it did. */
  abstract commit(from: string, to: string, deliveries: readonly NewDelivery[]): Promise<boolean>;

  /**
   * Takes up to `limit` deliveries that are due, of enabled webhooks whose breaker lets them pass, earliest first.
   * Nobody else takes them before `until`; if whoever took them dies, they are due again then.
   *
   * @param except webhooks that have enough under way
   */
  abstract claim(options: {
    readonly now: number;
    readonly until: number;
    readonly limit: number;
    readonly except: readonly string[];
  }): Promise<readonly Delivery[]>;

  /** When a delivery may be due next, in claims or not; undefined when none is pending. At or before `now`: now. */
  abstract nextDueAt(now: number): Promise<number | undefined>;

  /**
   * Records an attempt and the breaker of the webhook; where the delivery is settled, the next one of its run is due.
   * Tells false, and records nothing, when another attempt of it was recorded first or the webhook is gone.
   */
  abstract settle(attempt: SettledAttempt, now: number): Promise<boolean>;

  /** The delivery, or undefined when the webhook has none of that id. */
  abstract find(webhookId: string, id: string): Promise<Delivery | undefined>;

  /** Deliveries of a webhook, newest first. A cursor that is not one of ours gives an empty page. */
  abstract list(
    webhookId: string,
    filter: { readonly status?: DeliveryStatus; readonly runId?: string },
    page: PageRequest,
  ): Promise<Page<Delivery>>;

  /** Makes deliveries pending again, one or all that were made in a span, ends included; tells how many. */
  abstract replay(
    webhookId: string,
    which: { readonly id: string } | { readonly from: number; readonly to: number },
    now: number,
  ): Promise<number>;
}
