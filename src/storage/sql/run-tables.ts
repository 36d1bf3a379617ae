/**
 * The tables of runs: their rows, and what of them ends with them. Times, money and JSON are as in tables.ts.
 */
import type { Generated } from 'kysely';

import type { RunStatus } from '../../runs/domain/run.status.js';

export interface RunsTable {
  readonly id: string;
  readonly namespace: string;
  readonly name: string | null;
  readonly workflow_id: string | null;
  readonly workflow_version: number | null;
  readonly priority: number;
  /** JSON array, for lists; `run_tags` holds the same tags for filters. */
  readonly tags: string;
  readonly parent_id: string | null;
  readonly created_at: number;
  readonly status: RunStatus;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly steps_total: number;
  readonly steps_completed: number;
  readonly steps_failed: number;
  readonly steps_skipped: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_micros: number;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
  readonly wake_at: number | null;
  readonly last_seq: number;
  readonly epoch: number;
  readonly owner_id: string | null;
  /** How many inbox rows were ever put. */
  readonly inbox_seq: number;
  /** How many inbox rows wait to be recorded. */
  readonly inbox_pending: number;
  readonly updated_at: number;
}

export interface RunTagsTable {
  readonly namespace: string;
  readonly tag: string;
  readonly run_id: string;
}

/** One row per append; `events` holds the text of each event, one per line. */
export interface RunAppendsTable {
  readonly position: Generated<number>;
  readonly run_id: string;
  readonly namespace: string;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly append_id: string;
  readonly events: string;
}

export interface RunInboxTable {
  readonly id: Generated<number>;
  readonly run_id: string;
  readonly namespace: string;
  readonly command: string;
  readonly at: number;
}

export interface RunCheckpointsTable {
  readonly run_id: string;
  readonly seq: number;
  readonly fold_version: number;
  readonly state: string;
}

export interface RunBlobsTable {
  readonly namespace: string;
  readonly run_id: string;
  readonly hash: string;
}

/** What is remembered of runs that were deleted. */
export interface PurgedRunsTable {
  readonly run_id: string;
  readonly namespace: string;
  /** JSON: the last that is known of the run. */
  readonly item: string;
  readonly purged_at: number;
  /** When its blobs may go; null when there are none. */
  readonly blobs_at: number | null;
}
