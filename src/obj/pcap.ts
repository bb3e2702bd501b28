import { ByteReader } from '../base/bytes.js';
import { NetkitError } from '../base/errors.js';

/** One packet of a capture. */
export interface CapturedPacket {
  /** What was captured of it. */
  readonly bytes: Uint8Array;
  /** Its length on the wire; larger than `bytes` when the capture cut it. */
  readonly originalLength: number;
  /** Since 1970, in nanoseconds; 0 when the capture does not tell. */
  readonly timestampNs: bigint;
}

/** What a capture file holds. */
export interface Capture {
  /** The kind of link (`LINKTYPE_…`): 1 Ethernet, 101 bare IP. */
  readonly linkType: number;
  /** In the order of the file. */
  readonly packets: CapturedPacket[];
}

const pcapMicroseconds = 0xa1b2c3d4;
const pcapNanoseconds = 0xa1b23c4d;
const sectionHeaderBlock = 0x0a0d0d0a;
const pcapngByteOrder = 0x1a2b3c4d;
/** The largest that libpcap takes. */
const largestPacket = 262_144;

/**
 * Reads a pcap file (microseconds or nanoseconds) or a pcapng file, of either byte order. Packets share memory with
 * `bytes`. pcapng blocks that hold no packets are passed over.
 * @throws NetkitError `bad-object`, with the offset in the file, when it is damaged, cut short, no capture at all, or a
 * pcapng file with interfaces of different link types
 */
export function readPcap(bytes: Uint8Array): Capture {
  if (bytes.length < 4) throw bad(0, bytes.length === 0 ? 'the file is empty' : 'not a pcap or pcapng file');
  for (const littleEndian of [true, false]) {
    const reader = new ByteReader(bytes, { littleEndian, what: 'capture' });
    const magic = reader.u32();
    if (magic === pcapMicroseconds) return readClassic(reader, 1000n);
    if (magic === pcapNanoseconds) return readClassic(reader, 1n);
    // The same in both byte orders; which one it is, the block says inside.
    if (magic === sectionHeaderBlock) return readBlocks(bytes);
  }
  throw bad(0, 'not a pcap or pcapng file');
}

/** Writes a pcap file with nanosecond timestamps. A packet without length or time counts as whole, and as of 1970. */
export function writePcap(
  packets: Iterable<Pick<CapturedPacket, 'bytes'> & Partial<CapturedPacket>>,
  linkType = 1,
): Uint8Array {
  const all = [...packets];
  const file = new Uint8Array(24 + all.reduce((sum, { bytes }) => sum + 16 + bytes.length, 0));
  const view = new DataView(file.buffer);
  view.setUint32(0, pcapNanoseconds, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, largestPacket, true);
  view.setUint32(20, linkType, true);
  let at = 24;
  for (const { bytes, originalLength = bytes.length, timestampNs = 0n } of all) {
    view.setUint32(at, Number(timestampNs / 1_000_000_000n), true);
    view.setUint32(at + 4, Number(timestampNs % 1_000_000_000n), true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, originalLength, true);
    file.set(bytes, at + 16);
    at += 16 + bytes.length;
  }
  return file;
}

function readClassic(reader: ByteReader, nanoseconds: bigint): Capture {
  if (reader.length < 24) throw bad(0, `cut short: the header takes 24 bytes of ${reader.length}`);
  const linkType = reader.seek(20).u32() & 0x0fff_ffff;
  const packets: CapturedPacket[] = [];
  while (reader.remaining > 0) {
    const start = reader.position;
    if (reader.remaining < 16) throw bad(start, `cut short in the header of packet ${packets.length}`);
    const seconds = reader.u32();
    const fraction = reader.u32();
    const length = reader.u32();
    const originalLength = reader.u32();
    checkPacket(start, packets.length, length, reader.remaining);
    const timestampNs = BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * nanoseconds;
    packets.push({ bytes: reader.bytes(length), originalLength, timestampNs });
  }
  return { linkType, packets };
}

interface Interface {
  readonly linkType: number;
  /** Packets are cut to this length; 0 is no limit. */
  readonly snapLength: number;
  readonly unitsPerSecond: bigint;
}

interface Block {
  readonly start: number;
  readonly type: number;
  readonly body: ByteReader;
}

