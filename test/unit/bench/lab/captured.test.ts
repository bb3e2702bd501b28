import { describe, expect, it } from 'vitest';
import { addressed, isWholeIpv4, mayBeJoined } from '../../../../src/bench/lab/captured.js';
import { udpPacket } from '../../../../src/bench/lab/packet.js';

const from = { mac: '02:00:00:00:00:01', address: Uint8Array.of(10, 0, 0, 1) };
const to = { mac: '02:00:00:00:00:02', address: Uint8Array.of(10, 0, 0, 2) };
const udp = udpPacket({ family: 'ipv4', size: 90, from, to, port: 53 });
const six = {
  from: { ...from, address: new Uint8Array(16).fill(1) },
  to: { ...to, address: new Uint8Array(16).fill(2) },
};
const udp6 = udpPacket({ family: 'ipv6', size: 90, ...six, port: 53 });

/** The packet with other bytes at some place. */
function having(packet: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const changed = Uint8Array.from(packet);
  changed.set(bytes, at);
  return changed;
}

describe('a packet of a capture', () => {
  it('is sent with the addresses of the wire, and otherwise as it was', () => {
    const captured = having(udp, 0, ...new Array(12).fill(0xee));
    const before = Uint8Array.from(captured);
    expect(addressed(captured, from, to)).toEqual(udp);
    expect(captured).toEqual(before);
  });

  it.each([
    ['UDP', udp, false],
    ['UDP over IPv6', udp6, false],
    ['ICMP', having(udp, 23, 1), false],
    ['ICMPv6', having(udp6, 20, 58), false],
    ['ARP', having(udp, 12, 0x08, 0x06), false],
    ['a frame with a length for a type', having(udp, 12, 0, 76), false],
    ['TCP', having(udp, 23, 6), true],
    ['TCP over IPv6', having(udp6, 20, 6), true],
    ['IP in IP', having(udp, 23, 4), true],
    ['GRE', having(udp, 23, 47), true],
    ['what has IPv6 extension headers', having(udp6, 20, 0), true],
    ['what is in a VLAN', having(udp, 12, 0x81, 0x00), true],
  ])('of %s may be joined with others by a receiver: %s', (_, packet, wanted) => {
    expect(mayBeJoined(packet)).toBe(wanted);
  });

  it.each([
    ['whole', udp, true],
    ['padded', Uint8Array.from([...udp, 0, 0]), true],
    ['cut short', udp.subarray(0, 89), false],
    ['IPv6', udp6, false],
    ['of a checksum that is wrong', having(udp, 24, 0, 1), false],
    ['of a header that is too short', having(udp, 14, 0x44), false],
    ['of another version', having(udp, 14, 0x55), false],
    ['nothing but an Ethernet header', udp.subarray(0, 14), false],
  ])('that is %s is one that the IPv4 layer takes, or not', (_, packet, wanted) => {
    expect(isWholeIpv4(packet)).toBe(wanted);
  });
});
