import { describe, expect, it } from 'vitest';
import { describeDuration, parseDuration } from '../../../src/base/duration.js';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['1s', 1000],
    ['90s', 90_000],
    ['2m', 120_000],
    ['24h', 86_400_000],
    ['0s', 0],
  ])('written %s is %i ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '60', 's', '1.5s', '-1s', '1 s', '1d', '1m30s', '1S', '1234567890s', 'soon'])(
    'is not %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([
    [0, '0 s'],
    [250, '250 ms'],
    [1499, '1 s'],
    [60_000, '1 min'],
    [90_000, '90 s'],
    [7_200_000, '2 h'],
  ])('of %i ms is shown as %s', (milliseconds, text) => {
    expect(describeDuration(milliseconds)).toBe(text);
  });
});
