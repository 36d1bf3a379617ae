import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { WakeLoop, type NextLook } from '../platform/clock/wake-loop.js';
import { DutyRoster } from '../platform/duties/duty-roster.js';
import { ATTEMPT_TIMEOUT_MS, DeliveryExecutor } from './delivery.executor.js';
import { DeliveryStore } from './delivery.store.js';
import type { Delivery } from './domain/delivery.js';

/** Attempts under way at once, and of these to one webhook: a slow receiver holds up no other. */
const MAX_UNDER_WAY = 64;
const MAX_OF_ONE = 8;
const CLAIMED_AT_ONCE = 16;
/** Whoever has claimed a delivery and not reported by then has died. */
const CLAIM_MS = ATTEMPT_TIMEOUT_MS + 5_000;
/** The least time between two looks that the clock asks for. */
const MIN_SLEEP_MS = 50;

/** Who turns events into deliveries, and makes these: one process of all. */
export const DELIVERY_DUTY = 'webhooks';

/** Takes deliveries as they are due and has them tried; sleeps while there are none. */
@Injectable()
export class DeliveryLoop {
  private readonly logger = new Logger(DeliveryLoop.name);
  private readonly underWay = new Map<string, { readonly webhookId: string; readonly done: Promise<void> }>();
  private leave = new AbortController();
  private readonly loop = new WakeLoop({
    look: () => this.lookOnce(),
    now: () => this.clock.now(),
    onError: (err) => {
      this.logger.warn({ msg: 'looking for deliveries failed', err });
    },
  });

  constructor(
    private readonly store: DeliveryStore,
    private readonly executor: DeliveryExecutor,
    private readonly clock: Clock,
    private readonly roster: DutyRoster,
  ) {}

  start(): void {
    this.leave = new AbortController();
    void this.loop.start();
  }

  /** Takes nothing more; attempts under way may end until the deadline, then they are broken off and made again. */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.loop.stop();
    const leave = (): void => {
      this.leave.abort();
    };
    if (deadline.aborted) leave();
    else deadline.addEventListener('abort', leave, { once: true });
    await Promise.all([...this.underWay.values()].map(({ done }) => done));
    deadline.removeEventListener('abort', leave);
  }

  /** Somebody has made deliveries of a webhook due: they are made here, or where the duty is. */
  ask(webhookId: string): void {
    this.look();
    this.roster.tell(DELIVERY_DUTY, webhookId);
  }

  /** Looks for what is due, because something was made due. */
  look(): void {
    void this.loop.look();
  }

  private async lookOnce(): Promise<NextLook> {
    const free = MAX_UNDER_WAY - this.underWay.size;
    if (free <= 0) return undefined; // the end of an attempt looks again
    const now = this.clock.now();
    const limit = Math.min(free, CLAIMED_AT_ONCE);
    const except = this.saturated();
    const claimed = await this.store.claim({ now, until: now + CLAIM_MS, limit, except });
    for (const delivery of claimed) this.begin(delivery);
    if (claimed.length === limit) return 'now';
    const next = await this.store.nextDueAt(now);
    if (next === undefined || (next <= now && except.length > 0)) return undefined;
    return Math.max(next, now + MIN_SLEEP_MS);
  }

  private saturated(): readonly string[] {
    const counts = new Map<string, number>();
    for (const { webhookId } of this.underWay.values())
      counts.set(webhookId, (counts.get(webhookId) ?? 0) + 1);
    return [...counts].filter(([, count]) => count >= MAX_OF_ONE).map(([webhookId]) => webhookId);
  }

  private begin(delivery: Delivery): void {
    const { id, webhookId } = delivery;
    this.underWay.set(id, { webhookId, done: this.attempt(delivery) });
  }

  private async attempt(delivery: Delivery): Promise<void> {
    try {
      await this.executor.attempt(delivery, this.leave.signal);
    } catch (err) {
      this.logger.warn({ msg: 'a delivery could not be tried', deliveryId: delivery.id, err });
    } finally {
      this.underWay.delete(delivery.id);
      void this.loop.look();
    }
  }
}
