import { expect, it } from 'vitest';
import { intendedTimes } from '../../../../../src/bench/lab/requests/schedule.js';

it('spaces requests evenly: as many as the rate and the time make, a gap apart', () => {
  const times = intendedTimes({ rate: 1000, seconds: 5, spacing: 'even', seed: 1 });
  expect(times).toHaveLength(5000);
  expect([times[0], times[1], times[4999]]).toEqual([0, 1e6, 4999e6]);
});

it('draws random gaps from the seed: the same seed gives the same times, another one others', () => {
  const draw = (seed: number) => intendedTimes({ rate: 20_000, seconds: 1, spacing: 'poisson', seed });
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it('draws gaps that are distributed exponentially', () => {
  const times = intendedTimes({ rate: 50_000, seconds: 4, spacing: 'poisson', seed: 3 });
  const gaps = [...times.slice(1)].map((time, index) => time - (times[index] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  expect(mean / 20_000).toBeCloseTo(1, 1);
  // As large as the mean or larger are e^-1 of them; the deviation is the mean.
  expect(gaps.filter((gap) => gap >= mean).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true);
  expect(times.at(-1)).toBeLessThan(4e9);
});

it('has one request at least, however slow the rate', () => {
  for (const spacing of ['even', 'poisson'] as const)
    expect(intendedTimes({ rate: 0.01, seconds: 1, spacing, seed: 1 })).toEqual(Float64Array.of(0));
});

it.each([
  [0, 1],
  [Number.NaN, 1],
  [Number.POSITIVE_INFINITY, 1],
  [10, 0],
])('refuses %d requests a second for %d seconds', (rate, seconds) => {
  expect(() => intendedTimes({ rate, seconds, spacing: 'even', seed: 1 })).toThrow(RangeError);
});
