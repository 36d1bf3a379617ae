import fc from 'fast-check';

import { answerable, finestAt, GRAINS, LENGTH_MS, tilesOf, type Retention } from './grain.js';

const { minute: MINUTE, hour: HOUR, day: DAY } = LENGTH_MS;
const NOW = Date.UTC(2026, 5, 15, 12, 34, 56, 789);
const RETENTION: Retention = { minute: 48 * HOUR, hour: 90 * DAY, day: 1_095 * DAY };

const instants = fc.integer({ min: NOW - 1_200 * DAY, max: NOW + 2 * DAY });
const ranges = fc
  .tuple(instants, instants)
  .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) + 1 }));

describe('tilesOf', () => {
  it('covers what can be answered: each instant once, whole pieces only, of grains that are kept', () => {
    fc.assert(
      fc.property(ranges, (asked) => {
        const range = answerable(asked, NOW, RETENTION);
        const tiles = tilesOf(range);
        let at = range.from;
        for (const { grain, from, to } of tiles) {
          expect(from).toBe(at);
          expect(from % LENGTH_MS[grain]).toBe(0);
          expect(to % LENGTH_MS[grain]).toBe(0);
          expect(NOW - from).toBeLessThanOrEqual(RETENTION[grain]);
          at = to;
        }
        expect(at).toBe(Math.max(range.to, range.from));
      }),
    );
  });

  it('needs few pieces however long the range is', () => {
    fc.assert(
      fc.property(ranges, (asked) => {
        const pieces = tilesOf(answerable(asked, NOW, RETENTION)).map(
          ({ grain, from, to }) => [grain, (to - from) / LENGTH_MS[grain]] as const,
        );
        const count = (wanted: string): number =>
          pieces.filter(([grain]) => grain === wanted).reduce((sum, [, length]) => sum + length, 0);

        expect(count('minute')).toBeLessThan(120);
        expect(count('hour')).toBeLessThan(48);
      }),
    );
  });

  it.each([
    ['a minute', NOW - MINUTE, NOW, ['minute 2']],
    ['an hour from its beginning', NOW - (NOW % HOUR) - HOUR, NOW - (NOW % HOUR), ['hour 1']],
    ['the day before', NOW - (NOW % DAY) - DAY, NOW - (NOW % DAY), ['day 1']],
    ['24 hours up to now', NOW - DAY, NOW, ['minute 26', 'hour 23', 'minute 35']],
    ['what is older than anything kept', NOW - 3_000 * DAY, NOW - 2_000 * DAY, []],
    ['an hour of last month, widened', NOW - 30 * DAY, NOW - 30 * DAY + HOUR, ['hour 2']],
    ['an hour of last year, widened', NOW - 365 * DAY, NOW - 365 * DAY + HOUR, ['day 1']],
  ])('%s', (_, from, to, expected) => {
    const tiles = tilesOf(answerable({ from, to }, NOW, RETENTION));

    expect(tiles.map((tile) => `${tile.grain} ${(tile.to - tile.from) / LENGTH_MS[tile.grain]}`)).toEqual(
      expected,
    );
  });
});

describe('finestAt', () => {
  it.each([
    [NOW, 'minute'],
    [NOW - 47 * HOUR, 'minute'],
    [NOW - 49 * HOUR, 'hour'],
    [NOW - 91 * DAY, 'day'],
    [NOW - 1_096 * DAY, undefined],
  ])('at %d is %s', (at, grain) => {
    expect(finestAt(at, NOW, RETENTION)).toBe(grain);
  });

  it('knows the grains from fine to coarse', () => {
    expect(GRAINS.map((grain) => LENGTH_MS[grain])).toEqual([MINUTE, HOUR, DAY]);
  });
});
