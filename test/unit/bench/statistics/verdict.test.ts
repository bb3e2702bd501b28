import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  jointBand,
  leastNoise,
  noiseBand,
  verdictBesideNothing,
  verdictOf,
} from '../../../../src/bench/statistics/verdict.js';

const ratio = fc.double({ min: 0.01, max: 100, noNaN: true });
const interval = fc
  .tuple(ratio, ratio)
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);

describe('the noise band', () => {
  test('reaches as far from 1, in both directions, as the control does in one', () => {
    expect(noiseBand([0.8, 1.1])?.map((each) => each.toFixed(4))).toEqual(['0.8000', '1.2500']);
    expect(noiseBand([0.99, 2])?.map((each) => each.toFixed(4))).toEqual(['0.5000', '2.0000']);
    // Also when the control lies beside 1 as a whole.
    expect(noiseBand([1.1, 1.2])?.map((each) => each.toFixed(4))).toEqual(['0.8333', '1.2000']);
  });

  test('is 1 % at least, and unknown of a control that came to nothing', () => {
    expect(noiseBand([1, 1])?.[1]).toBeCloseTo(leastNoise, 12);
    expect(noiseBand([0, 1.2])).toBeUndefined();
  });

  test('holds the interval of the control, whatever that is', () => {
    fc.assert(
      fc.property(interval, (control) => {
        const band = noiseBand(control) ?? [Number.NaN, Number.NaN];
        expect(band[0]).toBeLessThanOrEqual(control[0] * (1 + 1e-12));
        expect(band[1]).toBeGreaterThanOrEqual(control[1] * (1 - 1e-12));
        expect(band[0] * band[1]).toBeCloseTo(1, 9);
        expect(verdictOf(control, [band[0] * (1 - 1e-9), band[1] * (1 + 1e-9)], 'higher')).toBe(
          'within noise',
        );
      }),
    );
  });

  test('of two runs is wider than either, and narrower than both together', () => {
    const joint = jointBand([1 / 1.1, 1.1], [1 / 1.2, 1.2]);
    expect(joint[1]).toBeGreaterThan(1.2);
    expect(joint[1]).toBeLessThan(1.1 * 1.2);
    expect(joint[0] * joint[1]).toBeCloseTo(1, 12);
  });
});

describe('what is compared with nothing', () => {
  const blocks = (...values: number[]) =>
    Array.from({ length: 12 }, (_, at) => values[at % values.length] ?? 0);

  test('is the same when it never is anything, and more when it is in more blocks than by chance', () => {
    expect(verdictBesideNothing(blocks(0), 24, 'lower')).toBe('within noise');
    expect(verdictBesideNothing(blocks(5), 24, 'lower')).toBe('slower');
    expect(verdictBesideNothing(blocks(0, 0, 1), 24, 'higher')).toBe('faster');
    expect(verdictBesideNothing(blocks(5), 24, 'neither')).toBe('faster');
  });

  test('is not judged when it is something now and then, nor by a few blocks', () => {
    expect(verdictBesideNothing(blocks(0, 0, 0, 3), 24, 'lower')).toBe('not enough data');
    expect(verdictBesideNothing([0, 0, 0], 24, 'lower')).toBe('not enough data');
    expect(verdictBesideNothing([5, 5, 5], 24, 'lower')).toBe('not enough data');
  });
});

describe('a verdict', () => {
  const band = [0.9, 1 / 0.9] as const;

  test('goes by which way is better', () => {
    expect(verdictOf([1.2, 1.3], band, 'higher')).toBe('faster');
    expect(verdictOf([1.2, 1.3], band, 'lower')).toBe('slower');
    expect(verdictOf([0.7, 0.8], band, 'higher')).toBe('slower');
    expect(verdictOf([0.7, 0.8], band, 'lower')).toBe('faster');
    expect(verdictOf([1.2, 1.3], band, 'neither')).toBe('faster');
    expect(verdictOf([0.7, 0.8], band, 'neither')).toBe('slower');
  });

  test('is noise as soon as the interval touches the band', () => {
    expect(verdictOf([1.1, 1.3], band, 'higher')).toBe('within noise');
    expect(verdictOf([0.5, 2], band, 'higher')).toBe('within noise');
    expect(verdictOf([0.5, 0.9], band, 'higher')).toBe('within noise');
  });
});
