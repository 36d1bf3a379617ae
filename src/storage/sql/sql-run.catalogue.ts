import { sql, type SelectQueryBuilder } from 'kysely';

import { decodeCursor, pageOf, type Page, type PageRequest } from '../../kernel/page.js';
import type { RunStatus } from '../../runs/domain/run.status.js';
import { RunCatalogue, type RunFilter, type RunRow } from '../../runs/run.catalogue.js';
import { runRowOf } from './run-rows.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Slots } from './statement.js';
import type { RunsTable, Tables } from './tables.js';

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

  /** Grouped as the index is sorted, so nothing is sorted again. */
  private readonly countRows = this.database.prepare('run.count', () =>
    this.database.kysely
      .selectFrom('runs')
      .select(['status', sql<number>`count(*)`.as('runs')])
      .groupBy(['namespace', 'status']),
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

  override async list(namespace: string, filter: RunFilter, page: PageRequest): Promise<Page<RunRow>> {
    const below = page.cursor === undefined ? undefined : decodeCursor(page.cursor);
    if (page.cursor !== undefined && below === undefined) return { items: [] };
    const query = this.listing(namespace, filter, below).limit(page.limit + 1);
    const rows = await this.database.read(statementOf(query));
    return pageOf(rows.map(runRowOf), page.limit, ({ id }) => id);
  }

  override async counts(): Promise<{ readonly [S in RunStatus]?: number }> {
    const counts: { [S in RunStatus]?: number } = {};
    for (const { status, runs } of await this.database.read(this.countRows.bind({}))) {
      counts[status] = (counts[status] ?? 0) + runs;
    }
    return counts;
  }

  /** The query of a page. Each filter has an index that gives runs in the order of the page. */
  listing(namespace: string, filter: RunFilter, below: string | undefined): Listing {
    const { status, workflowId, tag, from, to } = filter;
    let query = tag === undefined ? this.allRuns(namespace) : this.taggedRuns(namespace, tag);
    if (status !== undefined) query = query.where('runs.status', '=', status);
    if (workflowId !== undefined) query = query.where('runs.workflow_id', '=', workflowId);
    if (from !== undefined) query = query.where('runs.created_at', '>=', from);
    if (to !== undefined) query = query.where('runs.created_at', '<', to);
    return below === undefined ? query : query.where('runs.id', '<', below);
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
