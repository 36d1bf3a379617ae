/** Which index serves which statement, said by the engines themselves. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { sql } from 'kysely';

import type { ResourceFilter } from '../../src/platform/ports/versioned.store.js';
import type { RunFilter } from '../../src/runs/run.catalogue.js';
import type { MetricQuery } from '../../src/metrics/metric.store.js';
import { openDatabase } from '../../src/storage/sql/open-database.js';
import { SqlAgentStore } from '../../src/storage/sql/sql-agent.store.js';
import { SqlDeliveryStore } from '../../src/storage/sql/sql-delivery.store.js';
import type { SqlDatabase } from '../../src/storage/sql/sql-database.js';
import { SqlMetricStore } from '../../src/storage/sql/sql-metric.store.js';
import { SqlRunCatalogue } from '../../src/storage/sql/sql-run.catalogue.js';
import { anIdleSummary, aRun, CREATED_AT } from '../support/a-run.js';
import { ManualClock } from '../support/manual-clock.js';
import { describeWithPostgres } from '../support/services.js';
import { storesOf } from './sql-engines.js';

interface Query {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** What an engine says of a query: one line for each table that it reads. */
type Explain = (database: SqlDatabase, query: Query) => Promise<string>;

const SERVED = [
  { name: 'run.due', index: 'runs_due' },
  { name: 'run.due-levels', index: 'runs_due' },
  { name: 'run.count-queued', index: 'runs_queued' },
  { name: 'owner.attention', index: 'runs_owned' },
  { name: 'run.free-retired', index: 'runs_owned' },
  { name: 'append.read', index: 'run_appends' },
  { name: 'append.find', index: 'run_appends' },
  { name: 'run.find-ahead', index: 'runs' },
  { name: 'inbox.pending', index: 'run_inbox_of_run' },
  { name: 'task.open-of-run', index: 'tasks_of_run' },
  { name: 'run.count-before', index: 'runs_' },
  { name: 'task.queued', index: 'tasks_queued' },
  { name: 'task.find-lineage', index: 'tasks_by_lineage' },
  { name: 'task.find-token', index: 'tasks_by_token' },
  { name: 'task.next-expiry', index: 'tasks_leased' },
  { name: 'task.expire', index: 'tasks_leased' },
  { name: 'template.find-name', index: 'templates_by_name' },
  { name: 'run.count-open', index: 'runs_by_status' },
  { name: 'limit.renew', index: 'limit_slots_of_holder' },
  { name: 'delivery.insert', index: 'webhook_deliveries_' }, // that of the run or that of both: as small as they are here, either
  { name: 'delivery.release-next', index: 'webhook_deliveries_pending' },
  { name: 'delivery.forget', index: 'webhook_deliveries_by_age' },
  { name: 'metric.kept', index: 'metric_series_by_name' },
  { name: 'metric.put', index: 'metric_series_by_name' },
  { name: 'metric.open', index: 'metric_open_runs' },
  { name: 'metric.forget', index: 'metric_open_runs' },
  { name: 'schedule.due', index: 'schedules_due' },
  { name: 'schedule.next-wake', index: 'schedules_due' },
  { name: 'schedule.open-fires', index: 'schedule_fires_open' },
  { name: 'schedule.fires-within', index: 'schedule_fires_listed' },
  { name: 'schedule.forget-fires', index: 'schedule_fires_by_age' },
];

const LISTED: readonly { readonly filter: RunFilter; readonly index: string }[] = [
  { filter: {}, index: 'runs_listed' },
  { filter: { status: 'running' }, index: 'runs_by_status' },
  { filter: { workflowId: 'wf_1' }, index: 'runs_by_workflow' },
  { filter: { parentId: 'run_1' }, index: 'runs_by_parent' },
  { filter: { tag: 'x' }, index: 'run_tags' },
  { filter: { tag: 'x', status: 'running', from: 1 }, index: 'run_tags' },
  { filter: { from: 1 }, index: 'runs_by_time' },
  { filter: { from: 1, to: 9, status: 'completed' }, index: 'runs_by_time' },
  { filter: { errorCode: 'x.y' }, index: 'runs_by_failure' },
  { filter: { errorText: 'x' }, index: 'runs_failed' },
  { filter: { minCostMicros: 5 }, index: 'runs_with_cost' },
];

const FOUND: readonly { readonly filter: ResourceFilter; readonly index: string }[] = [
  { filter: {}, index: 'resources_listed' },
  { filter: { facets: { tag: 'x' } }, index: 'resource_facets' },
  { filter: { facets: { tag: 'x', kind: 'llm' }, status: 'offline' }, index: 'resource_facets' },
];

/** Tables that hold a row for each process, so reading all of them costs nothing. */
const SMALL = ['owners', 'api_keys'];

