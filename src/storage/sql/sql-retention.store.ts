import { sql } from 'kysely';

import {
  RetentionStore,
  type DuePurges,
  type EndPlace,
  type Purge,
  type PurgedRun,
  type PurgeResult,
  type RunName,
} from '../../runs/retention.store.js';
import type { RunRow } from '../../runs/run.catalogue.js';
import { PurgeStatements } from './purge-statements.js';
import { runRowOf } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import type { Slots } from './statement.js';
import type { RunsTable } from './run-tables.js';

type EndedRow = RunsTable & { readonly is_told: number };

interface OfRun {
  readonly namespace: string;
  readonly run_id: string;
}

/** A run that nobody started, or whose parent is gone. */
const OUTERMOST = sql`(runs.parent_id is null
  or not exists (select 1 from runs as parents where parents.id = runs.parent_id))`;

export class SqlRetentionStore extends RetentionStore {
  private readonly statements: PurgeStatements;

  constructor(private readonly database: SqlDatabase) {
    super();
    this.statements = new PurgeStatements(database);
  }

  private readonly findEnded = this.database.prepare(
    'retention.due',
    (
      p: Slots<{
        readonly before: number;
        readonly after: number;
        readonly after_id: string;
        readonly limit: number;
      }>,
    ) => sql<EndedRow>`
    select runs.*, (select count(*) from webhook_deliveries
      where webhook_deliveries.run_id = runs.id and webhook_deliveries.status = 'pending') as is_told
    from runs
    where ended_at is not null and ended_at < ${p.before}
      and (ended_at, id) > (cast(${p.after} as bigint), ${p.after_id}) and ${OUTERMOST}
    order by ended_at, id limit ${p.limit}`,
  );

  private readonly findNextEnd = this.database.prepare(
    'retention.next-end',
    (p: Slots<{ readonly before: number }>) => sql<{ readonly ended_at: number }>`
    select ended_at from runs
    where ended_at is not null and ended_at >= ${p.before} and ${OUTERMOST}
    order by ended_at, id limit 1`,
  );

  private readonly findChildren = this.database.prepare(
    'retention.children',
    (p: Slots<OfRun & { readonly limit: number }>) => sql<RunsTable>`
    select * from runs where parent_id = ${p.run_id} and namespace = ${p.namespace} and ended_at is not null
    order by id limit ${p.limit}`,
  );

  private readonly findItem = this.database.prepare(
    'retention.find',
    (p: Slots<OfRun>) => sql<{ readonly item: string }>`
    select item from purged_runs where run_id = ${p.run_id} and namespace = ${p.namespace}`,
  );

  private readonly findBlobsDue = this.database.prepare(
    'retention.blobs-due',
    (p: Slots<{ readonly now: number; readonly limit: number }>) => sql<OfRun>`
    select namespace, run_id from purged_runs where blobs_at is not null and blobs_at <= ${p.now}
    order by blobs_at limit ${p.limit}`,
  );

  private readonly endBlobs = this.database.prepare(
    'retention.blobs-gone',
    (p: Slots<OfRun>) => sql`
    update purged_runs set blobs_at = null where run_id = ${p.run_id} and namespace = ${p.namespace}`,
  );

  private readonly deleteOld = this.database.prepare(
    'retention.forget',
    (p: Slots<{ readonly before: number; readonly limit: number }>) => sql`
    delete from purged_runs where run_id in (
      select run_id from purged_runs where purged_at < ${p.before} and blobs_at is null
      order by purged_at limit ${p.limit})`,
  );

  private readonly findNext = this.database.prepare(
    'retention.next',
    () => sql<{ readonly purged_at: number | null; readonly blobs_at: number | null }>`
    select (select min(purged_at) from purged_runs) as purged_at,
      (select min(blobs_at) from purged_runs where blobs_at is not null) as blobs_at`,
  );

  override async due(endedBefore: number, limit: number, after?: EndPlace): Promise<DuePurges> {
    const { endedAt = -1, runId = '' } = after ?? {};
    const rows = await this.database.read(
      this.findEnded.bind({ before: endedBefore, after: endedAt, after_id: runId, limit }),
    );
    const [next] = await this.database.read(this.findNextEnd.bind({ before: endedBefore }));
    return {
      runs: rows.map((row) => ({
        run: runRowOf(row),
        endedAt: row.ended_at ?? 0,
        isTold: row.is_told > 0,
      })),
      ...(next !== undefined && { nextEndAt: next.ended_at }),
    };
  }

  override async purge({ run, last, cursors, at, blobsAt }: Purge): Promise<PurgeResult> {
    const { id: run_id, namespace, parentId, tags, lastSeq } = run;
    const guards = [
      ...(parentId === undefined ? [] : [this.statements.parentGone(parentId)]),
      ...cursors.map((cursor) => this.statements.read(run_id, cursor)),
    ];
    const row = { run_id, namespace, item: JSON.stringify(last), purged_at: at, blobs_at: blobsAt };
    const { held, results } = await this.database.write({
      statements: [
        this.statements.run({ run_id, namespace, last_seq: lastSeq }),
        ...guards,
        ...this.statements.rest(row, tags),
      ],
      // What does not hold says why: the first of these without a row.
      otherwise: guards.map(({ guard: _, ...statement }) => statement),
    });
    if (held) return 'purged';
    const refused = results.findIndex(({ rows }) => rows.length === 0);
    if (refused === -1) return 'changed';
    return parentId !== undefined && refused === 0 ? 'nested' : 'unread';
  }

  override async endedChildren({ namespace, runId }: RunName, limit: number): Promise<readonly RunRow[]> {
    const rows = await this.database.read(this.findChildren.bind({ namespace, run_id: runId, limit }));
    return rows.map(runRowOf);
  }

  override async findPurged(namespace: string, runId: string): Promise<PurgedRun | undefined> {
    const [row] = await this.database.read(this.findItem.bind({ namespace, run_id: runId }));
    return row && (JSON.parse(row.item) as PurgedRun);
  }

  override async blobsDue(now: number, limit: number): Promise<readonly RunName[]> {
    const rows = await this.database.read(this.findBlobsDue.bind({ now, limit }));
    return rows.map(({ namespace, run_id: runId }) => ({ namespace, runId }));
  }

  override async blobsGone({ namespace, runId }: RunName): Promise<void> {
    await this.database.write({ statements: [this.endBlobs.bind({ namespace, run_id: runId })] });
  }

  override async forget(purgedBefore: number, limit: number): Promise<number> {
    const { results } = await this.database.write({
      statements: [this.deleteOld.bind({ before: purgedBefore, limit })],
    });
    return results[0]?.changes ?? 0;
  }

  override async next(): Promise<{ readonly purgedAt?: number; readonly blobsAt?: number }> {
    const [row] = await this.database.read(this.findNext.bind({}));
    const { purged_at: purgedAt = null, blobs_at: blobsAt = null } = row ?? {};
    return { ...(purgedAt !== null && { purgedAt }), ...(blobsAt !== null && { blobsAt }) };
  }
}
