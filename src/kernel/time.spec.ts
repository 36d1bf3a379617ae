import { instantOf, isoOf } from './time.js';

it.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
  [-1, '1969-12-31T23:59:59.999Z'],
])('writes %d as %s, again and again', (instant, text) => {
  expect([isoOf(instant), isoOf(instant + 1), isoOf(instant), isoOf(instant)]).toEqual([
    text,
    new Date(instant + 1).toISOString(),
    text,
    text,
  ]);
});

it('refuses what is no instant, and goes on', () => {
  expect(() => isoOf(Number.NaN)).toThrow(RangeError);
  expect(isoOf(0)).toBe('1970-01-01T00:00:00.000Z');
});

it.each([
  ['1970-01-01T00:00:00.000Z', 0],
  ['2023-11-14T22:13:20.123Z', 1_700_000_000_123],
  ['1969-12-31T23:59:59.999Z', -1],
])('reads %s as %d, again and again', (text, instant) => {
  expect([instantOf(text), instantOf(isoOf(instant + 1)), instantOf(text), instantOf(text)]).toEqual([
    instant,
    instant + 1,
    instant,
    instant,
  ]);
});

it('reads what is no instant as none, and goes on', () => {
  expect(instantOf('tomorrow')).toBeNaN();
  expect(instantOf('tomorrow')).toBeNaN();
  expect(instantOf('1970-01-01T00:00:00.000Z')).toBe(0);
});
