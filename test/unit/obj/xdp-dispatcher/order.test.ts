import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareMembers, inRunOrder, type Ordered } from '../../../../src/obj/xdp-dispatcher/order.js';

const loaded = (tag: string, loadTimeNs: bigint): Ordered['loaded'] => ({ tag, loadTimeNs });

describe('the order of a chain', () => {
  it('goes by priority, then name, then what is loaded, then tag, then the time of loading', () => {
    const members: Ordered[] = [
      { priority: 1, name: 'z', loaded: undefined },
      { priority: 50, name: 'a', loaded: loaded('ff', 9n) },
      // What the kernel kept of a long name comes before the whole name.
      { priority: 50, name: 'a_member_with_a', loaded: loaded('00', 9n) },
      { priority: 50, name: 'a_member_with_a_long_name', loaded: undefined },
      { priority: 50, name: 'b', loaded: loaded('00', 5n) },
      { priority: 50, name: 'b', loaded: loaded('00', 7n) },
      { priority: 50, name: 'b', loaded: loaded('01', 1n) },
      { priority: 50, name: 'b', loaded: undefined },
      { priority: 4294967295, name: 'a', loaded: undefined },
    ];
    for (let round = 0; round < members.length; round++) {
      const turned = [...members.slice(round), ...members.slice(0, round)];
      expect(inRunOrder(turned)).toEqual(members);
      expect(inRunOrder(turned.reverse())).toEqual(members);
    }
  });

  const member = fc.record({
    priority: fc.nat(2),
    name: fc.constantFrom('a', 'b', 'B'),
    loaded: fc.option(fc.record({ tag: fc.constantFrom('00', '0a'), loadTimeNs: fc.bigInt(0n, 2n) }), {
      nil: undefined,
    }),
  });

  it('is the same from whichever side two members are looked at, and carries over', () => {
    fc.assert(
      fc.property(member, member, member, (a, b, c) => {
        expect(Math.sign(compareMembers(a, b)) + Math.sign(compareMembers(b, a))).toBe(0);
        if (compareMembers(a, b) <= 0 && compareMembers(b, c) <= 0)
          expect(compareMembers(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
