import { Injectable } from '@nestjs/common';

import { AppError } from '../kernel/failure.js';
import type { Result } from '../kernel/result.js';
import { Clock } from '../platform/clock/clock.js';
import { MetricConfig } from '../platform/config/app.config.js';
import { CacheCounts } from '../platform/telemetry/cache-counts.js';
import { addStored, emptyFigures, restoreFigures, type Figures } from './domain/figures.js';
import { answerable, tilesOf, type Grain, type Range } from './domain/grain.js';
import { rangeOf, seriesRangeOf, type AskedRange } from './domain/range.js';
import {
  reportAttempts,
  reportRuns,
  valueOf,
  type AttemptReport,
  type MetricName,
  type RunReport,
} from './domain/report.js';
import { OTHER, type Dimension } from './domain/series.js';
import { MetricStore, type MetricQuery, type SeriesFigures } from './metric.store.js';

/** Series in one answer; the others are added up. */
export const MAX_SERIES_SHOWN = 50;

/** A report of something by its key. */
export type Keyed<T> = T & { readonly key: string };

export interface Summary extends Range {
  readonly runs: RunReport;
  readonly attempts: AttemptReport;
  readonly caches: readonly { readonly cache: string; readonly hits: number; readonly misses: number }[];
}

export interface WorkflowMetrics extends Range {
  readonly id: string;
  readonly runs: RunReport;
  readonly versions: readonly Keyed<RunReport>[];
  readonly steps: readonly Keyed<AttemptReport>[];
}

export interface AttemptMetrics extends Range {
  readonly id: string;
  readonly attempts: AttemptReport;
}

export interface TemplateMetrics extends AttemptMetrics {
  readonly versions: readonly Keyed<AttemptReport>[];
}

/** Which figure is asked for, of what, and how fine. */
export interface TimeSeriesQuery extends AskedRange {
  readonly metric: MetricName;
  readonly dimension: Dimension;
  readonly interval: Grain;
}

export interface TimeSeries extends Range {
  readonly series: readonly {
    readonly key: string;
    readonly parent: string;
    readonly points: readonly { readonly at: number; readonly value: number }[];
  }[];
}

/** Answers questions about what was counted. Reads figures only, never a run. */
@Injectable()
export class MetricService {
  constructor(
    private readonly store: MetricStore,
    private readonly caches: CacheCounts,
    private readonly clock: Clock,
    private readonly config: MetricConfig,
  ) {}

  /** All runs and attempts of a namespace. @throws AppError `metrics.range-invalid` */
  async summary(namespace: string, asked: AskedRange): Promise<Summary> {
    const range = this.range(asked);
    const [runs, attempts] = await Promise.all([
      this.total(namespace, { dimension: 'runs' }, range),
      this.total(namespace, { dimension: 'attempts' }, range),
    ]);
    const caches = this.caches.list().map(([cache, count]) => ({ cache, ...count }));
    return { ...range, runs: reportRuns(runs), attempts: reportAttempts(attempts), caches };
  }

  /** Runs of a stored workflow by its id, or of unstored definitions by their name. @throws AppError `metrics.range-invalid` */
  async workflow(namespace: string, id: string, asked: AskedRange): Promise<WorkflowMetrics> {
    const range = this.range(asked);
    const [runs, versions, steps] = await Promise.all([
      this.total(namespace, { dimension: 'workflow', key: id }, range),
      this.totals(namespace, { dimension: 'workflow_version', parent: id }, range),
      this.totals(namespace, { dimension: 'step', parent: id }, range),
    ]);
    return {
      ...{ id, ...range, runs: reportRuns(runs) },
      versions: keyed(versions, reportRuns),
      steps: keyed(steps, reportAttempts),
    };
  }

  /** Attempts that an agent carried out. @throws AppError `metrics.range-invalid` */
  async agent(namespace: string, id: string, asked: AskedRange): Promise<AttemptMetrics> {
    const range = this.range(asked);
    const figures = await this.total(namespace, { dimension: 'agent', key: id }, range);
    return { id, ...range, attempts: reportAttempts(figures) };
  }

