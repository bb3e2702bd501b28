import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fingerprints } from '../../../../src/obj/entries/fingerprint.js';
import { KeyTable } from '../../../../src/obj/entries/index.js';
import { KeySlots } from '../../../../src/obj/entries/key-slots.js';

const seed = Int32Array.of(1, -2, 3, 0x7fff_ffff);

function keysOf(count: number, size: number, first = 0): Uint8Array {
  const bytes = new Uint8Array(count * size);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++) {
    if (size >= 4) view.setUint32(index * size, first + index, true);
    else view.setUint16(index * size, first + index, true);
  }
  return bytes;
}

describe('a key table', () => {
  for (const size of [2, 4, 7, 8, 16, 29]) {
    test(`knows ${size < 4 ? 60_000 : 300_000} keys of ${size} bytes, and no others, while it grows`, () => {
      const count = size < 4 ? 60_000 : 300_000;
      const keys = keysOf(count, size);
      const table = new KeyTable(size);
      for (let index = 0; index < count; index++) {
        if (!table.add(keys, index * size)) throw new Error(`key ${index} was there before`);
      }
      expect(table.size).toBe(count);
      const others = keysOf(5000, size, count);
      for (let index = 0; index < count; index++) {
        if (table.add(keys, index * size)) throw new Error(`key ${index} is forgotten`);
      }
      for (let index = 0; index < 5000; index++) expect(table.has(others, index * size)).toBe(false);
      expect(table.size).toBe(count);
    });
  }

  test('needs at most 13 bytes a key whatever their number, and 24 with a payload', () => {
    for (const [payload, most] of [
      [false, 13],
      [true, 24],
    ] as const) {
      const table = new KeyTable(4, { payload });
      const keys = keysOf(700_000, 4);
      let worst = 0;
      for (let index = 0; index < 700_000; index++) {
        table.put(keys, index * 4, keys, 0, 4);
        if (index > 400_000) worst = Math.max(worst, table.bytes / table.size);
      }
      expect(worst).toBeLessThan(most);
    }
  });

  test('compares values and marks what was seen, like a Map', () => {
    const operation = fc.record({
      what: fc.constantFrom('put', 'compare', 'add'),
      key: fc.nat({ max: 40 }),
      value: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), fc.constantFrom(4, 12), (operations, size) => {
        const table = new KeyTable(size, { payload: true });
        const model = new Map<number, number>();
        const seen = new Set<number>();
        for (const { what, key, value } of operations) {
          const keys = keysOf(3, size, key);
          const values = Uint8Array.of(9, value, 0, value, 9);
          if (what === 'put') {
            expect(table.put(keys, 0, values, 1, 3)).toBe(!model.has(key));
            model.set(key, value);
          } else if (what === 'compare') {
            const known = model.get(key);
            const expected = known === undefined ? 'absent' : known === value ? 'same' : 'different';
            expect(table.compare(keys, 0, values, 1, 3)).toBe(expected);
            if (known !== undefined) seen.add(key);
          } else {
            expect(table.has(keys, size)).toBe(model.has(key + 1));
          }
          expect(table.isSeen(keys, 0)).toBe(seen.has(key));
          expect([table.size, table.seen]).toEqual([model.size, seen.size]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('keeps payloads and marks when it grows', () => {
    const table = new KeyTable(4, { payload: true });
    const count = 200_000;
    const keys = keysOf(count, 4);
    const values = keysOf(count, 16, 7);
    for (let index = 0; index < count; index++) {
      table.put(keys, index * 4, values, index * 16, 16);
      if (index % 3 === 0) table.compare(keys, index * 4, values, index * 16, 16);
    }
    let wrong = 0;
    for (let index = 0; index < count; index++) {
      if (table.isSeen(keys, index * 4) !== (index % 3 === 0)) wrong++;
      if (table.compare(keys, index * 4, values, index * 16, 16) !== 'same') wrong++;
    }
    expect(wrong).toBe(0);
    expect(table.seen).toBe(count);
  });

  test('has a seed of its own', () => {
    const first = new Fingerprints();
    const second = new Fingerprints();
    const key = Uint8Array.of(1, 2, 3, 4);
    first.of(key, 0, 4);
    second.of(key, 0, 4);
    expect([first.low, first.high]).not.toEqual([second.low, second.high]);
  });
});

describe('fingerprints', () => {
  test('of up to eight bytes are different for different bytes', () => {
    const fingerprints = new Fingerprints(seed);
    const seen = new Set<string>();
    for (let index = 0; index < 65536; index++) {
      fingerprints.of(Uint8Array.of(index, index >> 8), 0, 2);
      seen.add(`${fingerprints.low} ${fingerprints.high}`);
    }
    expect(seen.size).toBe(65536);
  });

  test('change in about half their bits when one bit of the bytes does', () => {
    const fingerprints = new Fingerprints(seed);
    for (const size of [4, 8, 16, 21]) {
      for (let bit = 0; bit < size * 8; bit++) {
        let flips = 0;
        for (let round = 0; round < 40; round++) {
          const bytes = Uint8Array.from({ length: size }, (_, at) => (round + 1) * (at + 3) * 37);
          fingerprints.of(bytes, 0, size);
          const { low, high } = fingerprints;
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          fingerprints.of(bytes, 0, size);
          flips += bits(low ^ fingerprints.low) + bits(high ^ fingerprints.high);
        }
        expect(flips / 40).toBeGreaterThan(25);
        expect(flips / 40).toBeLessThan(39);
      }
    }
  });
});

function bits(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}

describe('the slots of a key table', () => {
  test('hold the fingerprint that means a free slot elsewhere', () => {
    const slots = new KeySlots({ payload: true });
    expect(slots.find(0, 0)).toBe(-1);
    expect(slots.add(0, 0)).toBe(0);
    expect(slots.add(0, 0)).toBe(-1);
    slots.setPayload(0, 5, 6);
    slots.mark(0);
    for (let low = 1; low < 3000; low++) slots.add(low, Math.imul(low, 0x9e3779b1));
    expect(slots.find(0, 0)).toBe(0);
    expect(slots.hasPayload(0, 5, 6)).toBe(true);
    expect(slots.isMarked(0)).toBe(true);
    expect(slots.size).toBe(3000);
  });

  test('find everything when all fingerprints begin alike, at the front or at the end', {
    timeout: 60_000,
  }, () => {
    for (const high of [0, -1, 0x7fff_ffff]) {
      const slots = new KeySlots({ payload: false });
      for (let low = 1; low <= 6000; low++) expect(slots.add(low, high)).toBeGreaterThan(0);
      let missing = 0;
      for (let low = 1; low <= 6000; low++) if (slots.find(low, high) < 0) missing++;
      expect(missing).toBe(0);
      expect(slots.find(6001, high)).toBe(-1);
    }
  });
});
