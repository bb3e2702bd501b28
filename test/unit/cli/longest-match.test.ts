import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains } from '../../../src/cli/longest-match.js';
import { codecForWord, encodeText } from '../../../src/obj/codec/index.js';
import { network, prefixText } from '../../support/longest-prefix.js';

const prefix = (text: string, word: 'prefix4' | 'prefix6') => encodeText(codecForWord(word), text);

describe('a prefix', () => {
  it('contains exactly the prefixes that begin with its bits', () => {
    const bits = 32;
    const pair = fc.tuple(
      fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }),
      fc.integer({ min: 0, max: bits }),
      fc.integer({ min: 0, max: bits }),
      fc.integer({ min: 0, max: bits }),
    );
    fc.assert(
      fc.property(pair, ([address, outerLength, innerLength, flipped]) => {
        const other = flipped === bits ? address : address ^ (1n << BigInt(flipped));
        const outer = network(address, outerLength, bits);
        const inner = network(other, innerLength, bits);
        const expected = innerLength >= outerLength && network(inner, outerLength, bits) === outer;
        const bytes = (of: bigint, length: number) => prefix(prefixText(of, length, bits), 'prefix4');
        expect(contains(bytes(outer, outerLength), bytes(inner, innerLength))).toBe(expected);
      }),
    );
  });

  it('of IPv6 does so too', () => {
    expect(contains(prefix('2001:db8::/29', 'prefix6'), prefix('2001:dbf::1', 'prefix6'))).toBe(true);
    expect(contains(prefix('2001:db8::/29', 'prefix6'), prefix('2001:dc0::1', 'prefix6'))).toBe(false);
    expect(contains(prefix('::/0', 'prefix6'), prefix('ffff::1', 'prefix6'))).toBe(true);
    expect(contains(prefix('::1/128', 'prefix6'), prefix('::/0', 'prefix6'))).toBe(false);
  });
});