function readBlocks(bytes: Uint8Array): Capture {
  const packets: CapturedPacket[] = [];
  let interfaces: Interface[] = [];
  let linkType: number | undefined;
  for (const { start, type, body } of blocksOf(bytes)) {
    if (type === sectionHeaderBlock) {
      // Interfaces are numbered anew in each section.
      interfaces = [];
    } else if (type === 1) {
      const found = readInterface(start, body);
      if (linkType !== undefined && linkType !== found.linkType) {
        throw bad(start, `the capture mixes the link types ${linkType} and ${found.linkType}`);
      }
      linkType = found.linkType;
      interfaces.push(found);
    } else if (type === 6) {
      packets.push(readEnhanced(start, body, interfaces, packets.length));
    } else if (type === 3) {
      packets.push(readSimple(start, body, interfaces, packets.length));
    }
  }
  return { linkType: linkType ?? 1, packets };
}

function* blocksOf(bytes: Uint8Array): Generator<Block> {
  let littleEndian = true;
  let start = 0;
  while (start < bytes.length) {
    if (bytes.length - start < 12) throw bad(start, 'cut short in the header of a block');
    const type = new ByteReader(bytes, { littleEndian, what: 'capture' }).seek(start).u32();
    if (type === sectionHeaderBlock) littleEndian = sectionByteOrder(bytes, start);
    const reader = new ByteReader(bytes, { littleEndian, what: 'capture' }).seek(start + 4);
    const length = reader.u32();
    if (length < 12 || length % 4 !== 0) throw bad(start, `a block of ${length} bytes is not possible`);
    if (length > bytes.length - start) {
      throw bad(start, `cut short: a block takes ${length} bytes of ${bytes.length - start}`);
    }
    const again = reader.at(start + length - 4).u32();
    if (again !== length)
      throw bad(start, `the length of a block is ${length} at its start and ${again} at its end`);
    yield { start, type, body: reader.slice(start + 8, length - 12) };
    start += length;
  }
}

function sectionByteOrder(bytes: Uint8Array, start: number): boolean {
  for (const littleEndian of [true, false]) {
    const reader = new ByteReader(bytes, { littleEndian, what: 'capture' });
    if (reader.seek(start + 8).u32() === pcapngByteOrder) return littleEndian;
  }
  throw bad(start, 'a section does not tell its byte order');
}

function readInterface(start: number, body: ByteReader): Interface {
  if (body.length < 8) throw bad(start, 'the description of an interface is too short');
  const linkType = body.u16();
  const snapLength = body.skip(2).u32();
  let unitsPerSecond = 1_000_000n;
  while (body.remaining >= 4) {
    const option = body.u16();
    const length = body.u16();
    if (option === 0) break;
    if (length > body.remaining) throw bad(start, 'an option of an interface is cut short');
    const value = body.bytes(length);
    // if_tsresol: a power of ten, or of two with the highest bit.
    const [resolution] = value;
    if (option === 9 && resolution !== undefined) {
      unitsPerSecond = resolution >= 128 ? 2n ** BigInt(resolution - 128) : 10n ** BigInt(resolution);
    }
    body.skip(Math.min(body.remaining, -length & 3));
  }
  return { linkType, snapLength, unitsPerSecond };
}

function readEnhanced(
  start: number,
  body: ByteReader,
  interfaces: readonly Interface[],
  index: number,
): CapturedPacket {
  if (body.length < 20) throw bad(start, `packet ${index} has no whole header`);
  const number = body.u32();
  const origin = interfaces[number];
  if (origin === undefined)
    throw bad(start, `packet ${index} is from interface ${number}, which is not described`);
  const time = (BigInt(body.u32()) << 32n) | BigInt(body.u32());
  const length = body.u32();
  const originalLength = body.u32();
  checkPacket(start, index, length, body.remaining);
  return {
    bytes: body.bytes(length),
    originalLength,
    timestampNs: (time * 1_000_000_000n) / origin.unitsPerSecond,
  };
}

function readSimple(
  start: number,
  body: ByteReader,
  interfaces: readonly Interface[],
  index: number,
): CapturedPacket {
  const [origin] = interfaces;
  if (origin === undefined) throw bad(start, `packet ${index} comes before the description of its interface`);
  if (body.length < 4) throw bad(start, `packet ${index} has no whole header`);
  const originalLength = body.u32();
  const length = origin.snapLength === 0 ? originalLength : Math.min(originalLength, origin.snapLength);
  checkPacket(start, index, length, body.remaining);
  return { bytes: body.bytes(length), originalLength, timestampNs: 0n };
}

function checkPacket(start: number, index: number, length: number, room: number): void {
  if (length > largestPacket) throw bad(start, `packet ${index} is said to have ${length} bytes`);
  if (length > room) throw bad(start, `cut short: packet ${index} takes ${length} bytes of ${room}`);
}

function bad(offset: number, problem: string): NetkitError {
  return new NetkitError('bad-object', `capture file: ${problem} (at byte ${offset})`, {
    details: { offset },
  });
}
