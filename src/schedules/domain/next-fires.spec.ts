import { instantsOf, listInstants } from './next-fires.js';
import type { ScheduleRule } from './schedule.js';

/** Instants of a cron expression after a time, all written in UTC without seconds where these are zero. */
function firesOf(cron: string, timezone: string, after: string, count: number): readonly string[] {
  const next = instantsOf({ kind: 'cron', cron, timezone });
  return listInstants(next, { after: Date.parse(after), limit: count }).map(shortOf);
}

function shortOf(instantMs: number): string {
  return new Date(instantMs).toISOString().replace(/(:00)?\.000Z$/, 'Z');
}

/*
 * Clocks are set in Berlin on 2026-03-29 (01:00Z, 02:00 becomes 03:00) and 2026-10-25 (01:00Z, 03:00 becomes 02:00);
 * in New York on 2026-03-08 (07:00Z, 02:00 becomes 03:00) and 2026-11-01 (06:00Z, 02:00 becomes 01:00);
 * on Lord Howe by half an hour, on 2026-04-04 (15:00Z, 02:00 becomes 01:30) and 2026-10-03 (15:30Z, 02:00 becomes 02:30);
 * in Cairo at midnight, on 2026-04-23 (22:00Z, 00:00 becomes 01:00).
 */
describe('when clocks are set', () => {
  it.each([
    // forward: what the day does not have is made up for at once
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z', ['03-28T01:30Z', '03-29T01:00Z', '03-30T00:30Z']],
    ['0 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-30T00:00Z']],
    ['*/15 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-30T00:00Z', '03-30T00:15Z']],
    ['0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-30T00:00Z', '03-30T01:00Z']],
    ['30 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-29T01:30Z', '03-30T00:30Z']],
    ['0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-30T01:00Z']],
    ['30 1 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T00:30Z', '03-29T23:30Z']],
    ['30 2 29 3 *', 'Europe/Berlin', '2026-01-01T00:00Z', ['03-29T01:00Z']],
    ['0 30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['03-29T01:00Z', '03-30T00:30Z']],
    ['30 2 * * *', 'America/New_York', '2026-03-07T12:00Z', ['03-08T07:00Z', '03-09T06:30Z']],
    ['15 2 * * 0', 'America/New_York', '2026-03-02T12:00Z', ['03-08T07:00Z', '03-15T06:15Z']],
    [
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T12:00Z',
      ['10-02T15:45Z', '10-03T15:30Z', '10-04T15:15Z'],
    ],
    ['0 0 * * *', 'Africa/Cairo', '2026-04-22T00:00Z', ['04-22T22:00Z', '04-23T22:00Z', '04-24T21:00Z']],
    // forward, every hour: nothing is made up for
    ['30 * * * *', 'Europe/Berlin', '2026-03-28T23:59Z', ['03-29T00:30Z', '03-29T01:30Z', '03-29T02:30Z']],
    ['*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:29Z', ['03-29T00:30Z', '03-29T01:00Z', '03-29T01:30Z']],
    ['20 0-23 * * *', 'America/New_York', '2026-03-08T06:00Z', ['03-08T06:20Z', '03-08T07:20Z']],
    [
      '*/20 * * * *',
      'Australia/Lord_Howe',
      '2026-10-03T15:10Z',
      ['10-03T15:40Z', '10-03T16:00Z', '10-03T16:20Z'],
    ],
    // back: what the day has twice fires the first time
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['10-25T00:30Z', '10-26T01:30Z']],
    ['0 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['10-25T00:00Z', '10-26T01:00Z']],
    ['*/30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['10-25T00:00Z', '10-25T00:30Z', '10-26T01:00Z']],
    ['0 1-3 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['10-24T23:00Z', '10-25T00:00Z', '10-25T02:00Z']],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30Z', ['10-26T01:30Z']],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', ['10-26T01:30Z']],
    ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', ['11-01T05:30Z', '11-02T06:30Z']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T18:00Z', ['04-04T14:45Z', '04-05T15:15Z']],
    // back, every hour: what comes twice fires twice
    ['0 * * * *', 'Europe/Berlin', '2026-10-24T23:30Z', ['10-25T00:00Z', '10-25T01:00Z', '10-25T02:00Z']],
    ['*/30 * * * *', 'Europe/Berlin', '2026-10-25T00:20Z', ['10-25T00:30Z', '10-25T01:00Z', '10-25T01:30Z']],
    ['30 * * * *', 'America/New_York', '2026-11-01T05:00Z', ['11-01T05:30Z', '11-01T06:30Z', '11-01T07:30Z']],
    [
      '*/30 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T14:00Z',
      ['04-04T14:30Z', '04-04T15:00Z', '04-04T15:30Z'],
    ],
  ])('%s in %s after %s', (cron, timezone, after, expected) => {
    expect(firesOf(cron, timezone, after, expected.length)).toEqual(expected.map((text) => `2026-${text}`));
  });
});

