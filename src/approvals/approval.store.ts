/**
 * The inbox of approvals.
 *
 * Decided here: how approvals are found. They are written by the appends that ask for them and end them
 * (runs/run.store.ts), so the inbox and the log never disagree.
 */
import type { Json } from '../kernel/json.js';
import type { Page, PageRequest } from '../kernel/page.js';
import type { Decision } from '../runs/domain/approval.js';
import type { ApprovalRow, ApprovalStatus } from '../runs/run.store.js';

/** An approval and what became of it. Times are milliseconds since the epoch. */
export interface Approval extends ApprovalRow {
  readonly status: ApprovalStatus;
  /** Present when somebody has decided, or a decision stands for one that nobody made in time. */
  readonly decision?: Decision;
  /** What was filled in. */
  readonly data?: Json;
  readonly by?: string;
  readonly resolvedAt?: number;
}

export interface ApprovalFilter {
  readonly status?: ApprovalStatus;
  readonly runId?: string;
  /** One of those who are named as assignees, compared as a whole and by case. */
  readonly assignee?: string;
}

export abstract class ApprovalStore {
  /** An approval, or undefined when it does not exist in that namespace. */
  abstract find(namespace: string, id: string): Promise<Approval | undefined>;

  /**
   * Approvals of a namespace that match every field of the filter, those asked for last first. A cursor that is not
   * one of ours gives an empty page.
   */
  abstract list(namespace: string, filter: ApprovalFilter, page: PageRequest): Promise<Page<Approval>>;
}
