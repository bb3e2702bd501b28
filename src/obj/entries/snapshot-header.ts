/** What a snapshot says of the map that it was made of. */
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { btfForMap, type MapTypes } from '../btf/map-types.js';
import { readBtf } from '../btf/read.js';
import type { BtfReference } from '../btf/subset.js';
import { mapCodec } from '../map-codecs.js';
import type { EntryShape } from './batch.js';
import { checksum } from './checksum.js';
import {
  aligned,
  badSnapshot,
  byteOrderMark,
  fixedHeader,
  headerLimit,
  headerTail,
  isPadded,
  magic,
  offsets,
  paddedFlag,
  version,
} from './snapshot-layout.js';

/** What is said of the map when a snapshot is written; key and value with their types where these are known. */
export interface SnapshotTypes extends MapTypes {
  /** The kernel's word, such as `percpu_hash`. */
  readonly mapType: string;
  readonly name: string;
  readonly maxEntries: number;
  /** `BPF_F_*` as the map was created with. */
  readonly mapFlags: number;
  /** Of which boot of which machine ids in the values are; for maps whose entries refer to maps or programs. */
  readonly bootId?: string | undefined;
}

export interface SnapshotHeader {
  readonly mapType: string;
  readonly name: string;
  readonly keySize: number;
  /** Bytes, of one CPU's value where the map is per-CPU. */
  readonly valueSize: number;
  /** How many values an entry has. */
  readonly cpus: number;
  /** Bytes from one CPU's value to the next one's. */
  readonly cpuStride: number;
  readonly maxEntries: number;
  readonly mapFlags: number;
  /** Of which boot of which machine ids in the values are; undefined where that was not told. */
  readonly bootId: string | undefined;
  /** Undefined where the map's keys, or its values, had no type. */
  readonly key: BtfReference | undefined;
  readonly value: BtfReference | undefined;
  /** Bytes, with everything. */
  readonly length: number;
  /** The first block's checksum goes on from this. */
  readonly checksum: number;
}

/** Where the lengths of the texts stand, in the order of these. */
const textLengths = [offsets.mapTypeLength, offsets.nameLength, offsets.btfLength, offsets.bootLength];

