import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';

import { Clock } from '../platform/clock/clock.js';
import { Limiter } from '../platform/ports/limiter.js';

/** How long a slot is held that nobody renews. */
export const SLOT_TTL_MS = 10_000;
/** How long before its end a lease that could not be renewed counts as lost: the call must have stopped by then. */
const MARGIN_MS = 500;
const RENEW_MS = 2_500;
const TICK_MS = 1_000;

interface Lease {
  /** On the monotonic clock. */
  deadline: number;
  readonly lost: AbortController;
}

/**
 * The slots that calls of this process hold: renewed while they are held, all of them in one statement.
 *
 * A lease that was lost, or that could not be renewed in time, aborts its call: another one may have taken its place.
 */
@Injectable()
export class SlotLeases implements OnApplicationShutdown {
  private readonly logger = new Logger(SlotLeases.name);
  private readonly leases = new Map<string, Lease>();
  private ticking: NodeJS.Timeout | undefined;
  private renewing = false;
  private renewedAt = 0;

  constructor(
    private readonly limiter: Limiter,
    private readonly clock: Clock,
  ) {}

  /**
   * Keeps a slot that was just taken.
   *
   * @param askedAt monotonic time before the slot was asked for
   * @returns aborted when it is lost
   */
  keep(holder: string, askedAt: number): AbortSignal {
    const lost = new AbortController();
    this.leases.set(holder, { deadline: askedAt + SLOT_TTL_MS - MARGIN_MS, lost });
    this.ticking ??= setInterval(() => {
      this.tick();
    }, TICK_MS).unref();
    return lost.signal;
  }

  /** Keeps it no longer. */
  drop(holder: string): void {
    this.leases.delete(holder);
    if (this.leases.size === 0) this.stop();
  }

  onApplicationShutdown(): void {
    this.stop();
  }

  private stop(): void {
    clearInterval(this.ticking);
    this.ticking = undefined;
  }

  private tick(): void {
    const now = this.clock.monotonic();
    for (const [holder, { deadline }] of this.leases) if (deadline <= now) this.lose(holder);
    if (!this.renewing && now - this.renewedAt >= RENEW_MS) void this.renew(now);
  }

  private async renew(now: number): Promise<void> {
    this.renewing = true;
    const asked = [...this.leases.keys()];
    try {
      const held = new Set(await this.limiter.renew(asked, SLOT_TTL_MS));
      this.renewedAt = now;
      for (const holder of asked) {
        const lease = this.leases.get(holder);
        if (lease === undefined) continue;
        if (held.has(holder)) lease.deadline = now + SLOT_TTL_MS - MARGIN_MS;
        else this.lose(holder);
      }
    } catch (err) {
      this.logger.warn({ err, msg: 'The leases of slots could not be renewed' });
    } finally {
      this.renewing = false;
    }
  }

  private lose(holder: string): void {
    this.leases.get(holder)?.lost.abort();
    this.drop(holder);
  }
}
