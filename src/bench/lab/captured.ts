/** Packets of a capture: how they are sent, and what of a receiver they come to. */
import { type Endpoint, macBytes } from './packet.js';

/** What an Ethernet takes, and `LONGEST` of bpf/bench/sender.bpf.c. */
export const longestPacket = 1514;

export interface Captured {
  /** Which packets they are, such as «100 packets of traffic.pcap». */
  readonly text: string;
  /** From the Ethernet header on: 14 to 1,514 bytes each. */
  readonly packets: readonly Uint8Array[];
}

/** The packet as a router would hand it on over this wire: with its addresses of Ethernet, and otherwise as it was. */
export function addressed(
  packet: Uint8Array,
  from: Pick<Endpoint, 'mac'>,
  to: Pick<Endpoint, 'mac'>,
): Uint8Array {
  const sent = Uint8Array.from(packet);
  sent.set(macBytes(to.mac), 0);
  sent.set(macBytes(from.mac), 6);
  return sent;
}

const typeAt = 12;
const headerAt = 14;
const etherTypes = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd, lldp: 0x88cc } as const;
/** Below, the field is the length of an IEEE 802.3 frame. */
const leastType = 0x600;
/** ICMP, IGMP, UDP, ICMPv6: what GRO hands on one by one, unless a socket asks for something else. */
const singleProtocols: ReadonlySet<number> = new Set([1, 2, 17, 58]);

/**
 * Whether a receiver's GRO may join the packet with others: TCP surely, and what GRO looks into, such as tunnels and VLANs. A rule of netfilter
 * counts those joined as one.
 */
export function mayBeJoined(packet: Uint8Array): boolean {
  const type = etherType(packet);
  if (type === etherTypes.ipv4) return !singleProtocols.has(packet[headerAt + 9] ?? 0);
  if (type === etherTypes.ipv6) return !singleProtocols.has(packet[headerAt + 6] ?? 0);
  return type >= leastType && type !== etherTypes.arp && type !== etherTypes.lldp;
}

/** Whether it is one that the IPv4 layer takes: whole, with a checksum that is right. What it does not take meets no rule of iptables. */
export function isWholeIpv4(packet: Uint8Array): boolean {
  if (etherType(packet) !== etherTypes.ipv4 || packet.length < headerAt + 20) return false;
  const view = viewOf(packet);
  const first = view.getUint8(headerAt);
  const headerBytes = (first & 15) * 4;
  const total = view.getUint16(headerAt + 2);
  if (first >> 4 !== 4 || headerBytes < 20 || total < headerBytes) return false;
  if (headerAt + total > packet.length) return false;
  let sum = 0;
  for (let at = 0; at < headerBytes; at += 2) sum += view.getUint16(headerAt + at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum === 0xffff;
}

/** 0 of what is too short. */
function etherType(packet: Uint8Array): number {
  return packet.length < headerAt ? 0 : viewOf(packet).getUint16(typeAt);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
