import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';

import { Clock } from '../clock/clock.js';
import { DrainService, type DrainHook } from '../lifecycle/drain.service.js';
import { Bell } from '../ports/bell.js';
import { DutyStore } from '../ports/duty.store.js';
import type { Duty } from './duty.js';
import { HeldDuty } from './held-duty.js';

/** Rung when duties were given up. */
const GIVEN_UP = 'duties';

/** How often held duties look for work that they were not told of, while bells are heard. */
const UNHEARD_MS = 30_000;

/**
 * The duties of this process: takes those that nobody holds, and ends them when the lease that they are held through
 * is lost.
 *
 * It renews nothing and polls nothing: it looks when a lease begins, when leases of others were retired, and when a
 * duty was given up (ADR 21).
 */
@Injectable()
export class DutyRoster implements DrainHook, OnModuleDestroy {
  readonly name = 'duties';
  private readonly logger = new Logger(DutyRoster.name);
  private readonly duties = new Map<string, HeldDuty>();
  private readonly first = Promise.withResolvers<undefined>();
  private readonly stopListening: (() => void)[] = [];
  private ownerId: string | undefined;
  private isOver = false;
  private looking: Promise<void> = Promise.resolve();
  private wokenAt = -Infinity;

  constructor(
    private readonly store: DutyStore,
    private readonly bell: Bell,
    private readonly clock: Clock,
    drains: DrainService,
  ) {
    drains.register(this);
    this.stopListening.push(bell.onRing(GIVEN_UP, () => void this.look()));
  }

  /** Resolves when the first look after the start is over and what was taken has begun. */
  get begun(): Promise<void> {
    return this.first.promise;
  }

  /** The names of all duties that this process would take, and whether it has them. */
  list(): readonly { readonly name: string; readonly isHeld: boolean }[] {
    return [...this.duties.values()].map((held) => ({ name: held.duty.name, isHeld: held.isBegun }));
  }

  /** Called before the application has started. @throws when a duty of the same name is registered */
  register(duty: Duty): void {
    const { name } = duty;
    if (this.duties.has(name)) throw new Error(`Two duties are named "${name}"`);
    const held = new HeldDuty(duty, this.logger);
    this.duties.set(name, held);
    this.stopListening.push(
      this.bell.onRing(bellOf(name), (about) => {
        held.wake(about);
      }),
    );
  }

  /** Tells whoever holds a duty that there is work for it. Does nothing where it is held here: that is known then. */
  tell(name: string, about: string): void {
    if (this.duties.get(name)?.isBegun !== true) this.bell.ring(bellOf(name), about);
  }

  /** The lease of an owner of this process holds: duties are held through it. */
  hold(ownerId: string): void {
    this.ownerId = ownerId;
    void this.look();
  }

  /** Leases of others may have been retired: their duties are free. */
  othersRetired(): void {
    void this.look();
    this.wakeUnheard();
  }

  /** The lease is lost: ends every duty at once. */
  lose(): void {
    this.ownerId = undefined;
    void this.endAll(AbortSignal.abort());
  }

  /** Ends every duty, and tells others that they are to be had. */
  async drain(deadline: AbortSignal): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    this.first.resolve(undefined);
    for (const stop of this.stopListening) stop();
    const { ownerId } = this;
    this.ownerId = undefined;
    const ended = this.endAll(deadline);
    await this.looking;
    // At once: what is still under way here is safe beside another holder.
    if (ownerId !== undefined) await this.giveUp(ownerId);
    await ended;
  }

  onModuleDestroy(): Promise<void> {
    return this.drain(AbortSignal.abort());
  }

  private look(): Promise<void> {
    this.looking = this.looking.then(() => this.lookOnce());
    return this.looking;
  }

  private async lookOnce(): Promise<void> {
    const { ownerId } = this;
    if (ownerId === undefined) return;
    try {
      await this.takeMissing(ownerId);
    } catch (err) {
      this.logger.warn({ msg: 'Duties could not be taken', err });
    }
    this.first.resolve(undefined);
  }

  private async takeMissing(ownerId: string): Promise<void> {
    const missing = [...this.duties.values()].filter((held) => !held.isBegun).map(({ duty }) => duty.name);
    if (missing.length === 0) return;
    const taken = await this.store.take(missing, ownerId);
    if (taken.length === 0 || ownerId !== this.ownerId) return;
    this.logger.log({ msg: 'This process has duties', duties: taken });
    const begun = [...this.duties.values()].filter(({ duty }) => taken.includes(duty.name));
    await Promise.all(begun.map((held) => held.begin()));
  }

  private async endAll(deadline: AbortSignal): Promise<void> {
    await Promise.all([...this.duties.values()].map((held) => held.end(deadline)));
  }

  private async giveUp(ownerId: string): Promise<void> {
    try {
      await this.store.giveUp(ownerId);
      this.bell.ring(GIVEN_UP, ownerId);
    } catch (err) {
      this.logger.warn({ msg: 'Duties could not be given up: others take them when the lease ends', err });
    }
  }

  /** Rings may get lost between processes: held duties look now and then, more often while no ring is heard. */
  private wakeUnheard(): void {
    const { reach } = this.bell;
    const now = this.clock.monotonic();
    if (reach === 'all' || (reach === 'most' && now - this.wokenAt < UNHEARD_MS)) return;
    this.wokenAt = now;
    for (const held of this.duties.values()) held.wake();
  }
}

function bellOf(name: string): string {
  return `duty/${name}`;
}
