/**
 * Histograms that can be added up: buckets whose bounds grow by 4 %, so that a percentile is off by at most 2 %.
 *
 * Decided here: buckets, and what a percentile is. The scheme is that of DDSketch (Masson, Rim, Lee, 2019): bucket `i`
 * holds values in (γ^(i-1), γ^i], and its estimate 2γ^i / (γ+1) is within (γ-1) / (γ+1) of each of them.
 */

/** How far a percentile may be from the exact one, as a part of it. */
export const RELATIVE_ERROR = 0.02;

const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);

/** Holds values up to 1. Values are whole milliseconds, so below it there is only 0. */
const FIRST_BUCKET = 0;
const ZERO_BUCKET = -1;

/** Counts by number of bucket. Owned and changed by whoever made it. */
export type Histogram = Map<number, number>;

/** Counts as stored: number of bucket, count, number of bucket, count … in ascending order of buckets. */
export type StoredHistogram = readonly number[];

/** Counts a value; what is below 0 counts as 0. */
export function observe(histogram: Histogram, value: number, times = 1): void {
  const bucket = bucketOf(value);
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + times);
}

/** Adds the counts of another histogram. */
export function mergeHistogram(into: Histogram, from: ReadonlyMap<number, number>): void {
  for (const [bucket, count] of from) into.set(bucket, (into.get(bucket) ?? 0) + count);
}

/**
 * The value below which a part of all values lies, within `RELATIVE_ERROR`; undefined when there is none.
 *
 * The exact value that it stands for is the one at `floor(part × (n - 1))` among all `n` in ascending order.
 *
 * @param part 0 to 1
 */
export function quantile(histogram: ReadonlyMap<number, number>, part: number): number | undefined {
  let total = 0;
  for (const count of histogram.values()) total += count;
  const rank = Math.floor(part * (total - 1));
  let seen = 0;
  for (const bucket of [...histogram.keys()].sort((a, b) => a - b)) {
    seen += histogram.get(bucket) ?? 0;
    if (seen > rank) return valueOf(bucket);
  }
  return undefined;
}

/** The estimate and the count of each bucket, in ascending order. */
export function estimates(histogram: ReadonlyMap<number, number>): readonly (readonly [number, number])[] {
  return [...histogram].sort(([a], [b]) => a - b).map(([bucket, count]) => [valueOf(bucket), count]);
}

/** A histogram as it is stored. */
export function storeHistogram(histogram: ReadonlyMap<number, number>): StoredHistogram {
  return [...histogram].sort(([a], [b]) => a - b).flat();
}

/** Adds the counts of a histogram as it is stored. */
export function addStoredHistogram(into: Histogram, stored: StoredHistogram): void {
  for (let index = 0; index + 1 < stored.length; index += 2) {
    const bucket = stored[index] ?? 0;
    into.set(bucket, (into.get(bucket) ?? 0) + (stored[index + 1] ?? 0));
  }
}

function bucketOf(value: number): number {
  if (value <= 0) return ZERO_BUCKET;
  return value <= 1 ? FIRST_BUCKET : Math.ceil(Math.log(value) / LOG_GAMMA);
}

function valueOf(bucket: number): number {
  if (bucket <= FIRST_BUCKET) return bucket === ZERO_BUCKET ? 0 : 1;
  return (2 * GAMMA ** bucket) / (GAMMA + 1);
}
