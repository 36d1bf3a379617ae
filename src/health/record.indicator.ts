import { Injectable, type OnModuleInit } from '@nestjs/common';

import { KeyStore } from '../platform/ports/key.store.js';
import { isRecordAway } from '../platform/ports/record-away.js';
import { RecordRoom } from '../platform/ports/record-room.js';
import { HealthIndicator, type HealthStatus } from './health.indicator.js';
import { HealthRegistry } from './health.registry.js';

/** Whether the record can be written, and answers, asked by the smallest query that every store has. */
@Injectable()
export class RecordIndicator extends HealthIndicator implements OnModuleInit {
  override readonly name = 'record';

  constructor(
    private readonly keys: KeyStore,
    private readonly room: RecordRoom,
    private readonly registry: HealthRegistry,
  ) {
    super();
  }

  onModuleInit(): void {
    this.registry.register(this);
  }

  override async check(): Promise<HealthStatus> {
    if (await this.room.isFull())
      return { status: 'down', detail: { reason: 'the disk of the record is full' } };
    try {
      await this.keys.hasAny();
      return { status: 'up' };
    } catch (error) {
      if (!isRecordAway(error)) throw error;
      return { status: 'down', detail: { reason: 'the record does not answer' } };
    }
  }
}
