import { describe, expect, test } from 'vitest';
import { changeText, factor, inSentence, quantity } from '../../../src/bench/quantity.js';

describe('a quantity', () => {
  test.each([
    [4_912_345, 'packets/s', '4.91 M packets/s'],
    [12_000, 'packets/s', '12.0 k packets/s'],
    [999_999, 'packets/s', '1,000 k packets/s'],
    [512, 'packets/s', '512 packets/s'],
    [0, 'packets/s', '0 packets/s'],
    [2.5, 'packets/s', '2.50 packets/s'],
    [83, 'ns', '83 ns'],
    [0.4, 'ns', '0.400 ns'],
    [1204, 'ns', '1.20 µs'],
    [2.5e6, 'ns', '2.50 ms'],
    [0.004, 's', '4.00 ms'],
    [90, 's', '90 s'],
    [0, 's', '0 s'],
    [0.1234, 'share', '12.3 %'],
    [1, 'share', '100 %'],
    [0, 'share', '0 %'],
    [1_572_864, 'bytes', '1.50 MiB'],
    [100, 'bytes', '100 bytes'],
    [1_000_000, 'rules', '1.00 M rules'],
    [10, 'rules', '10 rules'],
    [1234, '', '1.23 k'],
    [7, '', '7'],
    [Number.POSITIVE_INFINITY, 'ns', 'Infinity ns'],
  ])('%d of %s is %s', (value, unit, text) => {
    expect(quantity(value, unit)).toBe(text);
  });
});

describe('a ratio', () => {
  test('is a factor, or a change in per cent', () => {
    expect([2.514, 0.0123, 100, 1].map(factor)).toEqual(['2.51 ×', '0.0123 ×', '100 ×', '1.000 ×']);
    expect([1.2, 0.8, 1.0321, 0.9999, 1, 3].map(changeText)).toEqual([
      '+20 %',
      '−20 %',
      '+3.2 %',
      '±0 %',
      '±0 %',
      '+200 %',
    ]);
  });
});

test('a title in a sentence begins small, unless it is an abbreviation', () => {
  expect(['Time of a run', 'CPU time', 'a b', ''].map(inSentence)).toEqual([
    'time of a run',
    'CPU time',
    'a b',
    '',
  ]);
});
