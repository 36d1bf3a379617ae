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
import { statementOf, type Slots, type Statement } from './statement.js';
import type { LogCursorsTable, MetricFiguresTable, MetricOpenRunsTable } from './tables.js';

const FOLLOWER = 'metrics';

/** What names a series. */
interface SeriesName {
  readonly namespace: string;
  readonly dimension: Dimension;
  readonly parent: string;
  readonly key: string;
}

/** A piece of a series, with its figures as text. */
type PieceRow = SeriesName & Pick<MetricFiguresTable, 'grain' | 'at' | 'figures'>;

/** A piece that a page adds to. */
interface Piece {
  readonly series: Series;
  readonly grain: Grain;
  readonly at: number;
  readonly figures: Figures;
}

/**
 * Histograms can not be added up by a statement: what a page adds to is read, added up here and written back. The
 * cursor guards it, since nothing else changes figures but a page that moves the cursor.
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

  private readonly addSeries = this.database.prepare('metric.add-series', (p: Slots<SeriesName>) =>
    this.database.kysely
      .insertInto('metric_series')
      .values({ namespace: p.namespace, dimension: p.dimension, parent: p.parent, key: p.key })
      .onConflict((conflict) => conflict.doNothing()),
  );

  private readonly putFigures = this.database.prepare(
    'metric.put',
    (p: Slots<PieceRow>) => sql`
    insert into metric_figures (series_id, grain, at, namespace, figures)
    select id, ${p.grain}, cast(${p.at} as bigint), namespace, ${p.figures} from metric_series
    where namespace = ${p.namespace} and dimension = ${p.dimension} and parent = ${p.parent} and key = ${p.key}
    on conflict (series_id, grain, at) do update set figures = excluded.figures`,
  );

  private readonly putOpen = this.database.prepare('metric.remember', (p: Slots<MetricOpenRunsTable>) =>
    this.database.kysely
      .insertInto('metric_open_runs')
      .values({ run_id: p.run_id, namespace: p.namespace, state: p.state })
      .onConflict((conflict) => conflict.column('run_id').doUpdateSet({ state: p.state })),
  );

  private readonly removeOpen = this.database.prepare(
    'metric.forget',
    (p: Slots<{ readonly run_id: string }>) =>
      this.database.kysely.deleteFrom('metric_open_runs').where('run_id', '=', p.run_id),
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
    const query = this.database.kysely
      .selectFrom('metric_open_runs')
      .select(['run_id', 'state'])
      .where('run_id', 'in', [...runIds]);
    const rows = await this.database.read(statementOf(query));
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
        ...[...new Map(pieces.map(({ series }) => [series.text, series])).values()].map((series) =>
          this.addSeries.bind(nameOf(series)),
        ),
        ...pieces.map(({ series, grain, at, figures }) =>
          this.putFigures.bind({ ...nameOf(series), grain, at, figures: storeFigures(figures) }),
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
    return [...open].map(([run_id, known]) =>
      known === undefined
        ? this.removeOpen.bind({ run_id })
        : this.putOpen.bind({ run_id, namespace: known.namespace, state: JSON.stringify(known.open) }),
    );
  }

  /** Adds to each piece what is kept of it. */
  private async addKept(pieces: readonly Piece[]): Promise<void> {
    const byName = new Map(pieces.map((piece) => [textOf(piece.series.text, piece), piece]));
    for (const [namespace, own] of Map.groupBy(pieces, ({ series }) => series.namespace)) {
      const query = this.database.kysely
        .selectFrom('metric_series as s')
        .innerJoin('metric_figures as f', 'f.series_id', 's.id')
        .select(['s.namespace', 's.dimension', 's.parent', 's.key', 'f.grain', 'f.at', 'f.figures'])
        .where('s.namespace', '=', namespace)
        .where('s.key', 'in', [...new Set(own.map(({ series }) => series.key))])
        .where('s.dimension', 'in', [...new Set(own.map(({ series }) => series.dimension))])
        .where('f.grain', 'in', [...GRAINS])
        .where('f.at', 'in', [...new Set(own.map(({ at }) => at))]);
      for (const row of await this.database.read(statementOf(query))) {
        const { text } = seriesOf(row.namespace, row.dimension, row.key, row.parent);
        const piece = byName.get(textOf(text, row));
        if (piece !== undefined) addStored(piece.figures, row.figures);
      }
    }
  }
}

function nameOf({ namespace, dimension, parent, key }: Series): SeriesName {
  return { namespace, dimension, parent, key };
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
