import type { Logger } from '@nestjs/common';

import type { Duty } from './duty.js';

/** A duty in this process: begun and ended one after the other, however fast it is taken and lost. */
export class HeldDuty {
  private work: Promise<void> = Promise.resolve();
  private isHeld = false;
  private isRunning = false;

  constructor(
    readonly duty: Duty,
    private readonly logger: Logger,
  ) {}

  get isBegun(): boolean {
    return this.isHeld && this.isRunning;
  }

  /** Resolves when it has begun, or has failed to. */
  begin(): Promise<void> {
    this.isHeld = true;
    return this.next(async () => {
      if (!this.isHeld || this.isRunning) return;
      await this.duty.start();
      this.isRunning = true;
    });
  }

  /** Resolves when it has ended. */
  end(deadline: AbortSignal): Promise<void> {
    this.isHeld = false;
    return this.next(async () => {
      if (!this.isRunning) return;
      this.isRunning = false;
      await this.duty.stop(deadline);
    });
  }

  wake(about?: string): void {
    if (this.isBegun) this.duty.wake?.(about);
  }

  private next(step: () => Promise<void>): Promise<void> {
    this.work = this.work.then(step).catch((err: unknown) => {
      this.logger.warn({ msg: 'A duty could not begin or end', duty: this.duty.name, err });
    });
    return this.work;
  }
}
