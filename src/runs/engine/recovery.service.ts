import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../../platform/clock/clock.js';
import { StorageConfig } from '../../platform/config/app.config.js';
import { RunLease, type DueRun } from '../run.lease.js';
import { RunQueue, type HintSubscription } from '../run.queue.js';
import { OwnerService } from './owner.service.js';
import { RunEngine } from './run.engine.js';
import { TimerService, type Timer } from './timer.service.js';

/** How many runs are claimed at once when slots are free. */
const SWEEP_LIMIT = 100;

/** How long after a failed sweep the next is tried. */
const SWEEP_RETRY_MS = 1_000;

/** The least time between two looks that the clock asks for: the record's time may be a little behind. */
const MIN_SLEEP_MS = 10;

/**
 * Finds runs that nobody drives: queued, woken by a timer or a command, orphaned by a dead owner.
 *
 * It looks when there is a reason to: a hint, a free slot, the next due instant, the next foreign lease that runs
 * out. With none of these it sleeps.
 */
@Injectable()
export class RecoveryService {
  private readonly logger = new Logger(RecoveryService.name);
  private hints: HintSubscription | undefined;
  private sweeping: Promise<void> | undefined;
  private isAsked = false;
  private isStopped = true;
  /** Whether due runs may be left that no slot was free for. */
  private hasBacklog = false;
  private nextExpiryAt = 0;
  private wake: Timer | undefined;

  constructor(
    private readonly engine: RunEngine,
    private readonly lease: RunLease,
    private readonly queue: RunQueue,
    private readonly owner: OwnerService,
    private readonly timers: TimerService,
    private readonly clock: Clock,
    private readonly storage: StorageConfig,
  ) {}

  /**
   * Becomes an owner of this record's runs and begins to take them. Where it is the only one that may be active, former
   * owners are dead and their runs free; otherwise those are whose leases have run out.
   */
  async start(): Promise<void> {
    this.isStopped = false;
    await this.lease.retire(this.hasOthers ? 'expired' : 'all');
    await this.owner.start({
      attention: (runIds) => {
        this.attend(runIds);
      },
      held: () => {
        this.sweep();
      },
      lost: () => {
        this.engine.dropAll();
      },
    });
    this.engine.open((why) => {
      if (why !== 'terminal' || this.mayHaveBacklog()) this.sweep();
    });
    this.hints = this.queue.consume({
      isOpen: () => this.isOpen(),
      take: ({ runId }) => this.look(runId),
      missed: () => {
        if (this.engine.freeSlots > 0) this.sweep();
      },
      hear: (note) => {
        this.engine.hear(note);
      },
    });
    this.sweep();
  }

  /** Stops claiming, drains the engine, ends the lease. */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.hints?.stop();
    this.wake?.cancel();
    await this.engine.drain(signal);
    try {
      await this.owner.stop();
    } finally {
      this.engine.dropAll(); // what could not be handed back in time is aborted
    }
  }

  /**
   * Looks at a run: its owner here reads its inbox, otherwise it is claimed when a slot is free. Resolves when that has
   * been done, or it is left to somebody else.
   */
  async look(runId: string): Promise<void> {
    const loop = this.engine.find(runId);
    if (loop !== undefined) {
      loop.mail();
      return;
    }
    this.hasBacklog = true;
    if (this.engine.freeSlots === 0) return;
    this.sweep();
    await this.sweeping;
  }

  /** Looks for due runs now, or right after the look under way. */
  sweep(): void {
    this.isAsked = true;
    if (this.isStopped) return;
    this.sweeping ??= this.sweepWhileAsked();
  }

  /** Whether other processes own runs of this record at the same time. */
  private get hasOthers(): boolean {
    return this.storage.redisUrl !== undefined;
  }

  /** A process that is alone takes every hint, as nobody else would: it is a mark of what waits for a slot. */
  private isOpen(): boolean {
    if (!this.hasOthers) return true;
    return this.engine.freeSlots > 0 && !this.hasBacklog && this.owner.believes();
  }

  /** A process among others hears of nothing while it has no slot. One has just become free. */
  private mayHaveBacklog(): boolean {
    return this.hasBacklog || (this.hasOthers && this.engine.freeSlots === 1);
  }

  private attend(runIds: readonly string[]): void {
    for (const runId of runIds) void this.look(runId);
  }

  private async sweepWhileAsked(): Promise<void> {
    try {
      while (this.isAsked && !this.isStopped) {
        this.isAsked = false;
        await this.sweepOnce();
      }
    } catch (error) {
      this.logger.warn({ msg: 'looking for due runs failed', err: error });
      this.sleepUntil(this.clock.now() + SWEEP_RETRY_MS);
    } finally {
      this.sweeping = undefined;
    }
  }

  private async sweepOnce(): Promise<void> {
    if (!this.owner.believes()) return; // nothing could be claimed; a new lease begins with a look
    if (this.nextExpiryAt <= this.clock.now()) await this.retireExpired();
    const slots = Math.min(this.engine.freeSlots, SWEEP_LIMIT);
    const { runs, nextWakeAt, nextExpiryAt } = await this.lease.due(slots + 1);
    this.nextExpiryAt = nextExpiryAt ?? Infinity;
    const left = runs[slots];
    this.hasBacklog = left !== undefined;
    await Promise.all(runs.slice(0, slots).map((run) => this.take(run)));
    this.goOn(left);
    const wakes = [nextWakeAt, nextExpiryAt].filter((at) => at !== undefined);
    if (wakes.length > 0) this.sleepUntil(Math.min(...wakes));
  }

  /** What is left is taken next where a slot is free, or else by a process that has one. */
  private goOn(left: DueRun | undefined): void {
    if (left === undefined) this.hints?.resume();
    else if (this.engine.freeSlots > 0) this.isAsked = true;
    else if (this.hasOthers) this.queue.hint(left);
  }

  private async retireExpired(): Promise<void> {
    await this.lease.retire('expired');
    this.owner.noteRetired();
  }

  private async take({ runId, epoch }: DueRun): Promise<void> {
    await this.engine.claim(runId, 'claimed', epoch);
  }

  private sleepUntil(at: number): void {
    this.wake?.cancel();
    if (this.isStopped) return;
    this.wake = this.timers.at(Math.max(at, this.clock.now() + MIN_SLEEP_MS), () => {
      this.sweep();
    });
  }
}
