import { sql, type SelectQueryBuilder } from 'kysely';

import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import { isTerminal, RUN_STATUSES, type RunStatus } from '../../runs/domain/run.status.js';
import {
  RunCatalogue,
  type QueuePlace,
  type RunFilter,
  type RunHead,
  type RunReached,
  type RunRow,
} from '../../runs/run.catalogue.js';
import { likeAnywhere, lowerAscii } from './like-pattern.js';
import { runRowOf } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { RunsTable } from './run-tables.js';
import type { Tables } from './tables.js';

const OPEN_STATUSES = RUN_STATUSES.filter((status) => !isTerminal(status));

type Listing = SelectQueryBuilder<Tables, 'runs', RunsTable>;

export class SqlRunCatalogue extends RunCatalogue {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly findRow = this.database.prepare(
    'run.find',
    (p: Slots<{ readonly namespace: string; readonly run_id: string }>) =>
      this.database.kysely
        .selectFrom('runs')
        .selectAll()
        .where('id', '=', p.run_id)
        .where('namespace', '=', p.namespace),
  );

  private readonly findAheadRows = this.database.prepare(
    'run.find-ahead',
    (p: Slots<{ readonly reached: string }>) =>
      sql<Pick<RunsTable, 'id' | 'namespace' | 'last_seq'>>`
    select runs.id, runs.namespace, runs.last_seq
    from ${this.database.dialect.rowsOf(p.reached, { run_id: 'text', seq: 'integer' })} as reached
    join runs on runs.id = reached.run_id where runs.last_seq > reached.seq`,
  );

  /** Grouped as the index is sorted, so nothing is sorted again. */
  private readonly countRows = this.database.prepare('run.count', () =>
    this.database.kysely
      .selectFrom('runs')
      .select(['status', sql<number>`count(*)`.as('runs')])
      .groupBy(['namespace', 'status']),
  );

  /** Namespace by namespace, each found behind the one before: what has ended is not looked at. */
  private readonly countOpen = this.database.prepare(
    'run.count-open',
    () => sql<{ readonly status: RunStatus; readonly runs: number }>`
    with recursive spaces(namespace) as (
      select min(namespace) from runs
      union all
      select (select min(namespace) from runs where namespace > spaces.namespace) from spaces
      where spaces.namespace is not null)
    select runs.status, count(*) as runs from spaces join runs on runs.namespace = spaces.namespace
    where runs.status in (${sql.join(OPEN_STATUSES.map((status) => sql.lit(status)))}) group by runs.status`,
  );

  private readonly countBefore = this.database.prepare(
    'run.count-before',
    (p: Slots<{ readonly id: string; readonly priority: number; readonly wake_at: number }>) =>
      sql<{ readonly runs: number }>`
    select count(*) as runs from runs
    where status = 'queued' and owner_id is null and wake_at is not null
      and (priority > ${p.priority}
        or (priority = ${p.priority} and (wake_at, id) < (cast(${p.wake_at} as bigint), ${p.id})))`,
  );

  override async find(namespace: string, runId: string): Promise<RunRow | undefined> {
    const [row] = await this.database.read(this.findRow.bind({ namespace, run_id: runId }));
    return row && runRowOf(row);
  }

  override async findMany(namespace: string, runIds: readonly string[]): Promise<readonly RunRow[]> {
    if (runIds.length === 0) return [];
    const query = this.database.kysely
      .selectFrom('runs')
      .selectAll()
      .where('id', 'in', runIds)
      .where('namespace', '=', namespace);
    return (await this.database.read(statementOf(query))).map(runRowOf);
  }

  override async findAhead(reached: readonly RunReached[]): Promise<readonly RunHead[]> {
    if (reached.length === 0) return [];
    const json = JSON.stringify(reached.map(({ runId, seq }) => [runId, seq]));
    const rows = await this.database.read(this.findAheadRows.bind({ reached: json }));
    return rows.map(({ id: runId, namespace, last_seq: lastSeq }) => ({ runId, namespace, lastSeq }));
  }

