import { describe, expect, it } from 'vitest';
import { fitted, linearTicks, logTicks, roundUp } from '../../../../src/bench/report/charts/ticks.js';
import {
  counted,
  durationText,
  middleScale,
  numberText,
  rangesText,
  ratioText,
  scaled,
  scaleFor,
} from '../../../../src/bench/report/units.js';

describe('a number', () => {
  it.each([
    [0, '0'],
    [5.2134, '5.21'],
    [52.134, '52.1'],
    [521.34, '521'],
    [99.96, '100'],
    [9.999, '10.0'],
    [0.99996, '1.00'],
    [5213.4, '5,213'],
    [1_234_567, '1,234,567'],
    [0.0123456, '0.0123'],
    [-0.5, '−0.500'],
    [0.0000123, '1.23e−5'],
  ])('%d is shown as %s', (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it.each([
    ['packets/s', [580_000, 5_310_000], 5_310_000, '5.31', 'M packets/s'],
    ['packets/s', [12], 12, '12.0', 'packets/s'],
    ['ns', [900, 83_000], 83_000, '83.0', 'µs'],
    ['ns', [83], 83, '83.0', 'ns'],
    ['s', [0.004], 0.004, '4.00', 'ms'],
    ['s', [119], 119, '119', 's'],
    ['share', [0.02], 0.02, '2.00', '%'],
    ['share', [0], 0, '0', '%'],
    ['bytes', [3 * 2 ** 20], 3 * 2 ** 20, '3.00', 'MiB'],
    ['', [4096], 4096, '4.10', 'k'],
  ])('of %s has a scale that fits all that stand beside it', (unit, values, value, text, shown) => {
    const scale = scaleFor(unit, values);
    expect([scaled(value, scale), scale.unit]).toEqual([text, shown]);
  });

  it('that others dwarf is shown in a scale of the middle', () => {
    expect(middleScale('ns', [11_000, 12_000, 1_500_000]).unit).toBe('µs');
  });

  it('of times has a digit more near to one', () => {
    expect([2.345, 1.0042, 0.0712, 24.31].map(ratioText)).toEqual([
      '2.35 ×',
      '1.004 ×',
      '0.0712 ×',
      '24.3 ×',
    ]);
  });

  it('of things, of seconds and of CPUs is said in words', () => {
    expect([0, 1, 1200].map((count) => counted(count, 'sample'))).toEqual([
      'no samples',
      '1 sample',
      '1,200 samples',
    ]);
    expect([0.2, 59.94, 61.4, 3600, 7384].map(durationText)).toEqual([
      '0.200 s',
      '59.9 s',
      '1 min 1 s',
      '1 h',
      '2 h 3 min 4 s',
    ]);
    expect([[3, 0, 1, 2, 5, 9, 8], [], [4]].map(rangesText)).toEqual(['0–3, 5, 8, 9', '', '4']);
  });
});

describe('an axis', () => {
  it('ends at a round number', () => {
    expect([5.4, 0.0123, 97, 100, 0, Number.NaN].map(roundUp)).toEqual([6, 0.015, 100, 100, 1, 1]);
  });

  it('has round ticks between its ends', () => {
    expect(linearTicks(0, 6)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(linearTicks(0, 0.25, 5)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25]);
    expect(linearTicks(-3, 3, 4)).toEqual([-2, 0, 2]);
    expect(linearTicks(2, 2)).toEqual([2]);
  });

  it('that is logarithmic has powers of ten, and what is between them when there are few', () => {
    expect(logTicks(8, 1.25e6, 8)).toEqual([10, 100, 1000, 10_000, 100_000, 1_000_000]);
    expect(logTicks(0.2, 2.5)).toEqual([0.2, 0.5, 1, 2]);
    expect(logTicks(0.98, 1.05)).toEqual(
      [0.98, 0.99, 1, 1.01, 1.02, 1.03, 1.04, 1.05].filter((_, index) => index % 2 === 0),
    );
    expect(logTicks(1e-9, 1e9).length).toBeLessThanOrEqual(7);
  });
});

describe('a label', () => {
  it('that has no room ends in dots', () => {
    expect(fitted('iptables', 200)).toBe('iptables');
    const short = fitted('a title of a variant that nobody has room for', 100);
    expect(short).toMatch(/^a title .*…$/);
    expect(short.length).toBeLessThan(20);
  });
});
