/**
 * The tables as Kysely sees them: one interface for both engines. Times are milliseconds since the epoch, money is
 * integer micro-dollars, JSON is text. What creates them is in migrations/.
 */
import type { Generated } from 'kysely';

import type { TaskStatus } from '../../agents/domain/task.js';
import type { Grain } from '../../metrics/domain/grain.js';
import type { Dimension } from '../../metrics/domain/series.js';
import type { FireOutcome } from '../../schedules/domain/fire.js';
import type { ScheduleStatus } from '../../schedules/domain/schedule.js';
import type { Decision } from '../../runs/domain/approval.js';
import type { ApprovalStatus } from '../../runs/run.store.js';
import type { TemplateKind } from '../../templates/domain/template.js';
import type { DeliveryStatus } from '../../webhooks/domain/delivery.js';
import type {
  PurgedRunsTable,
  RunAppendsTable,
  RunBlobsTable,
  RunCheckpointsTable,
  RunInboxTable,
  RunTagsTable,
  RunsTable,
} from './run-tables.js';

export interface OwnersTable {
  readonly id: string;
  readonly expires_at: number;
  /** Set when the lease was ended; the row stays for a day, so the id can not come back. */
  readonly retired_at: number | null;
}

/** Work that one process does for all. */
export interface DutiesTable {
  readonly name: string;
  /** Null: nobody holds it. */
  readonly owner_id: string | null;
}

export interface IdempotencyKeysTable {
  readonly namespace: string;
  readonly operation: string;
  readonly key: string;
  readonly body_hash: string;
  readonly created_at: number;
  readonly expires_at: number;
  readonly run_id: string | null;
  /** JSON of the answer; null while there is none. */
  readonly answer: string | null;
}

