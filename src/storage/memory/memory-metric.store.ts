import { addFigures, emptyFigures, storeFigures, type Figures } from '../../metrics/domain/figures.js';
import type { OpenRun } from '../../metrics/domain/fold.js';
import { floorTo, GRAINS, type Grain } from '../../metrics/domain/grain.js';
import type { Series } from '../../metrics/domain/series.js';
import {
  MetricStore,
  type MetricChange,
  type MetricPosition,
  type MetricQuery,
  type RememberedRun,
  type SeriesFigures,
} from '../../metrics/metric.store.js';

interface Piece extends Omit<SeriesFigures, 'stored'> {
  readonly figures: Figures;
  readonly series: Series;
}

export class MemoryMetricStore extends MetricStore {
  private reached: MetricPosition | undefined;
  private readonly pieces = new Map<string, Piece>();
  private readonly remembered = new Map<string, RememberedRun>();

  override position(): Promise<MetricPosition | undefined> {
    return Promise.resolve(this.reached);
  }

  override openRuns(runIds: readonly string[]): Promise<ReadonlyMap<string, OpenRun>> {
    const found = runIds.flatMap((runId) => {
      const known = this.remembered.get(runId);
      return known === undefined ? [] : [[runId, known.open] as const];
    });
    return Promise.resolve(new Map(found));
  }

  override series(namespace: string): Promise<readonly Series[]> {
    const all = [...this.pieces.values()].map(({ series }) => series);
    const own = all.filter((series) => series.namespace === namespace);
    return Promise.resolve([...new Map(own.map((series) => [series.text, series])).values()]);
  }

  override commit({ from, to, minutes, open }: MetricChange): Promise<boolean> {
    const { cursor, foldVersion } = this.reached ?? { ...from, cursor: '' };
    if (cursor !== from.cursor || foldVersion !== from.foldVersion) return Promise.resolve(false);
    this.reached = to;
    for (const { series, at, figures } of minutes) {
      for (const grain of GRAINS) addFigures(this.piece(series, grain, floorTo(grain, at)), figures);
    }
    for (const [runId, known] of open) {
      if (known === undefined) this.remembered.delete(runId);
      else this.remembered.set(runId, structuredClone(known));
    }
    return Promise.resolve(true);
  }

  override read({
    namespace,
    dimension,
    parent,
    key,
    tiles,
  }: MetricQuery): Promise<readonly SeriesFigures[]> {
    const found = [...this.pieces.values()].filter(
      ({ series, grain, at }) =>
        series.namespace === namespace &&
        series.dimension === dimension &&
        (parent === undefined || series.parent === parent) &&
        (key === undefined || series.key === key) &&
        tiles.some((tile) => tile.grain === grain && at >= tile.from && at < tile.to),
    );
    return Promise.resolve(
      found.map(({ key, parent, grain, at, figures }) => ({
        ...{ key, parent, grain, at },
        stored: storeFigures(figures),
      })),
    );
  }

  override prune(grain: Grain, before: number): Promise<void> {
    for (const [name, piece] of this.pieces) {
      if (piece.grain === grain && piece.at < before) this.pieces.delete(name);
    }
    return Promise.resolve();
  }

  override reset(): Promise<void> {
    this.reached = undefined;
    this.pieces.clear();
    this.remembered.clear();
    return Promise.resolve();
  }

  private piece(series: Series, grain: Grain, at: number): Figures {
    const name = `${grain}:${String(at)}:${series.text}`;
    let piece = this.pieces.get(name);
    if (piece === undefined) {
      const { key, parent } = series;
      this.pieces.set(name, (piece = { series, key, parent, grain, at, figures: emptyFigures() }));
    }
    return piece.figures;
  }
}
