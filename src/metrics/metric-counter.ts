import type { Clock } from '../platform/clock/clock.js';
import type { MetricConfig } from '../platform/config/app.config.js';
import type { LogConsumer } from '../runs/log-follower.js';
import type { LogPage } from '../runs/run.log.js';
import type { RunStore } from '../runs/run.store.js';
import type { MinuteFigures, OpenRun } from './domain/fold.js';
import { GRAINS, LENGTH_MS, oldestKept } from './domain/grain.js';
import { headOf, type RunHead } from './domain/run-head.js';
import { SeriesBook, type Series } from './domain/series.js';
import type { MetricPosition, MetricStore, RememberedRun } from './metric.store.js';
import { foldPage, runsOnPage, type KnownRun, type RunOnPage } from './page-fold.js';

/** Raised when the fold counts otherwise than before: figures are then counted again from the log. */
const FOLD_VERSION = 1;

/** Runs whose heads and states are kept in memory; others are read again when they have an event. */
const MAX_KEPT_RUNS = 2_000;

/** How often old pieces are removed. */
const PRUNE_EVERY_MS = LENGTH_MS.hour;

const BEGINNING: MetricPosition = { cursor: '', foldVersion: FOLD_VERSION };

/** A page is not kept, because the figures stand elsewhere by now: somebody else counts. */
export class PageRefused extends Error {}

/** What a counter reads, and where it keeps what it has counted. */
export interface CountedRecord {
  readonly metrics: MetricStore;
  readonly runs: RunStore;
  readonly clock: Clock;
  readonly config: Pick<MetricConfig, 'maxSeries' | 'retentionMs'>;
}

/**
 * Counts pages of the log into figures. Each event is counted once: figures and cursor are one transaction. What it
 * keeps in memory is forgotten whenever a page was not kept.
 */
export class MetricCounter implements LogConsumer {
  readonly name = 'metrics';
  private readonly runs = new Map<string, KnownRun>();
  private readonly books = new Map<string, SeriesBook>();
  private position: MetricPosition | undefined;
  private prunedAt = Number.NEGATIVE_INFINITY;

  /** @param onKept is told what each page has added */
  constructor(
    private readonly record: CountedRecord,
    private readonly onKept: (minutes: readonly MinuteFigures[]) => void = () => undefined,
  ) {}

  async cursor(): Promise<string> {
    this.position ??= await this.findPosition();
    return this.position.cursor;
  }

  /** Figures of another version are counted again from the beginning, by whoever counts. */
  async peek(): Promise<string> {
    const found = await this.record.metrics.position();
    return found?.foldVersion === FOLD_VERSION ? found.cursor : BEGINNING.cursor;
  }

  forget(): void {
    this.position = undefined;
    this.runs.clear();
    this.books.clear();
  }

  /** @throws PageRefused */
  async take(from: string, { entries, cursor }: LogPage): Promise<void> {
    const to = { cursor, foldVersion: FOLD_VERSION };
    try {
      const runs = runsOnPage(entries);
      const known = await this.knownRuns(runs);
      const { tally, open } = await foldPage(runs, known);
      const minutes = tally.list(await this.admission(known));
      const isKept = await this.record.metrics.commit({
        from: { cursor: from, foldVersion: FOLD_VERSION },
        to,
        minutes,
        open: changesOf(known, open),
      });
      if (!isKept) throw new PageRefused('another process counts the log');
      this.position = to;
      this.remember(known, open);
      this.onKept(minutes);
    } catch (error) {
      this.forget();
      throw error;
    }
    await this.prune();
  }

  private async findPosition(): Promise<MetricPosition> {
    const found = await this.record.metrics.position();
    if (found === undefined) return BEGINNING;
    if (found.foldVersion === FOLD_VERSION) return found;
    await this.record.metrics.reset();
    return BEGINNING;
  }

  /** What is known of every run that has an event on the page. */
  private async knownRuns(runs: ReadonlyMap<string, RunOnPage>): Promise<ReadonlyMap<string, KnownRun>> {
    const known = new Map<string, KnownRun>();
    const unknown = new Map<string, string>();
    for (const [runId, { namespace, first }] of runs) {
      const kept = this.runs.get(runId);
      if (kept !== undefined) known.set(runId, kept);
      else if (first.head.seq === 1)
        known.set(runId, { head: headOf(namespace, first.event), open: undefined });
      else unknown.set(runId, namespace);
    }
    const open = await this.record.metrics.openRuns([...unknown.keys()]);
    for (const [runId, namespace] of unknown) {
      known.set(runId, { head: await this.readHead(namespace, runId), open: open.get(runId) });
    }
    return known;
  }

  private async readHead(namespace: string, runId: string): Promise<RunHead> {
    const page = await this.record.runs.read(namespace, runId, { afterSeq: 0, limit: 1 });
    const first = page?.events[0]?.event;
    return headOf(namespace, first?.seq === 1 ? first : undefined);
  }

  /** Which series each is counted as. */
  private async admission(known: ReadonlyMap<string, KnownRun>): Promise<(series: Series) => Series> {
    const namespaces = new Set([...known.values()].map(({ head }) => head.namespace));
    const books = new Map<string, SeriesBook>();
    for (const namespace of namespaces) books.set(namespace, await this.bookOf(namespace));
    return (series) => books.get(series.namespace)?.admit(series) ?? series;
  }

  private async bookOf(namespace: string): Promise<SeriesBook> {
    let book = this.books.get(namespace);
    if (book === undefined) {
      book = new SeriesBook(await this.record.metrics.series(namespace), this.record.config.maxSeries);
      this.books.set(namespace, book);
    }
    return book;
  }

  private remember(
    known: ReadonlyMap<string, KnownRun>,
    open: ReadonlyMap<string, OpenRun | undefined>,
  ): void {
    for (const [runId, { head }] of known) {
      const state = open.get(runId);
      this.runs.delete(runId);
      if (state !== undefined) this.runs.set(runId, { head, open: state });
    }
    for (const runId of this.runs.keys()) {
      if (this.runs.size <= MAX_KEPT_RUNS) return;
      this.runs.delete(runId);
    }
  }

  private async prune(): Promise<void> {
    const now = this.record.clock.now();
    if (now - this.prunedAt < PRUNE_EVERY_MS) return;
    this.prunedAt = now;
    for (const grain of GRAINS)
      await this.record.metrics.prune(grain, oldestKept(grain, now, this.record.config.retentionMs));
  }
}

/** Runs that began and ended on the page leave nothing to remember and nothing to forget. */
function changesOf(
  known: ReadonlyMap<string, KnownRun>,
  open: ReadonlyMap<string, OpenRun | undefined>,
): ReadonlyMap<string, RememberedRun | undefined> {
  const changes = new Map<string, RememberedRun | undefined>();
  for (const [runId, state] of open) {
    const before = known.get(runId);
    if (state !== undefined) changes.set(runId, { namespace: before?.head.namespace ?? '', open: state });
    else if (before?.open !== undefined) changes.set(runId, undefined);
  }
  return changes;
}
