/**
 * Figures as people read them.
 *
 * Decided here: rates, averages and percentiles. What there is none of has no average: the field is absent.
 */
import { usdFromMicros } from '../../kernel/money.js';
import { sizeOf, type Figures } from './figures.js';
import { quantile } from './histogram.js';

/** How long something took. Averages are exact, percentiles within 2 %. */
export interface Durations {
  readonly count: number;
  readonly avg?: number;
  readonly p50?: number;
  readonly p95?: number;
  readonly p99?: number;
}

/** What is said of runs and of attempts alike. */
export interface Report {
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Completed among those that completed, failed or timed out; 0 to 1. */
  readonly successRate?: number;
  readonly retries: number;
  readonly durationMs: Durations;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  readonly costUsd: number;
}

export interface RunReport extends Report {
  readonly timedOut: number;
  /** From creation to the first start. */
  readonly queueMs: Durations;
}

export interface AttemptReport extends Report {
  /** Steps that did not run. */
  readonly skipped: number;
  /** Attempts whose owner went away; they were made again. */
  readonly interrupted: number;
}

/** Figures of runs. */
export function reportRuns(figures: Figures): RunReport {
  const { counts, queues } = figures;
  return {
    ...report(figures),
    timedOut: counts.timed_out,
    queueMs: durationsOf(queues, counts.queueMs),
  };
}

/** Figures of attempts. */
export function reportAttempts(figures: Figures): AttemptReport {
  const { skipped, interrupted } = figures.counts;
  return { ...report(figures), skipped, interrupted };
}

function report(figures: Figures): Report {
  const { counts, durations } = figures;
  const rate = successRate(figures);
  return {
    started: counts.started,
    completed: counts.completed,
    failed: counts.failed,
    cancelled: counts.cancelled,
    ...(rate !== undefined && { successRate: rate }),
    retries: counts.retries,
    durationMs: durationsOf(durations, counts.durationMs),
    usage: { inputTokens: counts.inputTokens, outputTokens: counts.outputTokens },
    costUsd: usdFromMicros(counts.costMicros),
  };
}

function durationsOf(histogram: Figures['durations'], sumMs: number): Durations {
  const count = sizeOf(histogram);
  if (count === 0) return { count };
  return {
    count,
    avg: rounded(sumMs / count),
    p50: percentile(histogram, 50),
    p95: percentile(histogram, 95),
    p99: percentile(histogram, 99),
  };
}

function percentile(histogram: Figures['durations'], percent: number): number {
  return rounded(quantile(histogram, percent / 100) ?? 0);
}

/** To the hundredth: what lies behind is below the error. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function successRate({ counts }: Figures): number | undefined {
  const decided = counts.completed + counts.failed + counts.timed_out;
  return decided === 0 ? undefined : counts.completed / decided;
}

function average(sum: number, histogram: Figures['durations']): number | undefined {
  return histogram.size === 0 ? undefined : rounded(sum / sizeOf(histogram));
}

/** The single figures that a time series may show; undefined where there is nothing to show. */
const VALUES = {
  started: ({ counts }) => counts.started,
  completed: ({ counts }) => counts.completed,
  failed: ({ counts }) => counts.failed,
  timed_out: ({ counts }) => counts.timed_out,
  cancelled: ({ counts }) => counts.cancelled,
  success_rate: successRate,
  retries: ({ counts }) => counts.retries,
  duration_avg_ms: ({ counts, durations }) => average(counts.durationMs, durations),
  duration_p50_ms: ({ durations }) => (durations.size === 0 ? undefined : percentile(durations, 50)),
  duration_p95_ms: ({ durations }) => (durations.size === 0 ? undefined : percentile(durations, 95)),
  duration_p99_ms: ({ durations }) => (durations.size === 0 ? undefined : percentile(durations, 99)),
  queue_avg_ms: ({ counts, queues }) => average(counts.queueMs, queues),
  queue_p95_ms: ({ queues }) => (queues.size === 0 ? undefined : percentile(queues, 95)),
  input_tokens: ({ counts }) => counts.inputTokens,
  output_tokens: ({ counts }) => counts.outputTokens,
  cost_usd: ({ counts }) => usdFromMicros(counts.costMicros),
} as const satisfies { readonly [name: string]: (figures: Figures) => number | undefined };

export type MetricName = keyof typeof VALUES;

export const METRIC_NAMES = Object.keys(VALUES) as readonly MetricName[];

/** One figure by its name; undefined where there is nothing to show. */
export function valueOf(metric: MetricName, figures: Figures): number | undefined {
  return VALUES[metric](figures);
}
