import type { SelectQueryBuilder } from 'kysely';

import { ApprovalStore, type Approval, type ApprovalFilter } from '../../approvals/approval.store.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { Json } from '../../kernel/json.js';
import type { AskedApproval } from '../../runs/domain/approval.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { ApprovalsTable, Tables } from './tables.js';

type Listing = SelectQueryBuilder<Tables, 'approvals', ApprovalsTable>;

export class SqlApprovalStore extends ApprovalStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly findRow = this.database.prepare(
    'approval.find',
    (p: Slots<Pick<ApprovalsTable, 'namespace' | 'id'>>) =>
      this.database.kysely
        .selectFrom('approvals')
        .selectAll()
        .where('id', '=', p.id)
        .where('namespace', '=', p.namespace),
  );

  override async find(namespace: string, id: string): Promise<Approval | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ namespace, id }));
    return row && approvalOf(row);
  }

  override async list(
    namespace: string,
    filter: ApprovalFilter,
    { limit, cursor }: PageRequest,
  ): Promise<Page<Approval>> {
    const below = cursor === undefined ? undefined : placeOf(cursor);
    if (cursor !== undefined && below === undefined) return { items: [] };
    const query = this.listing(namespace, filter, below).limit(limit + 1);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(approvalOf), limit, keyOf);
  }

  private listing(
    namespace: string,
    { status, runId, assignee }: ApprovalFilter,
    below: Place | undefined,
  ): Listing {
    let query: Listing = this.database.kysely
      .selectFrom('approvals')
      .selectAll('approvals')
      .where('approvals.namespace', '=', namespace)
      .orderBy('approvals.requested_at', 'desc')
      .orderBy('approvals.id', 'desc');
    if (status !== undefined) query = query.where('approvals.status', '=', status);
    if (runId !== undefined) query = query.where('approvals.run_id', '=', runId);
    if (assignee !== undefined)
      query = query.where('approvals.id', 'in', (eb) =>
        eb
          .selectFrom('approval_assignees')
          .select('approval_assignees.approval_id')
          .where('approval_assignees.namespace', '=', namespace)
          .where('approval_assignees.assignee', '=', assignee),
      );
    if (below === undefined) return query;
    return query.where((eb) =>
      eb.or([
        eb('approvals.requested_at', '<', below.requestedAt),
        eb.and([eb('approvals.requested_at', '=', below.requestedAt), eb('approvals.id', '<', below.id)]),
      ]),
    );
  }
}

/** Where a page ends. */
interface Place {
  readonly requestedAt: number;
  readonly id: string;
}

function keyOf({ requestedAt, id }: Approval): string {
  return `${requestedAt} ${id}`;
}

function placeOf(cursor: string): Place | undefined {
  const match = /^(\d{1,15}) (apr_\w+)$/.exec(decodeCursor(cursor) ?? '');
  return match === null ? undefined : { requestedAt: Number(match[1]), id: match[2] ?? '' };
}

function approvalOf(row: ApprovalsTable): Approval {
  return {
    id: row.id,
    namespace: row.namespace,
    runId: row.run_id,
    path: row.path,
    status: row.status,
    asked: JSON.parse(row.asked) as AskedApproval,
    requestedAt: row.requested_at,
    ...(row.expires_at !== null && { expiresAt: row.expires_at }),
    ...(row.decision !== null && { decision: row.decision }),
    ...(row.data !== null && { data: JSON.parse(row.data) as Json }),
    ...(row.answered_by !== null && { by: row.answered_by }),
    ...(row.resolved_at !== null && { resolvedAt: row.resolved_at }),
  };
}
