/**
 * Builds test packets layer by layer, outermost first, as they are on the wire:
 *
 *     packet(ethernet(), vlan({ id: 7 }), ipv4({ source: '10.0.0.1' }), udp({ destinationPort: 53 }), payload(16))
 *
 * Protocol numbers, lengths and checksums follow from the layers inside, unless a layer is given one: a test for a
 * wrong header says so in that header. Addresses are read by code of the tests, so that a test of the project's own
 * address parser, or of what it feeds, does not check the parser with itself.
 */
import { internetChecksum, ipv4Bytes, ipv6Bytes, macBytes } from './packet-bytes.js';

/** What a layer tells the layer around it. */
interface Inner {
  readonly bytes: Uint8Array;
  /** EtherType of this layer, when it goes into Ethernet or VLAN. */
  readonly etherType?: number;
  /** Protocol number of this layer, when it goes into IP; ICMP differs by IP version. */
  readonly protocol?: { readonly ipv4: number; readonly ipv6: number };
  /** Where its checksum is, if the enclosing IP layer has to fill it in; and whether the pseudo header counts. */
  readonly checksum?: { readonly offset: number; readonly pseudo: 'always' | 'ipv6' };
}

export type Layer = (inner: Inner) => Inner;

const NOTHING: Inner = { bytes: new Uint8Array(0) };
const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, fragment: 44, none: 59, icmpv6: 58 } as const;
export const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  vlan: 0x8100,
  ipv6: 0x86dd,
  serviceVlan: 0x88a8,
} as const;

/** The bytes of a packet made of these layers, the outermost first. */
export function packet(...layers: readonly Layer[]): Uint8Array {
  return layers.reduceRight((inner, layer) => layer(inner), NOTHING).bytes;
}

/** An Ethernet header; the destination is a locally administered unicast address. */
export function ethernet(fields: { source?: string; destination?: string; etherType?: number } = {}): Layer {
  return (inner) => {
    const bytes = around(14, inner.bytes);
    bytes.set(macBytes(fields.destination ?? '02:00:00:00:00:02'), 0);
    bytes.set(macBytes(fields.source ?? '02:00:00:00:00:01'), 6);
    viewOf(bytes).setUint16(12, fields.etherType ?? inner.etherType ?? 0xffff);
    return { bytes };
  };
}

/** One VLAN tag: 802.1Q, or 802.1ad with `service`. */
export function vlan(fields: {
  id: number;
  priority?: number;
  service?: boolean;
  etherType?: number;
}): Layer {
  return (inner) => {
    const bytes = around(4, inner.bytes);
    viewOf(bytes).setUint16(0, ((fields.priority ?? 0) << 13) | fields.id);
    viewOf(bytes).setUint16(2, fields.etherType ?? inner.etherType ?? 0xffff);
    return { bytes, etherType: fields.service ? ETHER_TYPE.serviceVlan : ETHER_TYPE.vlan };
  };
}

/** An ARP request for `target` from `source`. */
export function arp(fields: { source: string; target: string }): Layer {
  return () => {
    const bytes = Uint8Array.from([
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...macBytes('02:00:00:00:00:01'),
      ...new Uint8Array(14),
    ]);
    bytes.set(ipv4Bytes(fields.source), 14);
    bytes.set(ipv4Bytes(fields.target), 24);
    return { bytes, etherType: ETHER_TYPE.arp };
  };
}

export interface Ipv4Fields {
  source?: string;
  destination?: string;
  ttl?: number;
  tos?: number;
  id?: number;
  protocol?: number;
  /** Whole 32-bit words of options; their length goes into the header length. */
  options?: Uint8Array;
  /** A fragment: what is inside stands `offset` bytes (a multiple of 8) into the datagram. */
  fragment?: { offset: number; more: boolean };
  /** Wrong values for tests of malformed headers: version, header length in words, total length. */
  version?: number;
  headerWords?: number;
  totalLength?: number;
}

export function ipv4(fields: Ipv4Fields = {}): Layer {
  return (inner) => {
    const source = ipv4Bytes(fields.source ?? '192.0.2.1');
    const destination = ipv4Bytes(fields.destination ?? '192.0.2.2');
    const options = fields.options ?? new Uint8Array(0);
    const length = 20 + options.length;
    const protocol = fields.protocol ?? inner.protocol?.ipv4 ?? 255;
    const payload = fields.fragment
      ? inner.bytes
      : checksummed(
          inner,
          inner.checksum?.pseudo === 'always' ? pseudo(source, destination, protocol, inner) : [],
        );
    const bytes = around(length, payload);
    const view = viewOf(bytes);
    view.setUint8(0, ((fields.version ?? 4) << 4) | (fields.headerWords ?? length / 4));
    view.setUint8(1, fields.tos ?? 0);
    view.setUint16(2, fields.totalLength ?? bytes.length);
    view.setUint16(4, fields.id ?? 0);
    view.setUint16(
      6,
      fields.fragment ? (fields.fragment.more ? 0x2000 : 0) | (fields.fragment.offset / 8) : 0x4000,
    );
    view.setUint8(8, fields.ttl ?? 64);
    view.setUint8(9, protocol);
    bytes.set(source, 12);
    bytes.set(destination, 16);
    bytes.set(options, 20);
    view.setUint16(10, internetChecksum([bytes.subarray(0, length)]));
    return { bytes, etherType: ETHER_TYPE.ipv4, protocol: { ipv4: 4, ipv6: 4 } };
  };
}

export interface Ipv6Fields {
  source?: string;
  destination?: string;
  hopLimit?: number;
  flow?: number;
  nextHeader?: number;
  version?: number;
  payloadLength?: number;
}

