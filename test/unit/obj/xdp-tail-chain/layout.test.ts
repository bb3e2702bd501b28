import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../../src/host/package-root.js';
import {
  decodeOrder,
  encodeOrder,
  mostMembers,
  orderSize,
  rootName,
  tableSlots,
  waySize,
} from '../../../../src/obj/xdp-tail-chain/layout.js';
import { randomFrom } from '../../../support/random.js';

const source = (path: string): string => readFileSync(join(packageRoot(), 'bpf', path), 'utf8');
const defined = (name: string): number =>
  Number(new RegExp(`#define ${name} (\\d+)`).exec(source('include/netkit/chain.h'))?.[1]);

describe('the order of a chain by tail calls', () => {
  it('is read as it was written, whatever is in it', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 200; round++) {
      const order = {
        frags: random(2) === 1,
        members: Array.from({ length: random(mostMembers + 1) }, () => ({
          slot: random(tableSlots),
          priority: random(2 ** 32),
          goOn: random(256),
        })),
      };
      const bytes = encodeOrder(order);
      expect(bytes).toHaveLength(orderSize);
      expect(decodeOrder(bytes)).toEqual(order);
    }
  });

  it('has no room for more members, or for a slot that the table lacks', () => {
    const member = { slot: 0, priority: 1, goOn: 4 };
    expect(() => encodeOrder({ frags: false, members: Array(mostMembers + 1).fill(member) })).toThrow(
      RangeError,
    );
    expect(() => encodeOrder({ frags: false, members: [{ ...member, slot: tableSlots }] })).toThrow(
      RangeError,
    );
    expect(() => decodeOrder(new Uint8Array(orderSize).fill(200))).toThrow(RangeError);
    expect(() => decodeOrder(new Uint8Array(8))).toThrow(RangeError);
  });

  it('is laid out as in the C of the header and the root program', () => {
    const room = defined('NETKIT_CHAIN_ROOM');
    expect(defined('NETKIT_CHAIN_MEMBERS')).toBe(mostMembers);
    expect(defined('NETKIT_CHAIN_SLOTS')).toBe(tableSlots);
    expect(waySize).toBe(16 + 2 * room);
    expect(orderSize).toBe(8 + 2 * room + 4 * room);
    expect(source('parts/xdp-tail-root.bpf.c')).toContain(`int ${rootName}(struct xdp_md *ctx)`);
  });
});
