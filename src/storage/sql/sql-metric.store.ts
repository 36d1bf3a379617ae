import { sql } from 'kysely';

import {
  addFigures,
  addStored,
  emptyFigures,
  storeFigures,
  type Figures,
} from '../../metrics/domain/figures.js';
import type { MinuteFigures, OpenRun } from '../../metrics/domain/fold.js';
import { floorTo, GRAINS, type Grain, type Tile } from '../../metrics/domain/grain.js';
import { seriesOf, type Dimension, type Series } from '../../metrics/domain/series.js';
import {
  MetricStore,
  type MetricChange,
  type MetricPosition,
  type MetricQuery,
  type SeriesFigures,
} from '../../metrics/metric.store.js';
import type { SqlDatabase } from './sql-database.js';
import { statementOf, type Prepared, type Slots, type Statement } from './statement.js';
import type { LogCursorsTable, MetricOpenRunsTable } from './tables.js';

const FOLLOWER = 'metrics';

/** Rows of a statement that takes many at once, as JSON: a list with a list of values for each. */
interface Rows {
  readonly rows: string;
}

const SERIES = { namespace: 'text', dimension: 'text', parent: 'text', key: 'text' } as const;
const PLACE = { ...SERIES, grain: 'text', at: 'integer' } as const;
const PIECE = { ...PLACE, figures: 'text' } as const;
const OPEN_RUN = { run_id: 'text', namespace: 'text', state: 'text' } as const;
const RUN_ID = { run_id: 'text' } as const;

/** A piece of a series, with its figures as text. */
interface PieceRow {
  readonly namespace: string;
  readonly dimension: Dimension;
  readonly parent: string;
  readonly key: string;
  readonly grain: Grain;
  readonly at: number;
  readonly figures: string;
}

/** A piece that a page adds to. */
interface Piece {
  readonly series: Series;
  readonly grain: Grain;
  readonly at: number;
  readonly figures: Figures;
}

/**
 * Histograms can not be added up by a statement: what a page adds to is read, added up here and written back. The
 * cursor guards it, since nothing else changes figures but a page that moves the cursor. A page costs the same few
 * statements however many series it has: the engine that it counts behind shares the machine with it.
 */
export class SqlMetricStore extends MetricStore {
  constructor(private readonly database: SqlDatabase) {
    super();
  }

  private readonly readPosition = this.database.prepare('metric.position', () =>
    this.database.kysely.selectFrom('log_cursors').selectAll().where('follower', '=', FOLLOWER),
  );

