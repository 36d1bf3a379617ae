/** Between what the ports say and what the tables hold. */
import type { IdempotencyAnswer, IdempotencyRow } from '../../platform/ports/idempotency.store.js';
import type { EncodedEvent, RunEvent } from '../../runs/domain/run.events.js';
import type { RunSummary } from '../../runs/domain/summary.js';
import type { RunRow } from '../../runs/run.catalogue.js';
import type { NewRun } from '../../runs/run.store.js';
import type { RunsTable } from './run-tables.js';
import type { IdempotencyKeysTable } from './tables.js';

/** The columns that a summary fills without a rule of its own. */
export type CountColumns = Omit<SummaryColumns, 'status' | 'wake_at'>;

export type SummaryColumns = Pick<
  RunsTable,
  | 'status'
  | 'started_at'
  | 'ended_at'
  | 'steps_total'
  | 'steps_completed'
  | 'steps_failed'
  | 'steps_skipped'
  | 'input_tokens'
  | 'output_tokens'
  | 'cost_micros'
  | 'failure_code'
  | 'failure_message'
  | 'wake_at'
>;

/** The columns that a creation fills; the others begin at zero or at the database's time. */
export type NewRunColumns = Omit<RunsTable, 'inbox_seq' | 'inbox_pending' | 'updated_at'>;

export function summaryColumns(summary: RunSummary): SummaryColumns {
  return {
    status: summary.status,
    started_at: summary.startedAt ?? null,
    ended_at: summary.endedAt ?? null,
    steps_total: summary.stepsTotal,
    steps_completed: summary.stepsCompleted,
    steps_failed: summary.stepsFailed,
    steps_skipped: summary.stepsSkipped,
    input_tokens: summary.inputTokens,
    output_tokens: summary.outputTokens,
    cost_micros: summary.costMicros,
    failure_code: searchable(summary.failureCode),
    failure_message: searchable(summary.failureMessage),
    wake_at: summary.wakeAt ?? null,
  };
}

/** What an agent says of a failure, without the character that PostgreSQL can not keep; the log has it as it was. */
function searchable(text: string | undefined): string | null {
  return text?.replaceAll('\0', '\uFFFD') ?? null;
}

/** @param ownerId who executes the run from the start: epoch 1 is then claimed */
export function newRunColumns(run: NewRun, ownerId?: string): NewRunColumns {
  return {
    id: run.id,
    namespace: run.namespace,
    name: run.name ?? null,
    workflow_id: run.workflowId ?? null,
    workflow_version: run.workflowVersion ?? null,
    priority: run.priority,
    tags: JSON.stringify(run.tags),
    parent_id: run.parentId ?? null,
    created_at: run.createdAt,
    ...summaryColumns(run.summary),
    last_seq: run.events.length,
    epoch: ownerId === undefined ? 0 : 1,
    owner_id: ownerId ?? null,
  };
}

export function runRowOf(row: RunsTable): RunRow {
  return {
    id: row.id,
    namespace: row.namespace,
    ...present('name', row.name),
    ...present('workflowId', row.workflow_id),
    ...present('workflowVersion', row.workflow_version),
    priority: row.priority,
    tags: JSON.parse(row.tags) as readonly string[],
    ...present('parentId', row.parent_id),
    createdAt: row.created_at,
    summary: summaryOf(row),
    lastSeq: row.last_seq,
    epoch: row.epoch,
    ...present('ownerId', row.owner_id),
  };
}

function summaryOf(row: RunsTable): RunSummary {
  return {
    status: row.status,
    ...present('startedAt', row.started_at),
    ...present('endedAt', row.ended_at),
    stepsTotal: row.steps_total,
    stepsCompleted: row.steps_completed,
    stepsFailed: row.steps_failed,
    stepsSkipped: row.steps_skipped,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    costMicros: row.cost_micros,
    ...present('failureCode', row.failure_code),
    ...present('failureMessage', row.failure_message),
    ...present('wakeAt', row.wake_at),
  };
}

/** An object with that key, or without it where the column is null. */
export function present<K extends string, V>(key: K, value: V | null): { readonly [P in K]?: V } {
  return (value === null ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** The texts of events as one column holds them: one per line. JSON text never contains a line break. */
export function joinEvents(events: readonly EncodedEvent[]): string {
  return events.length === 1 && events[0] !== undefined
    ? events[0].text
    : events.map(({ text }) => text).join('\n');
}

/** The events of a column, each with exactly the text that was stored. */
export function splitEvents(column: string): readonly EncodedEvent[] {
  return splitLines(column).map((text) => ({ event: JSON.parse(text) as RunEvent, text }));
}

/** The texts of the events of a column. */
export function splitLines(column: string): readonly string[] {
  return column.split('\n');
}

export function idempotencyColumns(row: IdempotencyRow): IdempotencyKeysTable {
  return {
    namespace: row.namespace,
    operation: row.operation,
    key: row.key,
    body_hash: row.bodyHash,
    created_at: row.createdAt,
    expires_at: row.expiresAt,
    run_id: row.runId ?? null,
    answer: row.answer === undefined ? null : JSON.stringify(row.answer),
  };
}

export function idempotencyRowOf(row: IdempotencyKeysTable): IdempotencyRow {
  return {
    namespace: row.namespace,
    operation: row.operation,
    key: row.key,
    bodyHash: row.body_hash,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...present('runId', row.run_id),
    ...(row.answer === null ? {} : { answer: JSON.parse(row.answer) as IdempotencyAnswer }),
  };
}