export interface ApiKeysTable {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly hash: string;
  /** JSON array of keys of agents; null for a key that is not a worker's. */
  readonly agents: string | null;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

export interface AuditLogTable {
  readonly id: string;
  readonly namespace: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly details: string;
  readonly at: number;
}

export interface BudgetSettlementsTable {
  readonly reservation_id: string;
  readonly scope: string;
  readonly namespace: string;
  readonly cost_micros: number;
  readonly at: number;
}

export interface BlobsTable {
  readonly namespace: string;
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly created_at: number;
}

export interface TemplatesTable {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Kind, description and tags are those of the latest version. */
  readonly kind: TemplateKind;
  readonly description: string | null;
  /** JSON array, for lists; `template_tags` holds the same tags for filters. */
  readonly tags: string;
  readonly latest_version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface TemplateVersionsTable {
  readonly template_id: string;
  readonly version: number;
  readonly namespace: string;
  readonly kind: TemplateKind;
  /** JSON: text or messages, variables, description, tags. */
  readonly body: string;
  /** JSON array of names. */
  readonly undeclared: string;
  readonly author: string;
  readonly change_note: string | null;
  readonly created_at: number;
}

export interface TemplateLabelsTable {
  readonly template_id: string;
  readonly label: string;
  readonly namespace: string;
  readonly version: number;
  readonly reason: string | null;
  readonly moved_by: string;
  readonly moved_at: number;
}

export interface TemplateTagsTable {
  readonly namespace: string;
  readonly tag: string;
  readonly template_id: string;
}

/** How far each follower has come along the log. */
export interface LogCursorsTable {
  readonly follower: string;
  readonly cursor: string;
  readonly fold_version: number;
}

export interface MetricSeriesTable {
  readonly id: Generated<number>;
  readonly namespace: string;
  readonly dimension: Dimension;
  readonly parent: string;
  readonly key: string;
}

export interface MetricFiguresTable {
  readonly series_id: number;
  readonly grain: Grain;
  /** The beginning of the piece of time. */
  readonly at: number;
  readonly namespace: string;
  /** JSON: counts and histograms. */
  readonly figures: string;
}

export interface MetricOpenRunsTable {
  readonly run_id: string;
  readonly namespace: string;
  /** JSON: when it started, its open attempts. */
  readonly state: string;
}

export interface ResourcesTable {
  readonly id: string;
  readonly namespace: string;
  /** `agent`, `workflow`, … */
  readonly type: string;
  readonly name: string;
  /** Title, description and facets are those of the latest version. */
  readonly title: string | null;
  readonly description: string | null;
  /** JSON, for lists; `resource_facets` holds the same words for filters. */
  readonly facets: string;
  readonly status: string | null;
  readonly latest_version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface ResourceVersionsTable {
  readonly resource_id: string;
  readonly version: number;
  readonly namespace: string;
  readonly type: string;
  /** JSON. */
  readonly body: string;
  readonly author: string;
  readonly change_note: string | null;
  readonly created_at: number;
}

export interface ResourceLabelsTable {
  readonly resource_id: string;
  readonly label: string;
  readonly namespace: string;
  readonly version: number;
  readonly reason: string | null;
  readonly moved_by: string;
  readonly moved_at: number;
}

export interface ResourceFacetsTable {
  readonly namespace: string;
  readonly type: string;
  readonly facet: string;
  readonly value: string;
  readonly resource_id: string;
}

export interface ResourceReferencesTable {
  readonly namespace: string;
  readonly type: string;
  readonly target_type: string;
  readonly target: string;
  readonly resource_id: string;
  readonly version: number;
}

export interface SecretsTable {
  readonly namespace: string;
  readonly name: string;
  readonly sealed: string;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface LimitKeysTable {
  readonly namespace: string;
  readonly key: string;
  readonly paused_until: number;
}

export interface LimitSlotsTable {
  readonly namespace: string;
  readonly key: string;
  readonly holder: string;
  readonly expires_at: number;
}

export interface LimitBucketsTable {
  readonly namespace: string;
  readonly key: string;
  readonly bucket: string;
  /** 60,000 times what is in it; below zero when more was spent than reserved. */
  readonly level: number;
  readonly filled_at: number;
}

export interface TasksTable {
  readonly id: string;
  readonly namespace: string;
  readonly agent_key: string;
  readonly lineage: string;
  /** JSON. */
  readonly input: string;
  readonly idempotency_key: string;
  readonly attempt: number;
  readonly run_id: string | null;
  readonly step_id: string | null;
  readonly heartbeat_timeout_ms: number;
  readonly max_deliveries: number;
  readonly created_at: number;
  readonly status: TaskStatus;
  readonly deliveries: number;
  /** Of the last lease; null once it has run out. */
  readonly token_hash: string | null;
  readonly lease_until: number | null;
  /** JSON; null while it is open or was cancelled. */
  readonly outcome: string | null;
  readonly ended_at: number | null;
}

export interface SchedulesTable {
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly status: ScheduleStatus;
  /** The id or name of the stored workflow that it starts. */
  readonly workflow: string | null;
  readonly version: number;
  readonly revision: number;
  /** JSON: rule, policy, what it starts, why it is paused. */
  readonly body: string;
  readonly next_at: number | null;
  readonly last_at: number | null;
  readonly wake_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface ScheduleFiresTable {
  readonly id: string;
  readonly schedule_id: string;
  readonly namespace: string;
  readonly scheduled_at: number;
  readonly fired_at: number;
  readonly outcome: FireOutcome;
  /** 1 or 0. */
  readonly is_open: number;
  /** JSON: everything else. */
  readonly body: string;
}

export interface WebhooksTable {
  readonly id: string;
  readonly namespace: string;
  /** JSON: address, description, filter, sealed secret. */
  readonly body: string;
  /** 1 or 0. */
  readonly is_enabled: number;
  readonly version: number;
  readonly failures: number;
  readonly open_until: number | null;
  readonly reason: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

export interface WebhookDeliveriesTable {
  readonly id: string;
  readonly webhook_id: string;
  readonly namespace: string;
  readonly run_id: string;
  readonly seq: number;
  readonly type: string;
  readonly status: DeliveryStatus;
  readonly tries: number;
  readonly next_at: number | null;
  /** JSON array. */
  readonly attempts: string;
  readonly created_at: number;
  readonly settled_at: number | null;
}

export interface WebhookCursorsTable {
  readonly id: string;
  readonly namespace: string;
  readonly cursor: string;
}

export interface ApprovalsTable {
  readonly id: string;
  readonly namespace: string;
  readonly run_id: string;
  readonly path: string;
  readonly status: ApprovalStatus;
  /** JSON. */
  readonly asked: string;
  readonly requested_at: number;
  readonly expires_at: number | null;
  readonly decision: Decision | null;
  /** JSON of what was filled in; null when nobody has answered. */
  readonly data: string | null;
  readonly answered_by: string | null;
  readonly resolved_at: number | null;
}

export interface ApprovalAssigneesTable {
  readonly namespace: string;
  readonly assignee: string;
  readonly requested_at: number;
  readonly approval_id: string;
}

export interface Tables {
  readonly runs: RunsTable;
  readonly run_tags: RunTagsTable;
  readonly run_appends: RunAppendsTable;
  readonly run_inbox: RunInboxTable;
  readonly run_checkpoints: RunCheckpointsTable;
  readonly owners: OwnersTable;
  readonly duties: DutiesTable;
  readonly idempotency_keys: IdempotencyKeysTable;
  readonly api_keys: ApiKeysTable;
  readonly audit_log: AuditLogTable;
  readonly budget_settlements: BudgetSettlementsTable;
  readonly blobs: BlobsTable;
  readonly run_blobs: RunBlobsTable;
  readonly purged_runs: PurgedRunsTable;
  readonly templates: TemplatesTable;
  readonly template_versions: TemplateVersionsTable;
  readonly template_labels: TemplateLabelsTable;
  readonly template_tags: TemplateTagsTable;
  readonly log_cursors: LogCursorsTable;
  readonly metric_series: MetricSeriesTable;
  readonly metric_figures: MetricFiguresTable;
  readonly metric_open_runs: MetricOpenRunsTable;
  readonly resources: ResourcesTable;
  readonly resource_versions: ResourceVersionsTable;
  readonly resource_labels: ResourceLabelsTable;
  readonly resource_facets: ResourceFacetsTable;
  readonly resource_references: ResourceReferencesTable;
  readonly secrets: SecretsTable;
  readonly limit_keys: LimitKeysTable;
  readonly limit_slots: LimitSlotsTable;
  readonly limit_buckets: LimitBucketsTable;
  readonly tasks: TasksTable;
  readonly schedules: SchedulesTable;
  readonly schedule_fires: ScheduleFiresTable;
  readonly webhooks: WebhooksTable;
  readonly webhook_deliveries: WebhookDeliveriesTable;
  readonly webhook_cursors: WebhookCursorsTable;
  readonly approvals: ApprovalsTable;
  readonly approval_assignees: ApprovalAssigneesTable;
}
