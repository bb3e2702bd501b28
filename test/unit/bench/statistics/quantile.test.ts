import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ascending,
  median,
  medianDeviation,
  middleMean,
  outliers,
  quantile,
} from '../../../../src/bench/statistics/quantile.js';

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 60 });

describe('quantiles', () => {
  test('are those of R and NumPy', () => {
    const sorted = [1, 2, 4, 8];
    expect([0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share))).toEqual([1, 1.75, 3, 5, 8]);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 9, 1, 2])).toBe(5.5);
    expect(median([5])).toBe(5);
    expect(() => median([])).toThrow(RangeError);
  });

  test('grow with the share, and lie between the smallest and the largest value', () => {
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (list, one, other) => {
          const sorted = ascending(list);
          const [low, high] = [Math.min(one, other), Math.max(one, other)];
          const [lower, upper] = [quantile(sorted, low), quantile(sorted, high)];
          expect(lower).toBeLessThanOrEqual(upper + 1e-6);
          expect(lower).toBeGreaterThanOrEqual(sorted[0] ?? Number.NaN);
          expect(upper).toBeLessThanOrEqual((sorted.at(-1) ?? Number.NaN) + 1e-6);
        },
      ),
    );
  });

  test('leave the list as it was, and do not care for its order', () => {
    const list = [3, -1, 2, 1e3];
    expect(median(list)).toBe(median(list.toReversed()));
    expect(list).toEqual([3, -1, 2, 1e3]);
    expect(medianDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
    expect([[7], [1, 3], [0, 2, 4, 900]].map(middleMean)).toEqual([7, 2, 3]);
  });
});

describe('outliers', () => {
  test('are what lies more than five deviations from the median', () => {
    const list = [10, 11, 9, 10, 12, 8, 10, 30, 10, 11];
    expect(outliers(list)).toEqual([7]);
    expect(outliers([10, 11, 9, 10, 12, 8, 10, 11])).toEqual([]);
  });

  test('do not exist where half of the values are the same, nor without values', () => {
    expect(outliers([5, 5, 5, 5, 900])).toEqual([]);
    expect(outliers([])).toEqual([]);
  });

  test('stay the same in other units', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 5 }), (list) => {
        // A power of two scales without rounding.
        expect(outliers(list.map((value) => value * 1024))).toEqual(outliers(list));
      }),
    );
  });
});
