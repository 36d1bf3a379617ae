import { Injectable, Logger } from '@nestjs/common';

import { Clock } from '../../platform/clock/clock.js';
import { RunLease, type DueRun } from '../run.lease.js';
import { RunQueue } from '../run.queue.js';
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
  private stopHints: (() => void) | undefined;
  private isSweeping = false;
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
  ) {}

  /** Becomes the owner of this record's runs and begins to take them: former owners are dead, their runs free. */
  async start(): Promise<void> {
    this.isStopped = false;
    await this.lease.retire('all');
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
      if (why !== 'terminal' || this.hasBacklog) this.sweep();
    });
    this.stopHints = this.queue.consume(({ runId }) => {
      this.look(runId);
    });
    this.sweep();
  }

  /** Stops claiming, drains the engine, ends the lease. */
  async stop(signal: AbortSignal): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    this.stopHints?.();
    this.wake?.cancel();
    await this.engine.drain(signal);
    try {
      await this.owner.stop();
    } finally {
      this.engine.dropAll(); // what could not be handed back in time is aborted
    }
  }

  /** Looks at a run: its owner here reads its inbox, otherwise it is claimed when a slot is free. */
  look(runId: string): void {
    const loop = this.engine.find(runId);
    if (loop !== undefined) {
      loop.mail();
      return;
    }
    this.hasBacklog = true;
    if (this.engine.freeSlots > 0) this.sweep();
  }

  /** Looks for due runs now, or right after the look under way. */
  sweep(): void {
    this.isAsked = true;
    if (!this.isSweeping && !this.isStopped) void this.sweepWhileAsked();
  }

  private attend(runIds: readonly string[]): void {
    for (const runId of runIds) this.look(runId);
  }

  private async sweepWhileAsked(): Promise<void> {
    this.isSweeping = true;
    try {
      while (this.isAsked && !this.isStopped) {
        this.isAsked = false;
        await this.sweepOnce();
      }
    } catch (error) {
      this.logger.warn({ msg: 'looking for due runs failed', err: error });
      this.sleepUntil(this.clock.now() + SWEEP_RETRY_MS);
    } finally {
      this.isSweeping = false;
    }
  }

  private async sweepOnce(): Promise<void> {
    if (!this.owner.believes()) return; // nothing could be claimed; a new lease begins with a look
    if (this.nextExpiryAt <= this.clock.now()) await this.lease.retire('expired');
    const slots = Math.min(this.engine.freeSlots, SWEEP_LIMIT);
    const { runs, nextWakeAt, nextExpiryAt } = await this.lease.due(Math.max(1, slots));
    this.nextExpiryAt = nextExpiryAt ?? Infinity;
    this.hasBacklog = slots === 0 ? runs.length > 0 : runs.length === slots;
    if (slots > 0) await Promise.all(runs.map((run) => this.take(run)));
    if (this.hasBacklog && this.engine.freeSlots > 0) this.isAsked = true;
    const wakes = [nextWakeAt, nextExpiryAt].filter((at) => at !== undefined);
    if (wakes.length > 0) this.sleepUntil(Math.min(...wakes));
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
