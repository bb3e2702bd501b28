import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Family, udpOffset, udpPacket } from '../../../../src/bench/lab/packet.js';

const ends = {
  ipv4: { from: [10, 0, 0, 1], to: [10, 0, 0, 2] },
  ipv6: {
    from: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    to: [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
  },
} as const;

function packet(family: Family, size: number, port = 9): Uint8Array {
  const { from, to } = ends[family];
  return udpPacket({
    family,
    size,
    port,
    from: { mac: '02:00:00:00:00:01', address: Uint8Array.from(from) },
    to: { mac: '02:00:00:00:00:02', address: Uint8Array.from(to) },
  });
}

/** What RFC 1071 wants to be 0xffff: the sum over header and data with the checksum in it. */
function onesSum(bytes: readonly number[]): number {
  let total = 0;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

function udpSum(family: Family, bytes: Uint8Array): number {
  const { from, to } = ends[family];
  const udp = [...bytes.subarray(udpOffset(family))];
  return onesSum([...from, ...to, 0, 17, udp.length >> 8, udp.length & 255, ...udp]);
}

describe.each(['ipv4', 'ipv6'] as const)('a packet over %s', (family) => {
  it('of any size has the lengths and checksums that a receiver wants', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 1514 }), fc.integer({ min: 1, max: 65_535 }), (size, port) => {
        const bytes = packet(family, size, port);
        const view = new DataView(bytes.buffer);
        expect(bytes).toHaveLength(size);
        expect(udpSum(family, bytes)).toBe(0xffff);
        expect(view.getUint16(udpOffset(family) + 2)).toBe(port);
        expect(view.getUint16(udpOffset(family) + 4)).toBe(size - udpOffset(family));
        if (family === 'ipv4') {
          expect(onesSum([...bytes.subarray(14, 34)])).toBe(0xffff);
          expect(view.getUint16(16)).toBe(size - 14);
        } else expect(view.getUint16(18)).toBe(size - 54);
      }),
    );
  });

  it('keeps its checksum when the sender writes a source port and takes it back in the payload', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), (port) => {
        const bytes = packet(family, 80);
        const view = new DataView(bytes.buffer);
        view.setUint16(udpOffset(family), port);
        view.setUint16(udpOffset(family) + 8, ~port & 0xffff);
        expect(udpSum(family, bytes)).toBe(0xffff);
      }),
    );
  });
});
