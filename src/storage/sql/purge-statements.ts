/**
 * The statements that delete a run: guards that say whether it may go, then every row that is its own.
 *
 * Decided elsewhere: when blobs go (blob-statements.ts).
 */
import { sql } from 'kysely';

import { placeOf, type LogPlace } from './log-place.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots, Statement } from './statement.js';
import type { PurgedRunsTable, RunTagsTable } from './run-tables.js';

interface OfRun {
  readonly run_id: string;
}

type Remembered = Omit<PurgedRunsTable, 'blobs_at'> & { readonly blobs_at: number };

export class PurgeStatements {
  constructor(private readonly database: SqlDatabase) {}

  /** A row when the run has ended, is nobody's, and is as it was read. Locks it. */
  private readonly deleteRun = this.database.prepare(
    'purge.run',
    (p: Slots<OfRun & { readonly namespace: string; readonly last_seq: number }>) => sql`
    delete from runs where id = ${p.run_id} and namespace = ${p.namespace} and last_seq = ${p.last_seq}
      and ended_at is not null and owner_id is null`,
  );

  private readonly hasNoParent = this.database.prepare(
    'purge.parent',
    (p: Slots<{ readonly parent_id: string }>) => sql<{ readonly is_free: number }>`
    select 1 as is_free where not exists (select 1 from runs where id = ${p.parent_id})`,
  );

  private readonly isRead = this.database.prepare('purge.unread', (p: Slots<OfRun & LogPlace>) => {
    const { beyond } = this.database.dialect.logOrder;
    return sql<{ readonly is_read: number }>`
    select 1 as is_read where not exists (
      select 1 from run_appends where run_id = ${p.run_id} and ${beyond(p.xid, p.position)})`;
  });

  private readonly remember = this.database.prepare(
    'purge.remember',
    (p: Slots<Remembered>) => sql`
    insert into purged_runs (run_id, namespace, item, purged_at, blobs_at)
    select ${p.run_id}, ${p.namespace}, ${p.item}, cast(${p.purged_at} as bigint),
      case when exists (select 1 from run_blobs where namespace = ${p.namespace} and run_id = ${p.run_id})
        then cast(${p.blobs_at} as bigint) end
    where true
    on conflict (run_id) do update
      set item = excluded.item, purged_at = excluded.purged_at, blobs_at = excluded.blobs_at`,
  );

  private readonly deleteTag = this.database.prepare(
    'purge.tag',
    (p: Slots<RunTagsTable>) => sql`
    delete from run_tags where namespace = ${p.namespace} and tag = ${p.tag} and run_id = ${p.run_id}`,
  );

  private readonly deleteAssignees = this.database.prepare(
    'purge.assignees',
    (p: Slots<OfRun>) => sql`
    delete from approval_assignees
    where approval_id in (select id from approvals where run_id = ${p.run_id})`,
  );

  private readonly deleteRows = OWN_TABLES.map((table) =>
    this.database.prepare(
      `purge.${table}`,
      (p: Slots<OfRun>) => sql`delete from ${sql.table(table)} where run_id = ${p.run_id}`,
    ),
  );

  /** A row unless this run was started by one that is there. */
  parentGone(parentId: string): Statement {
    return this.hasNoParent.guard({ parent_id: parentId });
  }

  /** A row when a follower has read all of the run. */
  read(runId: string, cursor: string): Statement {
    return this.isRead.guard({ run_id: runId, ...placeOf(cursor) });
  }

  run(row: OfRun & { readonly namespace: string; readonly last_seq: number }): Statement {
    return this.deleteRun.guard(row);
  }

  /** Everything of a run beside its row. */
  rest(row: Remembered, tags: readonly string[]): readonly Statement[] {
    const { run_id, namespace } = row;
    return [
      this.remember.bind(row),
      ...tags.map((tag) => this.deleteTag.bind({ namespace, tag, run_id })),
      this.deleteAssignees.bind({ run_id }),
      ...this.deleteRows.map((statement) => statement.bind({ run_id })),
    ];
  }
}

/** Tables whose rows are of one run, by its id. */
const OWN_TABLES = [
  'run_appends',
  'run_inbox',
  'run_checkpoints',
  'tasks',
  'approvals',
  'idempotency_keys',
  'metric_open_runs',
] as const;