describe('calendars', () => {
  it.each([
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['0 0 29 2 *', 'UTC', '2096-03-01T00:00Z', ['2104-02-29T00:00Z']], // 2100 is no leap year
    [
      '0 0 L * *',
      'UTC',
      '2028-01-31T00:00Z',
      ['2028-02-29T00:00Z', '2028-03-31T00:00Z', '2028-04-30T00:00Z'],
    ],
    ['0 0 31 * *', 'UTC', '2026-01-31T00:00Z', ['2026-03-31T00:00Z', '2026-05-31T00:00Z']],
    ['0 12 30 * *', 'Asia/Tokyo', '2026-01-30T12:00Z', ['2026-03-30T03:00Z']],
    ['59 23 31 12 *', 'Pacific/Auckland', '2026-01-01T00:00Z', ['2026-12-31T10:59Z']],
    ['0 0 1 1 *', 'Asia/Kathmandu', '2026-06-01T00:00Z', ['2026-12-31T18:15Z']],
    ['0 9 * * 1-5', 'UTC', '2026-01-02T10:00Z', ['2026-01-05T09:00Z', '2026-01-06T09:00Z']],
    ['0 9 * * 7', 'UTC', '2026-01-01T00:00Z', ['2026-01-04T09:00Z']],
    [
      '0 0 13 * 5',
      'UTC',
      '2026-02-01T00:00Z',
      ['2026-02-06T00:00Z', '2026-02-13T00:00Z', '2026-02-20T00:00Z'],
    ],
    ['0 0 ? * MON#2', 'UTC', '2026-01-01T00:00Z', ['2026-01-12T00:00Z', '2026-02-09T00:00Z']],
    ['0 0 * * 5L', 'UTC', '2026-01-01T00:00Z', ['2026-01-30T00:00Z', '2026-02-27T00:00Z']],
    ['@monthly', 'UTC', '2026-01-15T00:00Z', ['2026-02-01T00:00Z', '2026-03-01T00:00Z']],
    ['0 0 * JAN,jul *', 'UTC', '2026-01-31T00:00Z', ['2026-07-01T00:00Z']],
    [
      '10-12 0 0 * * *',
      'UTC',
      '2026-01-01T00:00:10Z',
      ['2026-01-01T00:00:11Z', '2026-01-01T00:00:12Z', '2026-01-02T00:00:10Z'],
    ],
    ['* * * * * *', 'UTC', '2026-12-31T23:59:59Z', ['2027-01-01T00:00Z', '2027-01-01T00:00:01Z']],
    [
      '5/20 * * * *',
      'UTC',
      '2026-01-01T00:00Z',
      ['2026-01-01T00:05Z', '2026-01-01T00:25Z', '2026-01-01T00:45Z'],
    ],
  ])('%s in %s after %s', (cron, timezone, after, expected) => {
    expect(firesOf(cron, timezone, after, expected.length)).toEqual(expected);
  });

  it('gives each instant once and in order, from wherever it is asked', () => {
    const next = instantsOf({ kind: 'cron', cron: '*/10 1-3 * * *', timezone: 'Europe/Berlin' });
    const [from, to] = [Date.parse('2026-10-24T00:00Z'), Date.parse('2026-10-27T00:00Z')];
    const instants = listInstants(next, { after: from, to, limit: 1_000 });

    for (let at = from; at < to; at += 7 * 60_000)
      expect(next(at)).toBe(instants.find((instant) => instant > at) ?? next(to - 1));
    expect(instants).toHaveLength(11 + 18 + 18 + 1); // from 02:00 of the first day to 01:00 of the last
  });
});

describe('intervals', () => {
  const rule: ScheduleRule = { kind: 'interval', intervalMs: 1_000, anchorAt: 500 };

  it.each([
    [rule, -5_000, [500, 1_500]],
    [rule, 499, [500, 1_500]],
    [rule, 500, [1_500, 2_500]],
    [{ ...rule, startAt: 1_200 }, 0, [1_500, 2_500]],
    [{ ...rule, startAt: 1_500 }, 0, [1_500, 2_500]],
    [{ ...rule, endAt: 2_500 }, 1_000, [1_500, 2_500]],
    [{ ...rule, endAt: 2_499 }, 1_000, [1_500]],
    [{ ...rule, endAt: 100 }, 0, []],
  ] satisfies readonly (readonly [ScheduleRule, number, readonly number[]])[])(
    '%j after %d',
    (given, after, expected) => {
      expect(listInstants(instantsOf(given), { after, limit: 2 })).toEqual(expected);
    },
  );
});
