import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { DutyRoster } from '../../platform/duties/duty-roster.js';
import { DrainService, type DrainHook } from '../../platform/lifecycle/drain.service.js';
import { OwnerService } from './owner.service.js';
import { RecoveryService } from './recovery.service.js';

/**
 * Begins to take runs once the application has started, and hands them back before it ends. The lease that it has
 * meanwhile is the one that duties are held through.
 */
@Injectable()
export class EngineLifecycle implements OnApplicationBootstrap, OnModuleDestroy, DrainHook {
  readonly name = 'runs';

  constructor(
    private readonly recovery: RecoveryService,
    private readonly roster: DutyRoster,
    owner: OwnerService,
    drains: DrainService,
  ) {
    drains.register(this);
    owner.watch({
      held: (ownerId) => {
        roster.hold(ownerId);
      },
      lost: () => {
        roster.lose();
      },
      othersRetired: () => {
        roster.othersRetired();
      },
    });
  }

  /** Duties that were taken have begun before the first request comes in. */
  async onApplicationBootstrap(): Promise<void> {
    await this.recovery.start();
    await this.roster.begun;
  }

  drain(deadline: AbortSignal): Promise<void> {
    return this.recovery.stop(deadline);
  }

  /** Closing without a drain hands everything back at once. */
  async onModuleDestroy(): Promise<void> {
    await this.recovery.stop(AbortSignal.abort());
  }
}
