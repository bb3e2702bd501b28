import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram, percentileOf, percentilesOf } from '../../../../src/bench/statistics/histogram.js';

const values = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 2 ** 40 }), fc.double({ min: 0, max: 1e12, noNaN: true })),
  {
    minLength: 1,
    maxLength: 200,
  },
);
const bits = fc.integer({ min: 1, max: 12 });

function filled(list: readonly number[], options: { bits?: number; step?: number } = {}): Histogram {
  const histogram = new Histogram(options);
  for (const value of list) histogram.record(value);
  return histogram;
}

describe('a histogram', () => {
  test('keeps each value in a bucket around it, no wider than it says', () => {
    fc.assert(
      fc.property(values, bits, fc.constantFrom(0.001, 1, 3), (list, size, step) => {
        for (const value of list) {
          const [bucket, ...others] = filled([value], { bits: size, step }).buckets();
          const [from, to, count] = bucket ?? [0, 0, 0];
          expect(others).toEqual([]);
          expect(count).toBe(1);
          expect(from).toBeLessThanOrEqual(value * (1 + 1e-12));
          expect(to).toBeGreaterThan(value * (1 - 1e-12));
          // Exactly one step wide at the bottom, else less than one part in 2^bits of what is in it.
          expect(to - from).toBeLessThanOrEqual(Math.max(step, value / 2 ** size) * (1 + 1e-9));
        }
      }),
    );
  });

  test('has buckets that follow on one another without gap or overlap, at powers of two too', () => {
    const histogram = new Histogram({ bits: 3 });
    for (let value = 0; value < 300; value++) histogram.record(value);
    const buckets = histogram.buckets();
    expect(buckets[0]?.[0]).toBe(0);
    for (const [index, [from]] of buckets.entries())
      if (index > 0) expect(from).toBe(buckets[index - 1]?.[1]);
    expect(buckets.slice(0, 18).map(([from]) => from)).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18,
    ]);
  });

  test('gives every percentile to within one part in 2^bits of the value of that rank', () => {
    fc.assert(
      fc.property(values, bits, fc.double({ min: 0, max: 100, noNaN: true }), (list, size, percentile) => {
        const sorted = list.toSorted((one, other) => one - other);
        const rank = Math.max(1, Math.ceil((list.length * percentile) / 100 - 1e-9));
        const exact = sorted[rank - 1] ?? Number.NaN;
        const found = filled(list, { bits: size }).percentile(percentile) ?? Number.NaN;
        expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.max(1, exact / 2 ** size) * (1 + 1e-9));
      }),
    );
  });

  test('merged from parts is the one of all values', () => {
    fc.assert(
      fc.property(values, values, (one, other) => {
        const merged = filled(one);
        merged.merge(filled(other));
        const whole = filled([...one, ...other]);
        expect(merged.buckets()).toEqual(whole.buckets());
        expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
      }),
    );
    expect(() => new Histogram({ bits: 7 }).merge(new Histogram({ bits: 8 }))).toThrow(RangeError);
    expect(() => new Histogram().merge(new Histogram({ step: 2 }))).toThrow(RangeError);
  });

  test('takes a value many times at once', () => {
    const histogram = new Histogram();
    histogram.record(50, 1_000_000);
    histogram.record(60, 0);
    expect([histogram.count, histogram.max, histogram.percentile(99.9)]).toEqual([1_000_000, 50, 50]);
  });

  test('refuses what has no bucket', () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => new Histogram().record(value)).toThrow(RangeError);
    for (const options of [{ bits: 0 }, { bits: 2.5 }, { step: 0 }])
      expect(() => new Histogram(options)).toThrow(RangeError);
  });

  test('without values has no percentile', () => {
    expect(new Histogram().percentile(50)).toBeUndefined();
    expect(percentileOf([], 50)).toBeUndefined();
  });
});

describe('the percentiles that are shown', () => {
  const shown = (count: number): number[] =>
    percentilesOf(filled(Array.from({ length: count }, (_, index) => index)).buckets()).map(
      ({ percentile }) => percentile,
    );

  test('are those with ten values beyond them', () => {
    expect(shown(19)).toEqual([]);
    expect(shown(20)).toEqual([50]);
    expect(shown(99)).toEqual([50, 75]);
    expect(shown(100)).toEqual([50, 75, 90]);
    expect(shown(1000)).toEqual([50, 75, 90, 95, 99]);
    expect(shown(9999).at(-1)).toBe(99);
    expect(shown(10_000).at(-1)).toBe(99.9);
  });
});