/** The bytes of a header. */
export function headerBytes(shape: EntryShape, types: SnapshotTypes | undefined): Uint8Array {
  const blob = btfForMap({ key: types?.key, value: types?.value });
  const parts = [
    Buffer.from(types?.mapType ?? '', 'utf8'),
    Buffer.from(types?.name ?? '', 'utf8'),
    blob?.bytes ?? new Uint8Array(0),
    Buffer.from(types?.bootId ?? '', 'utf8'),
  ];
  const length = aligned(parts.reduce((at, part) => at + padded(part.length), fixedHeader)) + headerTail;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  const put = (offset: number, value: number): void => view.setUint32(offset, value, hostIsLittleEndian);
  bytes.set(magic);
  put(offsets.byteOrder, byteOrderMark);
  view.setUint16(offsets.version, version, hostIsLittleEndian);
  view.setUint16(offsets.flags, isPadded(shape) ? paddedFlag : 0, hostIsLittleEndian);
  put(offsets.length, length);
  put(offsets.keySize, shape.keySize);
  put(offsets.valueSize, shape.value.size);
  put(offsets.cpus, shape.cpus);
  put(offsets.maxEntries, types?.maxEntries ?? 0);
  put(offsets.mapFlags, types?.mapFlags ?? 0);
  put(offsets.keyType, blob?.key ?? 0);
  put(offsets.valueType, blob?.value ?? 0);
  let at = fixedHeader;
  for (const [index, part] of parts.entries()) {
    put(offsets.mapTypeLength + index * 4, part.length);
    bytes.set(part, at);
    at += padded(part.length);
  }
  put(length - headerTail, checksum(new Uint32Array(bytes.buffer), 0, (length - headerTail) / 4, 0));
  return bytes;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

/**
 * How long a header is, told by its first 20 bytes or more.
 * @throws NetkitError `bad-value` for what is no snapshot, or one of another machine or a later netkit
 */
export function snapshotHeaderLength(bytes: Uint8Array, file?: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isSnapshot = bytes.length > magic.length && magic.every((byte, index) => bytes[index] === byte);
  if (!isSnapshot)
    throw badSnapshot(file, bytes.length === 0 ? 'the file is empty' : 'this is not a snapshot of a map');
  if (bytes.length < offsets.keySize) throw cutHeader(file);
  const mark = view.getUint32(offsets.byteOrder, hostIsLittleEndian);
  if (mark !== byteOrderMark) {
    throw badSnapshot(file, 'the snapshot is damaged, or was made on a machine of the other byte order');
  }
  const found = view.getUint16(offsets.version, hostIsLittleEndian);
  if (found !== version) {
    throw badSnapshot(file, `the snapshot is of version ${found}, which this netkit does not know`);
  }
  const length = view.getUint32(offsets.length, hostIsLittleEndian);
  if (length < fixedHeader + headerTail || length > headerLimit || length % 8 !== 0) {
    throw damagedHeader(file);
  }
  return length;
}

function cutHeader(file: string | undefined): NetkitError {
  return badSnapshot(file, 'the snapshot ends within its header: it was cut');
}

function damagedHeader(file: string | undefined): NetkitError {
  return badSnapshot(file, 'the header of the snapshot is damaged');
}

/**
 * Reads the header at the beginning of a snapshot; more bytes may follow it.
 * @param file how errors call it
 * @throws NetkitError `bad-value`
 */
export function snapshotHeader(bytes: Uint8Array, file?: string): SnapshotHeader {
  const length = snapshotHeaderLength(bytes, file);
  if (bytes.length < length) throw cutHeader(file);
  // A copy is aligned, and later changes to the input do not reach it.
  const copy = Uint8Array.from(bytes.subarray(0, length));
  const view = new DataView(copy.buffer);
  const word = (offset: number): number => view.getUint32(offset, hostIsLittleEndian);
  const found = checksum(new Uint32Array(copy.buffer), 0, (length - headerTail) / 4, 0);
  if (found !== word(length - headerTail) || word(length - 4) !== 0) throw damagedHeader(file);

  let at = fixedHeader;
  const parts = textLengths.map((offset) => {
    const size = word(offset);
    const part = copy.subarray(at, at + size);
    at += padded(size);
    return part;
  });
  const [mapType, name, btf, boot] = parts;
  if (aligned(at) !== length - headerTail || btf === undefined) throw damagedHeader(file);
  const flags = view.getUint16(offsets.flags, hostIsLittleEndian);
  const valueSize = word(offsets.valueSize);
  const header = {
    mapType: Buffer.from(mapType ?? []).toString('utf8'),
    name: Buffer.from(name ?? []).toString('utf8'),
    keySize: word(offsets.keySize),
    valueSize,
    cpus: word(offsets.cpus),
    cpuStride: flags === 0 ? valueSize : aligned(valueSize),
    maxEntries: word(offsets.maxEntries),
    mapFlags: word(offsets.mapFlags),
    bootId: Buffer.from(boot ?? []).toString('utf8') || undefined,
    length,
    checksum: found,
  };
  if (header.cpus === 0 || flags > paddedFlag || (header.cpus > 1 && flags === 0)) throw damagedHeader(file);
  return { ...header, ...typesOf(btf, word(offsets.keyType), word(offsets.valueType), file) };
}

function typesOf(
  blob: Uint8Array,
  key: number,
  value: number,
  file: string | undefined,
): Pick<SnapshotHeader, 'key' | 'value'> {
  if (blob.length === 0 && key === 0 && value === 0) return { key: undefined, value: undefined };
  try {
    const btf = readBtf(blob);
    if (key >= btf.count || value >= btf.count) throw damagedHeader(file);
    const reference = (id: number): BtfReference | undefined => (id === 0 ? undefined : { btf, id });
    return { key: reference(key), value: reference(value) };
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-object') {
      throw badSnapshot(file, `the types in the snapshot are damaged: ${error.message}`);
    }
    throw error;
  }
}

/** The shape of a snapshot's entries by its own types, for reading it as it was written. */
export function snapshotShape(header: SnapshotHeader): EntryShape {
  const { keySize, valueSize, cpus, cpuStride } = header;
  const map = { type: header.mapType, keySize, valueSize };
  return {
    key: keySize === 0 ? undefined : mapCodec('key', map, header.key),
    value: mapCodec('value', map, header.value),
    keySize,
    valueStride: cpuStride * cpus,
    cpus,
    cpuStride,
  };
}
