import fc from 'fast-check';

import {
  addStoredHistogram,
  estimates,
  mergeHistogram,
  observe,
  quantile,
  RELATIVE_ERROR,
  storeHistogram,
  type Histogram,
} from './histogram.js';

const A_YEAR_MS = 31_536_000_000;
const durations = fc.array(fc.oneof(fc.nat(2_000), fc.nat(A_YEAR_MS)), { minLength: 1, maxLength: 300 });

function histogramOf(values: readonly number[]): Histogram {
  const histogram: Histogram = new Map();
  for (const value of values) observe(histogram, value);
  return histogram;
}

function exact(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(part * (values.length - 1))] ?? Number.NaN;
}

describe('quantile', () => {
  it('is within the error of the exact value, whatever the durations are', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99, 1), (values, part) => {
        const [found, wanted] = [quantile(histogramOf(values), part) ?? Number.NaN, exact(values, part)];

        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(RELATIVE_ERROR * wanted + 1e-9);
      }),
    );
  });

  it.each([
    [[], 0.5, undefined],
    [[0], 0.99, 0],
    [[1], 0.5, 1],
    [[-5], 0.5, 0],
    [[0, 0, 0, 1], 0.5, 0],
    [[0, 1, 1, 1], 0.5, 1],
  ])('of %j at %d is %s', (values, part, expected) => {
    expect(quantile(histogramOf(values), part)).toBe(expected);
  });
});

describe('mergeHistogram', () => {
  it('gives the histogram of all values together, in any order', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const merged = histogramOf(a);
        mergeHistogram(merged, histogramOf(b));

        expect(storeHistogram(merged)).toEqual(storeHistogram(histogramOf([...b, ...a])));
      }),
    );
  });
});

describe('storeHistogram', () => {
  it('keeps every count', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const histogram = histogramOf(values);

        const restored: Histogram = new Map();
        addStoredHistogram(restored, JSON.parse(JSON.stringify(storeHistogram(histogram))) as number[]);

        expect(restored).toEqual(histogram);
      }),
    );
  });
});

it('estimates come in ascending order with their counts', () => {
  const found = estimates(histogramOf([1_000, 0, 1_000]));

  expect(found.map(([, count]) => count)).toEqual([1, 2]);
  expect(found[0]?.[0]).toBe(0);
  expect(found[1]?.[0]).toBeCloseTo(1_000, -2);
});
