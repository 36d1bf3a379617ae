/**
 * The figures of one series in one stretch of time, which can be added up.
 *
 * Decided here: what is counted, and how it is stored. Decided elsewhere: which event counts as what (fold.ts), and
 * what people are shown (report.ts).
 */
import {
  addStoredHistogram,
  mergeHistogram,
  observe,
  storeHistogram,
  type Histogram,
  type StoredHistogram,
} from './histogram.js';

/** How something ended. `interrupted` is of attempts only, `timed_out` of runs only. */
export type Outcome = 'completed' | 'failed' | 'timed_out' | 'cancelled' | 'skipped' | 'interrupted';

/** What is counted, in the order in which it is stored. Durations are milliseconds, cost is micro-dollars. */
export const COUNTERS = [
  'started',
  'completed',
  'failed',
  'timed_out',
  'cancelled',
  'skipped',
  'interrupted',
  'retries',
  'inputTokens',
  'outputTokens',
  'costMicros',
  'durationMs',
  'queueMs',
] as const;

export type Counter = (typeof COUNTERS)[number];

/** Owned and changed by whoever made them. */
export interface Figures {
  readonly counts: { [C in Counter]: number };
  readonly durations: Histogram;
  /** From creation to the first start; of runs only. */
  readonly queues: Histogram;
}

/** Counts in the order of `COUNTERS`; new ones are added at the end. */
type StoredFigures = readonly [
  counts: readonly number[],
  durations: StoredHistogram,
  queues: StoredHistogram,
];

const NOTHING = Object.fromEntries(COUNTERS.map((counter) => [counter, 0])) as Figures['counts'];

export function emptyFigures(): Figures {
  return { counts: { ...NOTHING }, durations: new Map(), queues: new Map() };
}

/** Counts an end and how long it took. */
export function countEnd(
  { counts, durations }: Figures,
  outcome: Outcome,
  durationMs: number | undefined,
): void {
  counts[outcome] += 1;
  if (durationMs === undefined) return;
  counts.durationMs += durationMs;
  observe(durations, durationMs);
}

/** Adds figures to others. */
export function addFigures(into: Figures, from: Figures): void {
  for (const counter of COUNTERS) into.counts[counter] += from.counts[counter];
  mergeHistogram(into.durations, from.durations);
  mergeHistogram(into.queues, from.queues);
}

/** How many values a histogram holds. */
export function sizeOf(histogram: ReadonlyMap<number, number>): number {
  let size = 0;
  for (const count of histogram.values()) size += count;
  return size;
}

/** Figures as JSON text. */
export function storeFigures({ counts, durations, queues }: Figures): string {
  const stored: StoredFigures = [
    COUNTERS.map((counter) => counts[counter]),
    storeHistogram(durations),
    storeHistogram(queues),
  ];
  return JSON.stringify(stored);
}

/** Adds figures from their JSON text to others, without making them first. */
export function addStored(into: Figures, text: string): void {
  const [counts, durations, queues] = JSON.parse(text) as StoredFigures;
  COUNTERS.forEach((counter, index) => (into.counts[counter] += counts[index] ?? 0));
  addStoredHistogram(into.durations, durations);
  addStoredHistogram(into.queues, queues);
}

/** Figures from their JSON text. Counters that a release before did not know are 0. */
export function restoreFigures(text: string): Figures {
  const figures = emptyFigures();
  addStored(figures, text);
  return figures;
}
