import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyIndex } from '../../../../src/cnf/entries/key-index.js';
import { clearBehindPrefixes } from '../../../../src/cnf/entries/prefix-keys.js';

it('an index of keys finds each where it stands, as a map of texts would', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 11 }).chain((size) =>
        fc.tuple(
          fc.constant(size),
          // Few different bytes, so that keys come twice and differ in one place.
          fc.array(fc.array(fc.constantFrom(0, 1, 255), { minLength: size, maxLength: size }), {
            maxLength: 200,
          }),
          fc.array(fc.array(fc.constantFrom(0, 1, 255), { minLength: size, maxLength: size }), {
            maxLength: 20,
          }),
        ),
      ),
      ([size, keys, others]) => {
        const index = new KeyIndex(size);
        const model = new Map<string, number>();
        for (const key of keys) {
          const before = model.get(String(key)) ?? -1;
          expect(index.add(Uint8Array.of(9, ...key), 1)).toBe(before);
          if (before < 0) model.set(String(key), model.size);
        }
        expect(index.count).toBe(model.size);
        const again = KeyIndex.over(size, index.keys, index.count);
        for (const key of [...keys, ...others]) {
          const wanted = model.get(String(key)) ?? -1;
          expect(index.find(Uint8Array.of(...key), 0)).toBe(wanted);
          expect(again.find(Uint8Array.of(9, ...key), 1)).toBe(wanted);
        }
      },
    ),
  );
});

it('prefixes lose the bits behind them', () => {
  const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
  const keys = hex(
    '00000000 0a010203 | 08000000 0a010203 | 0c000000 0affffff | 20000000 0a010203 | ffffffff 0a010203'.replaceAll(
      '|',
      '',
    ),
  );
  clearBehindPrefixes(keys, 5, 8);
  expect(keys).toEqual(
    hex(
      '00000000 00000000 | 08000000 0a000000 | 0c000000 0af00000 | 20000000 0a010203 | ffffffff 0a010203'.replaceAll(
        '|',
        '',
      ),
    ),
  );
});
