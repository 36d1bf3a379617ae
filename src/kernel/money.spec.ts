import { usdFromMicros } from './money.js';

it.each([
  [0, 0],
  [1, 0.000001],
  [5, 0.000005],
  [300_000, 0.3],
  [1_234_567, 1.234567],
  [999_999_999_999, 999_999.999999],
])('writes %d micro-dollars as %d dollars, exact to the last digit', (micros, usd) => {
  expect(usdFromMicros(micros)).toBe(usd);
});
