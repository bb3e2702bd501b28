/** The packet that is sent: UDP over IPv4 or IPv6, with every field as a receiver wants it. */
export type Family = 'ipv4' | 'ipv6';

export interface PacketOptions {
  readonly family: Family;
  /** Bytes from the Ethernet header on, without the checksum at the end. */
  readonly size: number;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly port: number;
}

export interface Endpoint {
  /** `02:00:00:00:00:01` */
  readonly mac: string;
  /** As bytes: 4 or 16. */
  readonly address: Uint8Array;
}

const ethernetBytes = 14;
const headerBytes = { ipv4: 20, ipv6: 40 } as const;
const udpBytes = 8;
const protocolUdp = 17;

/** Where the UDP header begins. */
export function udpOffset(family: Family): number {
  return ethernetBytes + headerBytes[family];
}

/**
 * The packet with source port 0 and a first payload word of 0xffff, which together leave the checksum as it is: a sender
 * that sets the one to P and the other to ~P need not compute another.
 */
export function udpPacket({ family, size, from, to, port }: PacketOptions): Uint8Array {
  const packet = new Uint8Array(size);
  const view = new DataView(packet.buffer);
  packet.set(macBytes(to.mac), 0);
  packet.set(macBytes(from.mac), 6);
  const udpAt = udpOffset(family);
  const udpLength = size - udpAt;
  if (family === 'ipv4') {
    view.setUint16(12, 0x0800);
    view.setUint16(14, 0x4500);
    view.setUint16(16, size - ethernetBytes);
    view.setUint16(20, 0x4000); // don't fragment
    view.setUint16(22, (64 << 8) | protocolUdp);
    packet.set(from.address, 26);
    packet.set(to.address, 30);
    view.setUint16(24, ~sum(packet.subarray(14, 34)) & 0xffff);
  } else {
    view.setUint16(12, 0x86dd);
    view.setUint16(14, 0x6000);
    view.setUint16(18, udpLength);
    view.setUint16(20, (protocolUdp << 8) | 64);
    packet.set(from.address, 22);
    packet.set(to.address, 38);
  }
  view.setUint16(udpAt + 2, port);
  view.setUint16(udpAt + 4, udpLength);
  view.setUint16(udpAt + udpBytes, 0xffff);
  const pseudo = new Uint8Array([
    ...from.address,
    ...to.address,
    0,
    protocolUdp,
    udpLength >> 8,
    udpLength & 255,
  ]);
  const checksum = ~sum(pseudo, sum(packet.subarray(udpAt))) & 0xffff;
  view.setUint16(udpAt + 6, checksum === 0 ? 0xffff : checksum);
  return packet;
}

/** The ones' complement sum of RFC 1071. */
function sum(bytes: Uint8Array, start = 0): number {
  let total = start;
  for (const [at, byte] of bytes.entries()) total += at % 2 === 0 ? byte << 8 : byte;
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16));
}
