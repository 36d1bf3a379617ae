import { MemoryApprovalStore } from '../../src/storage/memory/memory-approval.store.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob.store.js';
import { MemoryDutyStore } from '../../src/storage/memory/memory-duty.store.js';
import { MemoryIdempotencyStore } from '../../src/storage/memory/memory-idempotency.store.js';
import { MemoryKeyStore } from '../../src/storage/memory/memory-key.store.js';
import { MemoryLogCursorStore } from '../../src/storage/memory/memory-log-cursor.store.js';
import { MemoryMetricStore } from '../../src/storage/memory/memory-metric.store.js';
import { MemoryLimiter } from '../../src/storage/memory/memory-limiter.js';
import { MemoryRecord } from '../../src/storage/memory/memory-record.js';
import { MemoryRetentionStore } from '../../src/storage/memory/memory-retention.store.js';
import { MemoryRunCatalogue } from '../../src/storage/memory/memory-run.catalogue.js';
import { MemoryRunInbox } from '../../src/storage/memory/memory-run.inbox.js';
import { MemoryRunLease } from '../../src/storage/memory/memory-run.lease.js';
import { MemoryRunLog } from '../../src/storage/memory/memory-run.log.js';
import { MemoryRunStore } from '../../src/storage/memory/memory-run.store.js';
import { MemoryScheduleStore } from '../../src/storage/memory/memory-schedule.store.js';
import { MemorySecretStore } from '../../src/storage/memory/memory-secret.store.js';
import { MemoryTaskStore } from '../../src/storage/memory/memory-task.store.js';
import { MemoryTemplateStore } from '../../src/storage/memory/memory-template.store.js';
import {
  MemoryVersionedStore,
  type MemoryResources,
} from '../../src/storage/memory/memory-versioned.store.js';
import type { Stores } from '../contract/record-scene.js';
import { ManualClock } from './manual-clock.js';

/** An empty record in memory on a clock of its own. */
export function memoryStores(clock = new ManualClock()): Stores {
  const record = new MemoryRecord(clock);
  const tasks = new MemoryTaskStore(clock);
  const resources: MemoryResources = new Map();
  return {
    runs: new MemoryRunStore(record),
    lease: new MemoryRunLease(record),
    duties: new MemoryDutyStore(record),
    inbox: new MemoryRunInbox(record),
    catalogue: new MemoryRunCatalogue(record),
    log: new MemoryRunLog(record),
    idempotency: new MemoryIdempotencyStore(record),
    keys: new MemoryKeyStore(record),
    blobs: new MemoryBlobStore(record),
    templates: new MemoryTemplateStore(),
    metrics: new MemoryMetricStore(),
    cursors: new MemoryLogCursorStore(),
    agents: new MemoryVersionedStore(resources, 'agent'),
    workflows: new MemoryVersionedStore(resources, 'workflow'),
    secrets: new MemorySecretStore(),
    limiter: new MemoryLimiter(clock),
    tasks,
    schedules: new MemoryScheduleStore(),
    approvals: new MemoryApprovalStore(record),
    retention: new MemoryRetentionStore(record, tasks),
    now: () => Promise.resolve(clock.now()),
    advance: (ms) => {
      clock.advance(ms);
    },
    count: (kind) => Promise.resolve(kind === 'settlement' ? record.settlements.size : record.audits.size),
  };
}
