/**
 * The ranges of time that are asked for.
 *
 * Decided here: defaults, and which range is refused. Decided elsewhere: which pieces answer one (grain.ts).
 */
import { failureOf, type Failure } from '../../kernel/failure.js';
import { fail, ok, type Result } from '../../kernel/result.js';
import { isoOf } from '../../kernel/time.js';
import { LENGTH_MS, floorTo, oldestKept, type Grain, type Range, type Retention } from './grain.js';
import { metricErrors } from './metric.errors.js';

/** What a caller says of the range; milliseconds since the epoch. */
export interface AskedRange {
  readonly from?: number;
  readonly to?: number;
}

/** Pieces of time in one answer. */
export const MAX_POINTS = 1_500;

const DEFAULT_LENGTH_MS: { readonly [G in Grain]: number } = {
  minute: LENGTH_MS.hour,
  hour: LENGTH_MS.day,
  day: 30 * LENGTH_MS.day,
};

/** The range that is meant: by default up to now, and a day long. */
export function rangeOf({ from, to }: AskedRange, now: number, lengthMs = LENGTH_MS.day): Result<Range> {
  const range = { from: from ?? (to ?? now) - lengthMs, to: to ?? Math.max(now, from ?? now) };
  if (range.from < range.to) return ok(range);
  const message = `the range must begin before it ends: it begins at ${isoOf(range.from)} and ends at ${isoOf(range.to)}`;
  return fail(refusal('/from', message));
}

/** The range of a time series, widened to whole pieces of its interval, all of which must be kept. */
export function seriesRangeOf(
  asked: AskedRange,
  interval: Grain,
  now: number,
  retention: Retention,
): Result<Range> {
  const meant = rangeOf(asked, now, DEFAULT_LENGTH_MS[interval]);
  if (!meant.ok) return meant;
  const lengthMs = LENGTH_MS[interval];
  const from = floorTo(interval, meant.value.from);
  const to = Math.ceil(meant.value.to / lengthMs) * lengthMs;
  const oldest = oldestKept(interval, now, retention);
  if (asked.from !== undefined && from < oldest) {
    return fail(
      refusal(
        '/from',
        `figures by the ${interval} are kept from ${isoOf(oldest)} on; take a longer interval`,
      ),
    );
  }
  const points = (to - from) / lengthMs;
  if (points <= MAX_POINTS) return ok({ from: Math.max(from, oldest), to });
  const message = `at most ${String(MAX_POINTS)} points are answered, and the range has ${String(points)} of one ${interval}`;
  return fail(refusal('/interval', message));
}

function refusal(pointer: string, message: string): Failure {
  const { code } = metricErrors['metrics.range-invalid'];
  return failureOf(metricErrors['metrics.range-invalid'], message, { issues: [{ pointer, code, message }] });
}
