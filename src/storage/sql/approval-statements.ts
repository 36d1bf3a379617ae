/** The statements that write approvals, within the append that asks for them or ends them. */
import type { ApprovalClosing, ApprovalRow } from '../../runs/run.store.js';
import type { SqlDatabase } from './sql-database.js';
import type { ApprovalAssigneesTable, ApprovalsTable } from './tables.js';
import type { Slots, Statement } from './statement.js';

type NewApproval = Pick<
  ApprovalsTable,
  'id' | 'namespace' | 'run_id' | 'path' | 'status' | 'asked' | 'requested_at' | 'expires_at'
>;

type Closing = Omit<ApprovalsTable, 'id' | 'asked' | 'requested_at' | 'expires_at'>;

export class ApprovalStatements {
  constructor(private readonly database: SqlDatabase) {}

  private readonly insert = this.database.prepare('approval.insert', (p: Slots<NewApproval>) =>
    this.database.kysely
      .insertInto('approvals')
      .values({
        id: p.id,
        namespace: p.namespace,
        run_id: p.run_id,
        path: p.path,
        status: p.status,
        asked: p.asked,
        requested_at: p.requested_at,
        expires_at: p.expires_at,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly assign = this.database.prepare('approval.assign', (p: Slots<ApprovalAssigneesTable>) =>
    this.database.kysely
      .insertInto('approval_assignees')
      .values({
        namespace: p.namespace,
        assignee: p.assignee,
        requested_at: p.requested_at,
        approval_id: p.approval_id,
      })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly close = this.database.prepare('approval.close', (p: Slots<Closing>) =>
    this.database.kysely
      .updateTable('approvals')
      .set({
        status: p.status,
        decision: p.decision,
        data: p.data,
        answered_by: p.answered_by,
        resolved_at: p.resolved_at,
      })
      .where('run_id', '=', p.run_id)
      .where('path', '=', p.path)
      .where('namespace', '=', p.namespace)
      .where('status', '=', 'open'),
  );

  /** An open approval; one that is there already stays. */
  open({ id, namespace, runId, path, asked, requestedAt, expiresAt }: ApprovalRow): readonly Statement[] {
    const opened = { id, namespace, run_id: runId, path, status: 'open' as const, requested_at: requestedAt };
    return [
      this.insert.bind({ ...opened, asked: JSON.stringify(asked), expires_at: expiresAt ?? null }),
      ...(asked.assignees ?? []).map((assignee) =>
        this.assign.bind({ namespace, assignee, requested_at: requestedAt, approval_id: id }),
      ),
    ];
  }

  /** The end of the approval that is open at a path; where none is, nothing changes. */
  end({ namespace, runId, path, status, at, ...end }: ApprovalClosing): Statement {
    return this.close.bind({
      namespace,
      run_id: runId,
      path,
      status,
      decision: end.decision ?? null,
      data: end.data === undefined ? null : JSON.stringify(end.data),
      answered_by: end.by ?? null,
      resolved_at: at,
    });
  }
}
