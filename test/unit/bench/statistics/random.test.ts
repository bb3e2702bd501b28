import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../../src/bench/statistics/random.js';

const many = (seed: number, stream = '', count = 20): number[] => {
  const random = new Random(seed, stream);
  return Array.from({ length: count }, () => random.next());
};

describe('random numbers', () => {
  test('are the same for the same seed and stream, today and on every machine', () => {
    expect(many(7, 'order')).toEqual(many(7, 'order'));
    expect(new Random(42, 'order').shuffled(['a', 'b', 'c', 'd', 'e'])).toEqual(['b', 'e', 'a', 'd', 'c']);
  });

  test('differ by seed, also beyond 32 bits, and by stream', () => {
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    const firsts = [...seeds.map((seed) => many(seed)[0]), many(1, 'a')[0], many(1, 'b')[0]];
    expect(new Set(firsts).size).toBe(firsts.length);
  });

  test('have no seed that is negative, broken or too large', () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => new Random(seed)).toThrow(RangeError);
  });

  test('lie between 0 and 1, evenly', () => {
    const counts = new Array<number>(10).fill(0);
    for (const value of many(3, '', 20_000)) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThan(1);
      const at = Math.floor(value * 10);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    // Five standard deviations.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(5 * Math.sqrt(1800));
  });

  test('shuffle: nothing is lost, and every order comes as often', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.nat(), (list, seed) => {
        expect(new Random(seed).shuffled(list).toSorted()).toEqual(list.toSorted());
      }),
    );
    const random = new Random(5);
    const counts = new Map<string, number>();
    for (let time = 0; time < 6000; time++) {
      const order = random.shuffled(['a', 'b', 'c']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(833));
  });

  test('of normal and Beta distribution have their means and deviations', () => {
    const random = new Random(11);
    const normal = Array.from({ length: 20_000 }, () => random.normal());
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((value) => value ** 2))).toBeCloseTo(1, 1);
    const beta = Array.from({ length: 20_000 }, () => random.beta(2, 5));
    expect(mean(beta)).toBeCloseTo(2 / 7, 2);
    expect(mean(beta.map((value) => (value - 2 / 7) ** 2))).toBeCloseTo(10 / (49 * 8), 2);
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