  /** Attempts whose input a template gave. @throws AppError `metrics.range-invalid` */
  async template(namespace: string, id: string, asked: AskedRange): Promise<TemplateMetrics> {
    const range = this.range(asked);
    const [figures, versions] = await Promise.all([
      this.total(namespace, { dimension: 'template', key: id }, range),
      this.totals(namespace, { dimension: 'template_version', parent: id }, range),
    ]);
    return { id, ...range, attempts: reportAttempts(figures), versions: keyed(versions, reportAttempts) };
  }

  /** One figure over time, for each series of a dimension. @throws AppError `metrics.range-invalid` */
  async timeSeries(namespace: string, query: TimeSeriesQuery): Promise<TimeSeries> {
    const { metric, dimension, interval } = query;
    const range = required(seriesRangeOf(query, interval, this.clock.now(), this.config.retentionMs));
    const pieces = await this.store.read({ namespace, dimension, tiles: [{ grain: interval, ...range }] });
    const shown = mostStarted(pieces);
    const grouped = Map.groupBy(pieces, (piece) => (shown.has(nameOf(piece)) ? nameOf(piece) : REST));
    const series = [...grouped].map(([name, own]) => ({
      key: name === REST ? OTHER : (own[0]?.key ?? ''),
      parent: name === REST ? '' : (own[0]?.parent ?? ''),
      points: pointsOf(metric, own),
    }));
    return { ...range, series: series.sort((a, b) => (a.key < b.key ? -1 : 1)) };
  }

  private range(asked: AskedRange): Range {
    const now = this.clock.now();
    return answerable(required(rangeOf(asked, now)), now, this.config.retentionMs);
  }

  private async total(
    namespace: string,
    query: Pick<MetricQuery, 'dimension' | 'key'>,
    range: Range,
  ): Promise<Figures> {
    const pieces = await this.store.read({ namespace, ...query, tiles: tilesOf(range) });
    return sumOf(pieces);
  }

  private async totals(
    namespace: string,
    query: Pick<MetricQuery, 'dimension' | 'parent'>,
    range: Range,
  ): Promise<ReadonlyMap<string, Figures>> {
    const pieces = await this.store.read({ namespace, ...query, tiles: tilesOf(range) });
    const byKey = Map.groupBy(pieces, ({ key }) => key);
    return new Map([...byKey].map(([key, own]) => [key, sumOf(own)]));
  }
}

/** Stands for all series that are not shown by themselves; no name is the empty text. */
const REST = '';

function nameOf({ parent, key }: SeriesFigures): string {
  return JSON.stringify([parent, key]);
}

/** The names of the series in which most was started. */
function mostStarted(pieces: readonly SeriesFigures[]): ReadonlySet<string> {
  const started = new Map<string, number>();
  for (const piece of pieces) {
    const name = nameOf(piece);
    started.set(name, (started.get(name) ?? 0) + restoreFigures(piece.stored).counts.started);
  }
  const names = [...started].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return new Set(names.slice(0, MAX_SERIES_SHOWN));
}

/** In order of time; where there is nothing to show there is no point. */
function pointsOf(
  metric: MetricName,
  pieces: readonly SeriesFigures[],
): TimeSeries['series'][number]['points'] {
  const byTime = [...Map.groupBy(pieces, ({ at }) => at)].sort(([a], [b]) => a - b);
  return byTime.flatMap(([at, own]) => {
    const value = valueOf(metric, sumOf(own));
    return value === undefined ? [] : [{ at, value }];
  });
}

function sumOf(pieces: readonly SeriesFigures[]): Figures {
  const sum = emptyFigures();
  for (const { stored } of pieces) addStored(sum, stored);
  return sum;
}

function keyed<T>(
  totals: ReadonlyMap<string, Figures>,
  report: (figures: Figures) => T,
): readonly Keyed<T>[] {
  const order = new Intl.Collator('en', { numeric: true });
  return [...totals]
    .sort(([a], [b]) => order.compare(a, b))
    .map(([key, figures]) => ({ key, ...report(figures) }));
}

function required<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new AppError(result.failure);
}
