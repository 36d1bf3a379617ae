import { approvalStoreContract } from './approval-store.contract.js';
import { blobStoreContract } from './blob-store.contract.js';
import { dutyStoreContract } from './duty-store.contract.js';
import { idempotencyStoreContract } from './idempotency-store.contract.js';
import { keyStoreContract } from './key-store.contract.js';
import { logCursorStoreContract } from './log-cursor-store.contract.js';
import { metricStoreContract } from './metric-store.contract.js';
import { limiterContract } from './limiter.contract.js';
import type { RecordEngine } from './record-scene.js';
import { retentionStoreContract } from './retention-store.contract.js';
import { runCatalogueContract } from './run-catalogue.contract.js';
import { runInboxContract } from './run-inbox.contract.js';
import { runLeaseContract } from './run-lease.contract.js';
import { runLogContract } from './run-log.contract.js';
import { runStoreContract } from './run-store.contract.js';
import { scheduleStoreContract } from './schedule-store.contract.js';
import { secretStoreContract } from './secret-store.contract.js';
import { taskStoreContract } from './task-store.contract.js';
import { templateStoreContract } from './template-store.contract.js';
import { versionedStoreContract } from './versioned-store.contract.js';

/** What every engine that keeps the record promises, port by port. */
export function recordContract(engine: RecordEngine): void {
  runStoreContract(engine);
  runLeaseContract(engine);
  dutyStoreContract(engine);
  runInboxContract(engine);
  runCatalogueContract(engine);
  runLogContract(engine);
  idempotencyStoreContract(engine);
  keyStoreContract(engine);
  blobStoreContract(engine);
  templateStoreContract(engine);
  metricStoreContract(engine);
  logCursorStoreContract(engine);
  versionedStoreContract(engine);
  secretStoreContract(engine);
  limiterContract(engine);
  taskStoreContract(engine);
  scheduleStoreContract(engine);
  approvalStoreContract(engine);
  retentionStoreContract(engine);
}
