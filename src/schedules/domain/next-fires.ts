/**
 * When a schedule fires: instants from a rule, purely.
 *
 * **The rule when clocks are set.** A wall time that a day does not have, because clocks were set forward over it, is
 * made up for at the instant at which they were set: once, however many were skipped. A wall time that a day has twice
 * counts the first time only. An expression that means every hour (`0 * * * *`, `*` and `0-23` alike) follows elapsed
 * time instead: what was skipped is not made up for, and what comes twice fires twice. Intervals know no wall time.
 *
 * Decided here: nominal instants. Decided elsewhere: what becomes of each (fire.ts).
 */
import { compileCron, nextWallTime, type Cron } from './cron.js';
import type { ScheduleRule } from './schedule.js';
import { findShift, openZone, type Shift, type Zone } from './zone.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** No clock is set by more. */
const LARGEST_SHIFT = 3 * HOUR;

/** Answers the first instant of a rule after another one; undefined when there is none. */
export type NextInstant = (afterMs: number) => number | undefined;

/**
 * The instants of a rule, one by one.
 *
 * @throws RangeError for a rule that was not checked: no cron expression, or no zone of that name
 */
export function instantsOf(rule: ScheduleRule): NextInstant {
  const { startAt = -Infinity, endAt = Infinity } = rule;
  const next = rule.kind === 'interval' ? everyInterval(rule) : byCron(rule);
  return (afterMs) => {
    const at = next(Math.max(afterMs, startAt - 1));
    return at === undefined || at > endAt ? undefined : at;
  };
}

/** Up to `limit` instants after one, and up to another. */
export function listInstants(
  next: NextInstant,
  { after, to = Infinity, limit }: { readonly after: number; readonly to?: number; readonly limit: number },
): readonly number[] {
  const instants: number[] = [];
  let at = next(after);
  while (at !== undefined && at <= to && instants.length < limit) {
    instants.push(at);
    at = next(at);
  }
  return instants;
}

function everyInterval({ anchorAt, intervalMs }: Extract<ScheduleRule, { kind: 'interval' }>): NextInstant {
  return (afterMs) => anchorAt + Math.max(0, Math.floor((afterMs - anchorAt) / intervalMs) + 1) * intervalMs;
}

function byCron({ cron: text, timezone }: Extract<ScheduleRule, { kind: 'cron' }>): NextInstant {
  const cron = compileCron(text);
  if (!cron.ok) throw new RangeError(cron.failure);
  const zone = openZone(timezone);
  if (zone === undefined) throw new RangeError(`there is no time zone "${timezone}"`);
  return (afterMs) => nextOf(cron.value, zone, afterMs);
}

/** Walks stretches of a day or less in which no clock is set, and leaps over days that have nothing. */
function nextOf(cron: Cron, zone: Zone, afterMs: number): number | undefined {
  let from = (Math.floor(afterMs / SECOND) + 1) * SECOND;
  for (;;) {
    const last = findShift(zone, from - DAY, from);
    if (last?.at === from && isMadeUpFor(cron, last)) return from;
    const end = findShift(zone, from, from + DAY)?.at ?? from + DAY;
    const offset = zone.offsetAt(from);
    // What was shown before the clocks were set back has counted then.
    const counted = last === undefined || cron.isEveryHour ? -Infinity : last.at + last.before;
    const wall = nextWallTime(cron, Math.max(from + offset, counted));
    if (wall !== undefined && wall - offset < end) return wall - offset;
    const endOffset = zone.offsetAt(end);
    const ahead = nextWallTime(cron, end + endOffset - LARGEST_SHIFT);
    if (ahead === undefined) return undefined;
    from = Math.max(end, ahead - endOffset - DAY - LARGEST_SHIFT);
  }
}

/** Whether clocks were set forward over a wall time that the expression means. */
function isMadeUpFor(cron: Cron, { at, before, after }: Shift): boolean {
  if (cron.isEveryHour || after <= before) return false;
  const skipped = nextWallTime(cron, at + before);
  return skipped !== undefined && skipped < at + after;
}
