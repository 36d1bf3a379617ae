import { MetricStore } from '../../metrics/metric.store.js';
import { ApprovalStore } from '../../approvals/approval.store.js';
import { AgentStore } from '../../agents/agent.store.js';
import { SecretStore } from '../../access/secret.store.js';
import { TaskStore } from '../../agents/task.store.js';
import { BlobStore } from '../../platform/ports/blob.store.js';
import { DutyStore } from '../../platform/ports/duty.store.js';
import { IdempotencyStore } from '../../platform/ports/idempotency.store.js';
import { KeyStore } from '../../platform/ports/key.store.js';
import { RecordRoom } from '../../platform/ports/record-room.js';
import { LogCursorStore } from '../../runs/log-cursor.store.js';
import { Limiter } from '../../platform/ports/limiter.js';
import { RunCatalogue } from '../../runs/run.catalogue.js';
import { RunInbox } from '../../runs/run.inbox.js';
import { RunLease } from '../../runs/run.lease.js';
import { RunLog } from '../../runs/run.log.js';
import { RetentionStore } from '../../runs/retention.store.js';
import { RunStore } from '../../runs/run.store.js';
import { ScheduleStore } from '../../schedules/schedule.store.js';
import { TemplateStore } from '../../templates/template.store.js';
import { DeliveryStore } from '../../webhooks/delivery.store.js';
import { WebhookStore } from '../../webhooks/webhook.store.js';
import { WorkflowStore } from '../../workflows/workflow.store.js';
import { SqlAgentStore } from './sql-agent.store.js';
import { SqlApprovalStore } from './sql-approval.store.js';
import { SqlBlobStore } from './sql-blob.store.js';
import { SqlDeliveryStore } from './sql-delivery.store.js';
import { SqlDutyStore } from './sql-duty.store.js';
import { SqlIdempotencyStore } from './sql-idempotency.store.js';
import { SqlKeyStore } from './sql-key.store.js';
import { SqlLogCursorStore } from './sql-log-cursor.store.js';
import { SqlMetricStore } from './sql-metric.store.js';
import { SqlLimiter } from './sql-limiter.js';
import { SqlRecordRoom } from './sql-record-room.js';
import { SqlRetentionStore } from './sql-retention.store.js';
import { SqlRunCatalogue } from './sql-run.catalogue.js';
import { SqlRunInbox } from './sql-run.inbox.js';
import { SqlRunLease } from './sql-run.lease.js';
import { SqlRunLog } from './sql-run.log.js';
import { SqlRunStore } from './sql-run.store.js';
import { SqlScheduleStore } from './sql-schedule.store.js';
import { SqlSecretStore } from './sql-secret.store.js';
import { SqlTaskStore } from './sql-task.store.js';
import { SqlTemplateStore } from './sql-template.store.js';
import { SqlWebhookStore } from './sql-webhook.store.js';
import { SqlWorkflowStore } from './sql-workflow.store.js';

/** The ports of the record, each with its adapter on SQL. */
export const SQL_ADAPTERS = [
  [RunStore, SqlRunStore],
  [RunLease, SqlRunLease],
  [DutyStore, SqlDutyStore],
  [RunInbox, SqlRunInbox],
  [RunCatalogue, SqlRunCatalogue],
  [RunLog, SqlRunLog],
  [RetentionStore, SqlRetentionStore],
  [IdempotencyStore, SqlIdempotencyStore],
  [KeyStore, SqlKeyStore],
  [RecordRoom, SqlRecordRoom],
  [BlobStore, SqlBlobStore],
  [TemplateStore, SqlTemplateStore],
  [LogCursorStore, SqlLogCursorStore],
  [MetricStore, SqlMetricStore],
  [AgentStore, SqlAgentStore],
  [WorkflowStore, SqlWorkflowStore],
  [SecretStore, SqlSecretStore],
  [Limiter, SqlLimiter],
  [TaskStore, SqlTaskStore],
  [ScheduleStore, SqlScheduleStore],
  [WebhookStore, SqlWebhookStore],
  [DeliveryStore, SqlDeliveryStore],
  [ApprovalStore, SqlApprovalStore],
] as const;
