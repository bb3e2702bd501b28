import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draws, estimate, medians } from '../../../../src/bench/statistics/bootstrap.js';
import { ascending, median, quantile } from '../../../../src/bench/statistics/quantile.js';
import { Random } from '../../../../src/bench/statistics/random.js';

/** What `medians` is to come to: every value drawn by itself. */
function drawnOneByOne(sorted: readonly number[], random: Random): number[] {
  return Array.from({ length: draws }, () =>
    median(sorted.map(() => sorted[random.below(sorted.length)] ?? Number.NaN)),
  );
}

describe('the bootstrap', () => {
  test.each([1, 2, 3, 8, 9, 40, 41])(
    'of %d values draws medians as often as if each value were drawn',
    (count) => {
      const sorted = Array.from({ length: count }, (_, index) => index);
      const fast = ascending(medians(sorted, new Random(1)));
      const slow = ascending(drawnOneByOne(sorted, new Random(2)));
      for (const share of [0.005, 0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975, 0.995]) {
        // Both are drawn: their quantiles differ by what 4,000 draws leave open.
        const scale = Math.max(1, Math.sqrt(count) / 2);
        expect(Math.abs(quantile(fast, share) - quantile(slow, share))).toBeLessThanOrEqual(0.55 * scale);
      }
    },
  );

  test('gives intervals around the median, the 99 % one around the 95 % one, within the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.nat(),
        (values, seed) => {
          const { median: middle, interval, wide } = estimate(values, new Random(seed));
          const order = [
            Math.min(...values),
            wide[0],
            interval[0],
            middle,
            interval[1],
            wide[1],
            Math.max(...values),
          ];
          for (const [index, value] of order.entries())
            expect(value).toBeGreaterThanOrEqual((order[index - 1] ?? value) * (1 - 1e-12));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gives the same for the same seed', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
    expect(estimate(values, new Random(9))).toEqual(estimate(values, new Random(9)));
  });

  test('covers the true median about as often as it says', () => {
    const random = new Random(4);
    let within = 0;
    let withinWide = 0;
    const times = 300;
    for (let time = 0; time < times; time++) {
      const values = Array.from({ length: 30 }, () => Math.exp(random.normal()));
      const { interval, wide } = estimate(values, random);
      if (interval[0] <= 1 && interval[1] >= 1) within++;
      if (wide[0] <= 1 && wide[1] >= 1) withinWide++;
    }
    expect(within / times).toBeGreaterThan(0.91);
    expect(within / times).toBeLessThan(0.985);
    expect(withinWide / times).toBeGreaterThan(0.97);
  });

  test('takes a moment for a thousand values too', () => {
    const random = new Random(1);
    const values = Array.from({ length: 1000 }, () => random.normal());
    const before = process.cpuUsage();
    estimate(values, random);
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
  });
});