  override async list(namespace: string, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    const isByTime = isOrderedByTime(filter);
    const below = page.cursor === undefined ? undefined : placeOf(page.cursor, isByTime);
    if (page.cursor !== undefined && below === undefined) return { items: [] };
    const query = this.listing(namespace, filter, below).limit(page.limit + 1);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(runRowOf), page.limit, ({ id, createdAt }) =>
      isByTime ? `${String(createdAt)}:${id}` : id,
    );
  }

  override async queuedBefore({ id, priority, wakeAt }: QueuePlace): Promise<number> {
    const [row] = await this.database.read(this.countBefore.bind({ id, priority, wake_at: wakeAt }));
    return row?.runs ?? 0;
  }

  override async openCounts(): Promise<{ readonly [S in RunStatus]?: number }> {
    const rows = await this.database.read(this.countOpen.bind({}));
    return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
  }

  override async counts(): Promise<{ readonly [S in RunStatus]?: number }> {
    const counts: { [S in RunStatus]?: number } = {};
    for (const { status, runs } of await this.database.read(this.countRows.bind({}))) {
      counts[status] = (counts[status] ?? 0) + runs;
    }
    return counts;
  }

  /** The query of a page. Each filter has an index that gives runs in the order of the page. */
  listing(namespace: string, filter: RunFilter, below: Place | undefined): Listing {
    const { status, workflowId, parentId, errorCode, minCostMicros, maxCostMicros } = filter;
    let query = this.inOrder(namespace, filter, below);
    if (status !== undefined) query = query.where('runs.status', '=', status);
    if (workflowId !== undefined) query = query.where('runs.workflow_id', '=', workflowId);
    if (parentId !== undefined) query = query.where('runs.parent_id', '=', parentId);
    if (errorCode !== undefined) query = query.where('runs.failure_code', '=', errorCode);
    if (filter.errorText !== undefined) query = withErrorText(query, filter.errorText);
    if (maxCostMicros !== undefined) query = query.where('runs.cost_micros', '<=', maxCostMicros);
    if (minCostMicros === undefined || minCostMicros <= 0) return query;
    return query.where('runs.cost_micros', '>=', minCostMicros).where(sql<boolean>`runs.cost_micros > 0`);
  }

  /** By id, of a tag where one is asked for; within a range of time by the time of creation. */
  private inOrder(namespace: string, filter: RunFilter, below: Place | undefined): Listing {
    const { tag, from, to } = filter;
    let query = tag === undefined ? this.allRuns(namespace) : this.taggedRuns(namespace, tag);
    if (from !== undefined) query = query.where('runs.created_at', '>=', from);
    if (to !== undefined) query = query.where('runs.created_at', '<', to);
    if (!isOrderedByTime(filter)) return below === undefined ? query : query.where('runs.id', '<', below.id);
    query = query.clearOrderBy().orderBy('runs.created_at', 'desc').orderBy('runs.id', 'desc');
    if (below === undefined) return query;
    return query.where(sql<boolean>`(runs.created_at, runs.id) < (${below.createdAt ?? 0}, ${below.id})`);
  }

  private allRuns(namespace: string): Listing {
    return this.database.kysely
      .selectFrom('runs')
      .selectAll('runs')
      .where('runs.namespace', '=', namespace)
      .orderBy('runs.id', 'desc');
  }

  private taggedRuns(namespace: string, tag: string): Listing {
    return this.database.kysely
      .selectFrom('run_tags')
      .innerJoin('runs', 'runs.id', 'run_tags.run_id')
      .selectAll('runs')
      .where('run_tags.namespace', '=', namespace)
      .where('run_tags.tag', '=', tag)
      .orderBy('run_tags.run_id', 'desc');
  }
}

/** Runs of a tag lie in the order of their ids only. */
function isOrderedByTime({ tag, from, to }: RunFilter): boolean {
  return tag === undefined && (from !== undefined || to !== undefined);
}

/** The last run of a page. */
interface Place {
  readonly id: string;
  /** Where the page is in order of time. */
  readonly createdAt?: number;
}

function placeOf(cursor: string, isByTime: boolean): Place | undefined {
  const key = decodeCursor(cursor);
  if (key === undefined || !isByTime) return key === undefined ? undefined : { id: key };
  const [, createdAt, id] = /^(\d{1,15}):(.+)$/.exec(key) ?? [];
  return id === undefined ? undefined : { id, createdAt: Number(createdAt) };
}

function withErrorText(query: Listing, errorText: string): Listing {
  const pattern = likeAnywhere(lowerAscii(errorText));
  return query
    .where('runs.failure_code', 'is not', null)
    .where(sql<boolean>`lower(runs.failure_message) like ${pattern} escape '\\'`);
}
