import { describe, expect, test } from 'vitest';
import {
  entriesOf,
  keySizeOf,
  measuredTypes,
  roomFor,
  valueStride,
} from '../../../../src/bench/scenarios/maps/fixture.js';
import { mapsScenario } from '../../../../src/bench/scenarios/maps.js';

describe('the entries of a measured map', () => {
  test.each(measuredTypes)(
    'of type %s have every key once, in the order of the seed, with known values',
    (type) => {
      const { count, keys, values } = entriesOf(type, 500, 7);
      const keySize = keySizeOf(type);
      const stride = valueStride(type);
      expect([count, keys.length, values.length]).toEqual([500, 500 * keySize, 500 * stride]);
      const [numbers, found] = [new DataView(keys.buffer), new DataView(values.buffer)];
      const order = Array.from({ length: count }, (_, at) => numbers.getUint32((at + 1) * keySize - 4, true));
      expect(order.toSorted((one, other) => one - other)).toEqual(order.map((_, at) => at));
      expect(order).not.toEqual(order.map((_, at) => at));
      for (const [at, number] of order.entries()) expect(found.getUint32(at * stride, true)).toBe(number + 1);
      expect(entriesOf(type, 500, 7).keys).toEqual(keys);
      expect(entriesOf(type, 500, 8).keys).not.toEqual(keys);
    },
  );

  test('have room to spare where a map could evict some', () => {
    expect(measuredTypes.map((type) => roomFor(type, 10))).toEqual([20, 20, 20, 10, 10, 20]);
  });
});

test('a type of map that is not measured is refused, with those that are', () => {
  expect(() => mapsScenario({ only: ['queue'], sizes: [] })).toThrow("'queue' are not measured");
});