export function ipv6(fields: Ipv6Fields = {}): Layer {
  return (inner) => {
    const source = ipv6Bytes(fields.source ?? '2001:db8::1');
    const destination = ipv6Bytes(fields.destination ?? '2001:db8::2');
    const nextHeader = fields.nextHeader ?? inner.protocol?.ipv6 ?? PROTOCOL.none;
    const payload = checksummed(inner, pseudo(source, destination, nextHeader, inner));
    const bytes = around(40, payload);
    const view = viewOf(bytes);
    view.setUint32(0, ((fields.version ?? 6) << 28) | (fields.flow ?? 0));
    view.setUint16(4, fields.payloadLength ?? payload.length);
    view.setUint8(6, nextHeader);
    view.setUint8(7, fields.hopLimit ?? 64);
    bytes.set(source, 8);
    bytes.set(destination, 24);
    return { bytes, etherType: ETHER_TYPE.ipv6, protocol: { ipv4: 41, ipv6: 41 } };
  };
}

/**
 * An IPv6 extension header of `kind` (0 hop-by-hop, 43 routing, 60 destination options, 51 authentication) in `words`
 * units of eight bytes (four for authentication). Transport checksums behind one are left zero.
 */
export function extension(kind: number, words = 1): Layer {
  return (inner) => {
    const authentication = kind === 51;
    const bytes = around(authentication ? words * 4 : words * 8, inner.bytes);
    bytes[0] = inner.protocol?.ipv6 ?? PROTOCOL.none;
    bytes[1] = authentication ? words - 2 : words - 1;
    return { bytes, protocol: { ipv4: kind, ipv6: kind } };
  };
}

/** The IPv6 fragment header: what is inside stands `offset` bytes into the datagram. */
export function fragmentHeader(fields: {
  offset: number;
  more: boolean;
  id?: number;
  nextHeader?: number;
}): Layer {
  return (inner) => {
    const bytes = around(8, inner.bytes);
    bytes[0] = fields.nextHeader ?? inner.protocol?.ipv6 ?? PROTOCOL.none;
    viewOf(bytes).setUint16(2, fields.offset | (fields.more ? 1 : 0));
    viewOf(bytes).setUint32(4, fields.id ?? 1);
    return { bytes, protocol: { ipv4: PROTOCOL.fragment, ipv6: PROTOCOL.fragment } };
  };
}

export interface TcpFields {
  sourcePort?: number;
  destinationPort?: number;
  sequence?: number;
  acknowledgement?: number;
  /** The flag bits: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. */
  flags?: number;
  window?: number;
}

export function tcp(fields: TcpFields = {}): Layer {
  return (inner) => {
    const bytes = around(20, inner.bytes);
    const view = viewOf(bytes);
    view.setUint16(0, fields.sourcePort ?? 40000);
    view.setUint16(2, fields.destinationPort ?? 80);
    view.setUint32(4, fields.sequence ?? 1);
    view.setUint32(8, fields.acknowledgement ?? 0);
    view.setUint8(12, 5 << 4);
    view.setUint8(13, fields.flags ?? 2);
    view.setUint16(14, fields.window ?? 65535);
    return transport(bytes, PROTOCOL.tcp, 16, 'always');
  };
}

export function udp(fields: { sourcePort?: number; destinationPort?: number } = {}): Layer {
  return (inner) => {
    const bytes = around(8, inner.bytes);
    viewOf(bytes).setUint16(0, fields.sourcePort ?? 40000);
    viewOf(bytes).setUint16(2, fields.destinationPort ?? 53);
    viewOf(bytes).setUint16(4, bytes.length);
    return transport(bytes, PROTOCOL.udp, 6, 'always');
  };
}

/** An ICMP echo request: ICMPv6 inside IPv6, ICMP inside IPv4. */
export function echo(fields: { id?: number; sequence?: number; ipv6?: boolean } = {}): Layer {
  return (inner) => {
    const bytes = around(8, inner.bytes);
    bytes[0] = fields.ipv6 ? 128 : 8;
    viewOf(bytes).setUint16(4, fields.id ?? 1);
    viewOf(bytes).setUint16(6, fields.sequence ?? 1);
    return {
      bytes,
      protocol: { ipv4: PROTOCOL.icmp, ipv6: PROTOCOL.icmpv6 },
      checksum: { offset: 2, pseudo: 'ipv6' },
    };
  };
}

/** Raw bytes, or that many bytes counting up. */
export function payload(content: number | Uint8Array): Layer {
  return () => ({
    bytes: typeof content === 'number' ? Uint8Array.from({ length: content }, (_, i) => i) : content,
  });
}

function transport(
  bytes: Uint8Array,
  number: number,
  offset: number,
  pseudoHeader: 'always' | 'ipv6',
): Inner {
  return { bytes, protocol: { ipv4: number, ipv6: number }, checksum: { offset, pseudo: pseudoHeader } };
}

function pseudo(source: Uint8Array, destination: Uint8Array, protocol: number, inner: Inner): Uint8Array[] {
  const rest = new Uint8Array(8);
  viewOf(rest).setUint32(0, inner.bytes.length);
  rest[7] = protocol;
  return [source, destination, rest];
}

function checksummed(inner: Inner, before: readonly Uint8Array[]): Uint8Array {
  if (inner.checksum === undefined) {
    return inner.bytes;
  }
  const bytes = inner.bytes.slice();
  const sum = internetChecksum([...before, bytes]);
  // Only UDP gives zero a meaning (no checksum) and sends the other zero instead.
  viewOf(bytes).setUint16(
    inner.checksum.offset,
    sum === 0 && inner.protocol?.ipv4 === PROTOCOL.udp ? 0xffff : sum,
  );
  return bytes;
}

function around(header: number, inner: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header + inner.length);
  bytes.set(inner, header);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
