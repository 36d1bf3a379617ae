import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import { isTerminal } from './domain/run.status.js';
import { RunControlService } from './run-control.service.js';
import { RunRetryService } from './run-retry.service.js';
import type { RunFilter, RunRow } from './run.catalogue.js';
import { RunReader } from './run.reader.js';

/** How many runs one request looks at. */
const MAX_EXAMINED = 10_000;

/** Runs of one page. */
const PAGE = 200;

/** How many runs are dealt with at once. */
const AT_ONCE = 10;

export const BULK_ACTIONS = ['cancel', 'retry'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

export interface BulkRequest {
  readonly namespace: string;
  readonly action: BulkAction;
  readonly filter: RunFilter;
  /** Only count. */
  readonly dryRun: boolean;
  /** How many runs are dealt with at most. */
  readonly limit: number;
  /** Go on where an answer ended. */
  readonly cursor?: string;
  readonly by?: string;
  readonly reason?: string;
}

/** A run that did not take the action. */
export interface BulkRefusal {
  readonly runId: string;
  readonly code: string;
  readonly message: string;
}

export interface BulkAnswer {
  readonly action: BulkAction;
  readonly dryRun: boolean;
  /** Runs that match the filter and that the action means something to. */
  readonly matched: number;
  /** Ids of those that took it. */
  readonly done: readonly string[];
  readonly refused: readonly BulkRefusal[];
  /** Present when there may be more. */
  readonly nextCursor?: string;
}

/** Cancelling or retrying all runs of a filter, newest first, a bounded number for each request. */
@Injectable()
export class RunBulkService {
  constructor(
    private readonly reader: RunReader,
    private readonly control: RunControlService,
    private readonly retries: RunRetryService,
  ) {}

  /** Deals with the runs of a filter up to a limit, or counts them. */
  async carryOut(request: BulkRequest): Promise<BulkAnswer> {
    const { action, dryRun } = request;
    const { rows, nextCursor } = await this.find(request);
    const outcomes = dryRun ? [] : await this.actOn(rows, request);
    const refused = outcomes.filter((outcome) => typeof outcome !== 'string');
    return {
      action,
      dryRun,
      matched: rows.length,
      done: outcomes.filter((outcome) => typeof outcome === 'string'),
      refused,
      ...(nextCursor !== undefined && { nextCursor }),
    };
  }

  /** Whole pages, so that the cursor of the last one is where the next request goes on. */
  private async find({
    namespace,
    action,
    filter,
    dryRun,
    limit,
    cursor,
  }: BulkRequest): Promise<{ readonly rows: readonly RunRow[]; readonly nextCursor?: string }> {
    const rows: RunRow[] = [];
    let next = cursor;
    for (let examined = 0; examined < MAX_EXAMINED && (dryRun || rows.length < limit);) {
      const size = dryRun ? PAGE : Math.min(PAGE, limit - rows.length);
      const page = await this.reader.list(namespace, filter, {
        limit: size,
        ...(next !== undefined && { cursor: next }),
      });
      rows.push(...page.items.filter((row) => means(action, row)));
      if (page.nextCursor === undefined) return { rows };
      next = page.nextCursor;
      examined += page.items.length;
    }
    return { rows, ...(next !== undefined && { nextCursor: next }) };
  }

  /** The id of each run that took the action, or why it did not. */
  private async actOn(
    rows: readonly RunRow[],
    request: BulkRequest,
  ): Promise<readonly (string | BulkRefusal)[]> {
    const outcomes: (string | BulkRefusal)[] = [];
    for (let from = 0; from < rows.length; from += AT_ONCE) {
      const some = rows.slice(from, from + AT_ONCE);
      outcomes.push(...(await Promise.all(some.map((row) => this.act(row, request)))));
    }
    return outcomes;
  }

  private async act(
    { id: runId }: RunRow,
    { namespace, action, by, reason }: BulkRequest,
  ): Promise<string | BulkRefusal> {
    const who = { ...(by !== undefined && { by }), ...(reason !== undefined && { reason }) };
    try {
      if (action === 'cancel') await this.control.send(namespace, runId, { type: 'cancel', ...who });
      else await this.retries.retry(namespace, runId, who);
      return runId;
    } catch (error) {
      if (!AppError.is(error)) throw error;
      const { code, message } = error.failure;
      return { runId, code, message };
    }
  }
}

/** Whether an action means something to a run as it is. */
function means(action: BulkAction, { summary: { status } }: RunRow): boolean {
  if (action === 'cancel') return !isTerminal(status) && status !== 'cancelling';
  return isTerminal(status) && status !== 'completed';
}
