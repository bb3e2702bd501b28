/** Attributes of netlink messages: as bytes for the kernel, and found in what it answers. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { uapi } from './uapi.js';

/** struct nlattr of linux/netlink.h: length and type. */
const headerSize = 4;

/** One attribute; a list of attributes is nested. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: number | string | Uint8Array | readonly NetlinkAttribute[];
}

/** The contents of attributes by their types. */
export type Attributes = ReadonlyMap<number, DataView>;

/** How much of a message something takes up. */
export const padded = (size: number): number => (size + 3) & ~3;

export function encodeAll(attributes: readonly NetlinkAttribute[]): Uint8Array {
  return Buffer.concat(attributes.map(encode));
}

function encode({ type, value }: NetlinkAttribute): Uint8Array {
  const isNested = typeof value === 'object' && !(value instanceof Uint8Array);
  const content = isNested ? encodeAll(value) : plain(value);
  const bytes = new Uint8Array(padded(headerSize + content.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, headerSize + content.length, littleEndian);
  view.setUint16(2, isNested ? type | uapi.NLA_F_NESTED : type, littleEndian);
  bytes.set(content, headerSize);
  return bytes;
}

/** A number takes 32 bits, a text ends with a NUL. */
function plain(value: number | string | Uint8Array): Uint8Array {
  if (typeof value === 'number') return new Uint8Array(Uint32Array.of(value).buffer);
  return typeof value === 'string' ? Buffer.from(`${value}\0`) : value;
}

/** What is in a run of attributes, such as the contents of a nested one. */
export function attributesIn(contents: DataView | undefined): Attributes {
  const found = new Map<number, DataView>();
  if (contents === undefined) return found;
  for (let at = 0; at + headerSize <= contents.byteLength; ) {
    const size = contents.getUint16(at, littleEndian);
    if (size < headerSize || at + size > contents.byteLength) break;
    // The upper bits say that it is nested, or in network byte order.
    const type = contents.getUint16(at + 2, littleEndian) & uapi.NLA_TYPE_MASK;
    const start = contents.byteOffset + at + headerSize;
    found.set(type, new DataView(contents.buffer, start, size - headerSize));
    at += padded(size);
  }
  return found;
}

/** A number of 32 bits. */
export function numberOf(contents: DataView | undefined): number | undefined {
  return contents === undefined || contents.byteLength < 4 ? undefined : contents.getUint32(0, littleEndian);
}

export function bytesOf(contents: DataView | undefined): Uint8Array {
  return contents === undefined
    ? new Uint8Array()
    : new Uint8Array(contents.buffer, contents.byteOffset, contents.byteLength);
}

/** A text, without its NUL. */
export function textOf(contents: DataView | undefined): string | undefined {
  if (contents === undefined) return undefined;
  return Buffer.from(bytesOf(contents)).toString('latin1').replace(/\0.*$/s, '');
}
