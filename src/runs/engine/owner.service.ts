import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../../platform/clock/clock.js';
import { IdSource } from '../../platform/ids/id.source.js';
import { RunLease, type Renewal } from '../run.lease.js';
import { TimerService, type Timer } from './timer.service.js';

/** How long a lease holds without renewal. */
export const LEASE_TTL_MS = 5_000;

/** How often it is renewed. */
export const LEASE_RENEWAL_MS = 1_250;

/** How long an owner believes in its lease after it sent the renewal: it stops before the database does. */
const BELIEF_MS = LEASE_TTL_MS - 500;

/**
 * How late a timer is when it is told that the process stood still. A clock that is set back slowly makes a renewal
 * late by one renewal at most.
 */
const STALL_MS = 2_000;

/** What happens to an owner; at most one listener each. */
export interface OwnerEvents {
  /** Runs that want to be looked at. */
  attention(runIds: readonly string[]): void;
  /** The lease of a new identity holds: runs can be claimed. */
  held(): void;
  /** The lease is lost: drop every run at once. A new identity follows. */
  lost(): void;
}

/** Who holds something else through the lease of this process. */
export interface OwnerWatcher {
  /** The lease of a new identity holds. */
  held(ownerId: string): void;
  /** The lease is lost. A new identity follows. */
  lost(): void;
  /** Leases of others that had run out were retired. */
  othersRetired(): void;
}

/**
 * This process as an owner of runs: its id, its lease, and how long it may believe in it.
 *
 * The owner's own deadline counts from before a renewal was sent, by monotonic time, so a process that was stopped
 * or cut off fences itself before its first action after waking.
 */
@Injectable()
export class OwnerService {
  private readonly logger = new Logger(OwnerService.name);
  private readonly watchers: OwnerWatcher[] = [];
  private events: OwnerEvents | undefined;
  private believesUntil = -Infinity;
  private nextRenewalAt = Infinity;
  private isStopped = true;
  private currentId = '';
  private lapse: Timer | undefined;

  constructor(
    private readonly lease: RunLease,
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly timers: TimerService,
  ) {}

  /** The owner's id; another one after each lost lease. */
  get id(): string {
    return this.currentId;
  }

  /** Whether the lease still holds by the owner's own clock. Ask before each append, dispatch and outcome. */
  believes(): boolean {
    return this.clock.monotonic() < this.believesUntil;
  }

  /** Called before `start`. */
  watch(watcher: OwnerWatcher): void {
    this.watchers.push(watcher);
  }

  /** Called when leases of others that had run out were retired. */
  noteRetired(): void {
    for (const watcher of this.watchers) watcher.othersRetired();
  }

  /** Registers and begins to renew. Resolves when the first lease holds. */
  async start(events: OwnerEvents): Promise<void> {
    this.events = events;
    this.isStopped = false;
    this.currentId = this.ids.next('own');
    await this.renew();
    this.schedule();
  }

  /** Ends the lease and frees what it still holds. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.believesUntil = -Infinity;
    this.lapse?.cancel();
    await this.lease.retire({ ownerId: this.currentId });
  }

  /** Called when anything shows that the lease is gone. */
  fence(): void {
    if (this.isStopped) return;
    this.logger.warn(`owner ${this.currentId} has lost its lease: its runs are dropped`);
    const lostId = this.currentId;
    this.believesUntil = -Infinity;
    this.currentId = this.ids.next('own');
    this.events?.lost();
    for (const watcher of this.watchers) watcher.lost();
    // Best effort: what can not be freed now is freed when the old lease runs out.
    this.lease.retire({ ownerId: lostId }).catch((error: unknown) => {
      this.logger.warn({ msg: 'the lost lease could not be retired', err: error });
    });
  }

  private hasRunOut(): boolean {
    return this.believesUntil !== -Infinity && !this.believes();
  }

  private schedule(): void {
    if (this.isStopped) return;
    this.nextRenewalAt = this.clock.monotonic() + LEASE_RENEWAL_MS;
    this.timers.after(LEASE_RENEWAL_MS, () => void this.tick());
  }

  /** Asked by whatever comes first after a while in which nothing could: that tells for how long nothing could. */
  private tellOfStall(): void {
    const lapsesAt = this.believesUntil === -Infinity ? Infinity : this.believesUntil;
    const lateMs = Math.round(this.clock.monotonic() - Math.min(this.nextRenewalAt, lapsesAt));
    this.nextRenewalAt = Infinity;
    if (lateMs < STALL_MS || this.isStopped) return;
    this.logger.warn(
      `the event loop was blocked for ${lateMs} ms or more, or the process was stopped: past ${BELIEF_MS} ms its lease is lost`,
    );
  }

  private async tick(): Promise<void> {
    this.tellOfStall();
    try {
      await this.renew();
    } catch (error) {
      this.logger.warn({ msg: 'the lease could not be renewed', err: error });
      if (this.hasRunOut()) this.fence();
    }
    this.schedule();
  }

  private async renew(): Promise<void> {
    if (this.isStopped) return;
    if (this.hasRunOut()) this.fence();
    const ownerId = this.currentId;
    const sentAt = this.clock.monotonic();
    const renewal = await this.lease.renew(ownerId, LEASE_TTL_MS);
    if (ownerId === this.currentId && !this.hasStopped()) this.accept(renewal, sentAt);
  }

  /** Fences at the end of the lease, though a renewal may be under way that never answers. */
  private watchLease(): void {
    this.lapse?.cancel();
    const leftMs = this.believesUntil - this.clock.monotonic();
    this.lapse = this.timers.after(Math.ceil(leftMs) + 1, () => {
      if (!this.hasRunOut()) return;
      this.tellOfStall();
      this.fence();
    });
  }

  private begin(): void {
    this.events?.held();
    for (const watcher of this.watchers) watcher.held(this.currentId);
  }

  private hasStopped(): boolean {
    return this.isStopped;
  }

  private accept(renewal: Renewal, sentAt: number): void {
    if (renewal.held) this.clock.follow(renewal.now, sentAt);
    // An answer after the end gives nothing back: loops may have ended meanwhile, and left claims behind.
    if (!renewal.held || this.hasRunOut()) {
      this.tellOfStall();
      this.fence();
      return;
    }
    const isFirst = this.believesUntil === -Infinity;
    this.believesUntil = sentAt + BELIEF_MS;
    this.watchLease();
    if (isFirst) this.begin();
    if (renewal.attention.length > 0) this.events?.attention(renewal.attention);
  }
}
