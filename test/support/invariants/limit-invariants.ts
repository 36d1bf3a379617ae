/** I7: no more calls at once than a limit allows. */
import type { CallEvidence, Evidence, LimitEvidence, Violation } from './evidence.js';

export function checkLimits({ calls = [], limits = [] }: Evidence): readonly Violation[] {
  return limits.flatMap((limit) => {
    const own = calls.filter((call) => call.limit === limit.name);
    const excess = excessOf(own, limit.max);
    const { lostLeases = 0, leaseMs = 0 } = limit;
    if (excess.most <= limit.max + lostLeases && excess.longestMs <= leaseMs) return [];
    return [{ invariant: 'I7' as const, message: describe(limit, excess) }];
  });
}

interface Excess {
  /** The most calls under way at once. */
  readonly most: number;
  /** How long at a time there were more than allowed, in milliseconds. */
  readonly longestMs: number;
}

function describe({ name, max }: LimitEvidence, { most, longestMs }: Excess): string {
  return `${name}: ${most} calls at once, ${max} are allowed; too many for ${longestMs} ms`;
}

function excessOf(calls: readonly CallEvidence[], max: number): Excess {
  const changes = calls
    .flatMap(({ at, endedAt = at }) => [
      { at, by: 1 },
      { at: endedAt, by: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.by - b.by);
  let [open, most, longestMs] = [0, 0, 0];
  let since: number | undefined;
  for (const { at, by } of changes) {
    open += by;
    most = Math.max(most, open);
    if (open > max) since ??= at;
    else if (since !== undefined) {
      longestMs = Math.max(longestMs, at - since);
      since = undefined;
    }
  }
  return { most, longestMs };
}