  private readonly begin = this.database.prepare('metric.begin', (p: Slots<LogCursorsTable>) =>
    this.database.kysely
      .insertInto('log_cursors')
      .values({ follower: p.follower, cursor: p.cursor, fold_version: p.fold_version })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly move = this.database.prepare(
    'metric.move',
    (p: Slots<LogCursorsTable & { readonly before: string }>) =>
      this.database.kysely
        .updateTable('log_cursors')
        .set({ cursor: p.cursor })
        .where('follower', '=', p.follower)
        .where('cursor', '=', p.before)
        .where('fold_version', '=', p.fold_version),
  );

  private readonly listSeries = this.database.prepare(
    'metric.series',
    (p: Slots<{ readonly namespace: string }>) =>
      this.database.kysely.selectFrom('metric_series').selectAll().where('namespace', '=', p.namespace),
  );

  private readonly readOpen = this.database.prepare(
    'metric.open',
    (p: Slots<Rows>) => sql<Pick<MetricOpenRunsTable, 'run_id' | 'state'>>`
    select run_id, state from metric_open_runs
    where run_id in (select r.run_id from ${this.database.dialect.rowsOf(p.rows, RUN_ID)} r)`,
  );

  /** A cross join keeps SQLite to the order of the tables: by the name of the series, then by the piece. */
  private readonly readKept = this.database.prepare(
    'metric.kept',
    (p: Slots<Rows>) => sql<PieceRow>`
    select r.namespace, r.dimension, r.parent, r.key, r.grain, r.at, f.figures
    from ${this.database.dialect.rowsOf(p.rows, PLACE)} r cross join metric_series s cross join metric_figures f
    where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
      and f.series_id = s.id and f.grain = r.grain and f.at = r.at`,
  );

  private readonly addSeries = this.database.prepare(
    'metric.add-series',
    (p: Slots<Rows>) => sql`
    insert into metric_series (namespace, dimension, parent, key)
    select namespace, dimension, parent, key from ${this.database.dialect.rowsOf(p.rows, SERIES)} r
    where true on conflict do nothing`,
  );

  private readonly putFigures = this.database.prepare(
    'metric.put',
    (p: Slots<Rows>) => sql`
    insert into metric_figures (series_id, grain, at, namespace, figures)
    select s.id, r.grain, r.at, r.namespace, r.figures
    from ${this.database.dialect.rowsOf(p.rows, PIECE)} r cross join metric_series s
    where s.namespace = r.namespace and s.dimension = r.dimension and s.parent = r.parent and s.key = r.key
    on conflict (series_id, grain, at) do update set figures = excluded.figures`,
  );

  private readonly putOpen = this.database.prepare(
    'metric.remember',
    (p: Slots<Rows>) => sql`
    insert into metric_open_runs (run_id, namespace, state)
    select run_id, namespace, state from ${this.database.dialect.rowsOf(p.rows, OPEN_RUN)} r
    where true on conflict (run_id) do update set state = excluded.state`,
  );

  private readonly removeOpen = this.database.prepare(
    'metric.forget',
    (p: Slots<Rows>) => sql`
    delete from metric_open_runs
    where run_id in (select r.run_id from ${this.database.dialect.rowsOf(p.rows, RUN_ID)} r)`,
  );

  /** Series by series: an index by age would only ever serve this, and mislead the planner elsewhere. */
  private readonly removeOld = this.database.prepare(
    'metric.prune',
    (p: Slots<{ readonly grain: Grain; readonly before: number }>) =>
      this.database.kysely
        .deleteFrom('metric_figures')
        .where('series_id', 'in', (series) => series.selectFrom('metric_series').select('id'))
        .where('grain', '=', p.grain)
        .where('at', '<', p.before),
  );

  private readonly removeUnused = this.database.prepare(
    'metric.prune-series',
    () => sql`delete from metric_series
    where not exists (select 1 from metric_figures where metric_figures.series_id = metric_series.id)`,
  );

  override async position(): Promise<MetricPosition | undefined> {
    const [row] = await this.database.read(this.readPosition.bind({}));
    return row && { cursor: row.cursor, foldVersion: row.fold_version };
  }

  override async openRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, OpenRun>> {
    if (runIds.length === 0) return new Map();
    const rows = await this.database.read(
      this.readOpen.bind({ rows: JSON.stringify(runIds.map((id) => [id])) }),
    );
    return new Map(rows.map(({ run_id, state }) => [run_id, JSON.parse(state) as OpenRun]));
  }

  override async series(namespace: string): Promise<readonly Series[]> {
    const rows = await this.database.read(this.listSeries.bind({ namespace }));
    return rows.map(({ dimension, key, parent }) => seriesOf(namespace, dimension, key, parent));
  }

  override async commit(change: MetricChange): Promise<boolean> {
    const pieces = piecesOf(change.minutes);
    await this.addKept(pieces);
    const { held } = await this.database.write({
      statements: [
        this.guardOf(change),
        ...many(this.addSeries, [
          ...new Map(pieces.map(({ series }) => [series.text, nameOf(series)])).values(),
        ]),
        ...many(
          this.putFigures,
          pieces.map((piece) => [...placeOf(piece), storeFigures(piece.figures)]),
        ),
        ...this.openStatements(change.open),
      ],
    });
    return held;
  }

  override async read(query: MetricQuery): Promise<readonly SeriesFigures[]> {
    if (query.tiles.length === 0) return [];
    const rows = await this.database.read(this.piecesIn(query));
    return rows.map(({ key, parent, grain, at, figures }) => ({
      ...{ key, parent, grain, at },
      stored: figures,
    }));
  }

  override async prune(grain: Grain, before: number): Promise<void> {
    await this.database.write({
      statements: [this.removeOld.bind({ grain, before }), this.removeUnused.bind({})],
    });
  }

  override async reset(): Promise<void> {
    const tables = ['metric_figures', 'metric_series', 'metric_open_runs'] as const;
    const forget = this.database.kysely.deleteFrom('log_cursors').where('follower', '=', FOLLOWER);
    await this.database.write({
      statements: [
        statementOf(forget),
        ...tables.map((table) => statementOf(this.database.kysely.deleteFrom(table))),
      ],
    });
  }

  /**
   * The statement that reads pieces of series: by the name of the series, then by the range of each grain. SQLite keeps
   * the order of a cross join; by itself it would begin with the pieces of all series.
   */
  piecesIn({ namespace, dimension, parent, key, tiles }: MetricQuery): Statement<PieceRow> {
    const within = ({ grain, from, to }: Tile) => sql`
      select s.dimension, s.parent, s.key, f.namespace, f.grain, f.at, f.figures
      from metric_series s cross join metric_figures f
      where f.series_id = s.id and s.namespace = ${namespace} and s.dimension = ${dimension}
        ${parent === undefined ? sql`` : sql`and s.parent = ${parent}`}
        ${key === undefined ? sql`` : sql`and s.key = ${key}`}
        and f.grain = ${grain} and f.at >= ${from} and f.at < ${to}`;
    const statement = sql<PieceRow>`${sql.join(tiles.map(within), sql` union all `)}`;
    return statementOf({ compile: () => statement.compile(this.database.kysely) });
  }

  private guardOf({ from, to }: MetricChange): Statement {
    const values = { follower: FOLLOWER, cursor: to.cursor, fold_version: to.foldVersion };
    if (from.cursor === '') return this.begin.guard(values);
    return this.move.guard({ ...values, before: from.cursor });
  }

  private openStatements(open: MetricChange['open']): readonly Statement[] {
    const remembered = [...open].flatMap(([runId, known]) =>
      known === undefined ? [] : [[runId, known.namespace, JSON.stringify(known.open)]],
    );
    const forgotten = [...open].flatMap(([runId, known]) => (known === undefined ? [[runId]] : []));
    return [...many(this.putOpen, remembered), ...many(this.removeOpen, forgotten)];
  }

  /** Adds to each piece what is kept of it. */
  private async addKept(pieces: readonly Piece[]): Promise<void> {
    const byName = new Map(pieces.map((piece) => [textOf(piece.series.text, piece), piece]));
    const asked = this.readKept.bind({ rows: JSON.stringify(pieces.map(placeOf)) });
    for (const row of await this.database.read(asked)) {
      const { text } = seriesOf(row.namespace, row.dimension, row.key, row.parent);
      const piece = byName.get(textOf(text, row));
      if (piece !== undefined) addStored(piece.figures, row.figures);
    }
  }
}

/** The statement that takes all of these rows; none where there are none. */
function many(
  statement: Prepared<Rows, unknown>,
  rows: readonly (readonly unknown[])[],
): readonly Statement[] {
  return rows.length === 0 ? [] : [statement.bind({ rows: JSON.stringify(rows) })];
}

/** Values in the order of `SERIES`. */
function nameOf({ namespace, dimension, parent, key }: Series): readonly unknown[] {
  return [namespace, dimension, parent, key];
}

/** Values in the order of `PLACE`. */
function placeOf({ series, grain, at }: Piece): readonly unknown[] {
  return [...nameOf(series), grain, at];
}

function textOf(series: string, { grain, at }: { readonly grain: Grain; readonly at: number }): string {
  return `${grain}:${String(at)}:${series}`;
}

/** What a page adds, by minute, hour and day. */
function piecesOf(minutes: readonly MinuteFigures[]): readonly Piece[] {
  const pieces = new Map<string, Piece>();
  for (const { series, at: minute, figures } of minutes) {
    for (const grain of GRAINS) {
      const at = floorTo(grain, minute);
      const name = textOf(series.text, { grain, at });
      const piece = pieces.get(name) ?? { series, grain, at, figures: emptyFigures() };
      addFigures(piece.figures, figures);
      pieces.set(name, piece);
    }
  }
  return [...pieces.values()];
}
