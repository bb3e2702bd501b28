/** Addresses by number that packets seem to come from: no two are the same, and they lie all over a large network. */
import type { Family } from './packet.js';

/** Some of them, one after the other. */
export interface Sources {
  /** The number of the first. */
  readonly first: number;
  readonly count: number;
}

/** 64.0.0.0/3 has so many. */
export const mostSources = 2 ** 29;

/** All bytes that no number changes. */
export const sourceNetwork: Readonly<Record<Family, Uint8Array>> = {
  ipv4: new Uint8Array(4),
  ipv6: Uint8Array.from([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
};

/** Where the last four bytes of a packet's source address are. */
const lastBytesAt = { ipv4: 26, ipv6: 34 } as const;
/** Where IPv4 has its identification; IPv6 has none, and no checksum of its header. */
const idAt = { ipv4: 18, ipv6: 0 } as const;

/** The address of a number below {@link mostSources}, as sender.bpf.c makes it; in 64.0.0.0/3, or in 2001:db8::/96. */
export function sourceAddress(family: Family, number: number): Uint8Array {
  const bytes = sourceNetwork[family].slice();
  // An odd factor gives each number another place, and its size those near to each other places far apart.
  const place = Math.imul(number, 0x9e3779b1) & (mostSources - 1);
  new DataView(bytes.buffer).setUint32(bytes.length - 4, 0x40000000 | place);
  return bytes;
}

/** The variables of sender.bpf.c. */
export function sourceFields(family: Family, { first, count }: Sources): Record<string, number> {
  return { sources: count, first_source: first, source_at: lastBytesAt[family], id_at: idAt[family] };
}
