import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';

import { DrainService, type DrainHook } from '../../platform/lifecycle/drain.service.js';
import { RecoveryService } from './recovery.service.js';

/** Begins to take runs once the application has started, and hands them back before it ends. */
@Injectable()
export class EngineLifecycle implements OnApplicationBootstrap, OnModuleDestroy, DrainHook {
  readonly name = 'runs';

  constructor(
    private readonly recovery: RecoveryService,
    drains: DrainService,
  ) {
    drains.register(this);
  }

  /** This process is the only one on its record: a directory or advisory lock proves it. */
  async onApplicationBootstrap(): Promise<void> {
    await this.recovery.start();
  }

  drain(deadline: AbortSignal): Promise<void> {
    return this.recovery.stop(deadline);
  }

  /** Closing without a drain hands everything back at once. */
  async onModuleDestroy(): Promise<void> {
    await this.recovery.stop(AbortSignal.abort());
  }
}