function describePlans(name: string, open: () => Promise<SqlDatabase>, explain: Explain): void {
  describe(`a plan on ${name}`, () => {
    let database: SqlDatabase;
    beforeAll(async () => {
      database = await open();
      storesOf(database);
      new SqlDeliveryStore(database);
    });
    afterAll(() => database.close());

    function prepared(wanted: string): Query {
      const found = database.statements().find((statement) => statement.name === wanted);
      if (found === undefined) throw new Error(`There is no statement ${wanted}.`);
      return { sql: found.sql, parameters: found.sql.match(/\?|\$\d+/g)?.map(() => null) ?? [] };
    }

    it.each(SERVED)('of $name searches $index', async ({ name: statement, index }) => {
      const plan = await explain(database, prepared(statement));

      expect(plan).toContain(index);
      expect(scannedTables(plan)).toEqual([]);
    });

    it('of the log across runs follows an order that is kept, and sorts nothing', async () => {
      const plan = await explain(database, prepared('log.read'));

      expect(plan).not.toMatch(/TEMP B-TREE|Sort Key: \(+run_appends|Sort  /);
      expect(scannedTables(plan)).toEqual([]);
    });

    it.each(LISTED)(
      'of a page with $filter searches $index, and sorts nothing',
      async ({ filter, index }) => {
        const query = new SqlRunCatalogue(database)
          .listing('default', filter, { id: 'run_f', createdAt: 1 })
          .limit(51)
          .compile();
        const plan = await explain(database, query);

        expect(plan).toContain(index);
        expect(plan).not.toMatch(/TEMP B-TREE|Sort/);
        expect(scannedTables(plan)).toEqual([]);
      },
    );

    it.each<readonly [Partial<MetricQuery>]>([
      [{ dimension: 'runs', key: '', parent: '' }],
      [{ dimension: 'workflow', key: 'a' }],
      [{ dimension: 'step', parent: 'a' }],
      [{ dimension: 'tag' }],
    ])('of figures of %j reads series by name and their pieces by time, and no run', async (query) => {
      const tiles = (['day', 'hour', 'minute'] as const).map((grain) => ({ grain, from: 1, to: 9 }));
      const wanted = { namespace: 'default', dimension: 'runs' as const, ...query, tiles };
      const plan = await explain(database, new SqlMetricStore(database).piecesIn(wanted));

      expect(plan).toContain('metric_series_by_name');
      expect(plan).toMatch(
        /metric_figures_pkey|SEARCH f USING PRIMARY KEY \(series_id=\? AND grain=\? AND at>/,
      );
      expect(plan).not.toMatch(/\brun(s|_appends)\b/);
      expect(scannedTables(plan)).toEqual([]);
    });

    it.each(FOUND)('of a page of agents with $filter searches $index', async ({ filter, index }) => {
      const query = new SqlAgentStore(database).listing('default', filter, 'agt_f').limit(51).compile();
      const plan = await explain(database, query);

      expect(plan).toContain(index);
      expect(plan).not.toMatch(/TEMP B-TREE|Sort/);
      expect(scannedTables(plan)).toEqual([]);
    });
  });
}

/** Tables, other than small ones, that are read from one end to the other. */
function scannedTables(plan: string): readonly string[] {
  const scans = plan.matchAll(/SCAN (\w+)$|Seq Scan on (\w+)/gm);
  return Array.from(scans, ([, sqlite, postgres]) => sqlite ?? postgres ?? '').filter(
    (table) => !SMALL.includes(table) && !['levels', 'queued', 'spaces'].includes(table),
  );
}

describe('SQLite', () => {
  const directory = mkdtemp(join(tmpdir(), 'ensemble-plans-'));
  const open = async (): Promise<SqlDatabase> =>
    openDatabase({ dataDir: await directory }, new ManualClock());
  describePlans('SQLite', open, async (database, query) => {
    const rows = await database.read<{ readonly detail: string }>({
      ...query,
      name: 'explain',
      sql: `explain query plan ${query.sql}`,
    });
    return rows.map(({ detail }) => detail).join('\n');
  });
  afterAll(async () => rm(await directory, { recursive: true, force: true }));
});

describeWithPostgres('PostgreSQL', (url) => {
  // With runs of others that have ended in it, as any record has: beside them all else is small.
  const open = async (): Promise<SqlDatabase> => {
    const database = await openDatabase({ dataDir: '', databaseUrl: url }, new ManualClock());
    const { runs } = storesOf(database);
    const summary = anIdleSummary({ status: 'completed', endedAt: CREATED_AT });
    await Promise.all(
      Array.from({ length: 500 }, (_, number) =>
        runs.create({ run: aRun({ summary, namespace: `other-${number}` }) }),
      ),
    );
    await sql`analyze runs`.execute(database.kysely);
    return database;
  };
  // Tables of tests are so small that reading them whole is cheapest: an index is used only where that is forbidden.
  describePlans('PostgreSQL', open, async (database, query) =>
    database.kysely.transaction().execute(async (db) => {
      await sql`set local enable_seqscan = off`.execute(db);
      await sql`set local enable_bitmapscan = off`.execute(db);
      await sql`set local plan_cache_mode = force_generic_plan`.execute(db);
      const values = query.parameters.map(() => sql`'0'`);
      const call = values.length === 0 ? sql`` : sql`(${sql.join(values)})`;
      await sql.raw(`prepare test_plan as ${query.sql}`).execute(db);
      const { rows } = await sql<{ readonly 'QUERY PLAN': string }>`explain execute test_plan${call}`.execute(
        db,
      );
      await sql`deallocate test_plan`.execute(db);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    }),
  );
});
