/**
 * Cron expressions as sets of numbers, compared with wall time.
 *
 * Decided here: which wall times an expression means. Decided elsewhere: which instants these are (next-instant.ts).
 *
 * Five fields (minute, hour, day of month, month, day of week) or six with seconds before them; names of months and
 * days, lists, ranges, steps, `?`, `L`, `5#2`, `5L`, `@hourly` to `@yearly`. A day matches when both day fields do, or
 * either of them where both are restricted. `H` is refused: nobody could tell what it stands for.
 */
import { CronExpressionParser, type CronFieldCollection } from 'cron-parser';

import { fail, ok, type Result } from '../../kernel/result.js';

/** A compiled expression. Lists are sorted. */
export interface Cron {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** Whether every hour is meant: such an expression follows elapsed time when clocks are set. */
  readonly isEveryHour: boolean;
  /** Whether a day of the Gregorian calendar is meant; the day is given by any of its instants as if it were in UTC. */
  readonly matchesDay: (wallMs: number) => boolean;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** 29 February may be 8 years away (2096 to 2104), and a weekday on it 40. */
const MAX_DAYS_AHEAD = 41 * 366;

/** What an expression means, or a sentence about what is wrong with it. */
export function compileCron(text: string): Result<Cron, string> {
  if (!/^@[a-z]+$|^\S+( +\S+){4,5}$/.test(text.trim())) {
    return fail(`expected 5 or 6 fields divided by spaces, or one of @hourly to @yearly, got "${text}"`);
  }
  if (/\bH\b/i.test(text)) return fail('"H" stands for no known time: write the number');
  try {
    return ok(cronOf(CronExpressionParser.parse(text, { currentDate: 0, tz: 'UTC' }).fields));
  } catch (error) {
    return fail(
      `"${text}" is no cron expression: ${error instanceof Error ? error.message : 'it can not be read'}`,
    );
  }
}

function cronOf({ second, minute, hour, dayOfMonth, month, dayOfWeek }: CronFieldCollection): Cron {
  const months = new Set(numbersIn(month.values));
  const days = new Set(numbersIn(dayOfMonth.values));
  const weekdays = new Set(weekdaysIn(dayOfWeek.values));
  const lastWeekdays = new Set(dayOfWeek.values.flatMap((value) => lastOf(value)));
  const { nthDay } = dayOfWeek;
  const isDay = (date: Date): boolean =>
    days.has(date.getUTCDate()) || (dayOfMonth.hasLastChar && isLastDay(date));
  const isWeekday = (date: Date): boolean => {
    if (lastWeekdays.has(date.getUTCDay()) && isInLastWeek(date)) return true;
    return weekdays.has(date.getUTCDay()) && (nthDay === 0 || Math.ceil(date.getUTCDate() / 7) === nthDay);
  };
  const isEither = !dayOfMonth.isWildcard && !dayOfWeek.isWildcard;
  return {
    seconds: numbersIn(second.values),
    minutes: numbersIn(minute.values),
    hours: numbersIn(hour.values),
    isEveryHour: hour.values.length === 24,
    matchesDay: (wallMs) => {
      const date = new Date(wallMs);
      if (!months.has(date.getUTCMonth() + 1)) return false;
      return isEither ? isDay(date) || isWeekday(date) : isDay(date) && isWeekday(date);
    },
  };
}

/** The first wall time at or after another that the expression means; undefined when there is none in 40 years. */
export function nextWallTime(cron: Cron, fromMs: number): number | undefined {
  const first = Math.floor(fromMs / DAY) * DAY;
  for (let ahead = 0; ahead < MAX_DAYS_AHEAD; ahead += 1) {
    const day = first + ahead * DAY;
    if (!cron.matchesDay(day)) continue;
    const time = nextTimeOfDay(cron, ahead === 0 ? fromMs - day : 0);
    if (time !== undefined) return day + time;
  }
  return undefined;
}

/** The first time of day at or after another, in milliseconds since midnight. */
function nextTimeOfDay({ hours, minutes, seconds }: Cron, fromMs: number): number | undefined {
  for (const hour of hours) {
    if ((hour + 1) * HOUR <= fromMs) continue;
    for (const minute of minutes) {
      const start = hour * HOUR + minute * MINUTE;
      if (start + MINUTE <= fromMs) continue;
      for (const second of seconds) if (start + second * SECOND >= fromMs) return start + second * SECOND;
    }
  }
  return undefined;
}

function numbersIn(values: readonly (number | string)[]): readonly number[] {
  return values.filter((value) => typeof value === 'number').toSorted((a, b) => a - b);
}

/** 7 is Sunday, as 0 is. */
function weekdaysIn(values: readonly (number | string)[]): readonly number[] {
  return numbersIn(values).map((value) => value % 7);
}

/** The weekday of `5L`, the last Friday of its month. */
function lastOf(value: number | string): readonly number[] {
  return typeof value === 'string' && /^\dL$/i.test(value) ? [Number(value.charAt(0)) % 7] : [];
}

function isLastDay(date: Date): boolean {
  return new Date(date.getTime() + DAY).getUTCMonth() !== date.getUTCMonth();
}

function isInLastWeek(date: Date): boolean {
  return new Date(date.getTime() + 7 * DAY).getUTCMonth() !== date.getUTCMonth();
}
