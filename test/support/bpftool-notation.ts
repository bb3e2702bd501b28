/** How bpftool writes typed values in JSON, and how netkit writes the same. */
import { type JsonValue, parseJson } from '../../src/base/json.js';
import type { Value } from '../../src/obj/codec/index.js';

/** What netkit shows, out of what bpftool shows for the same bytes. */
export type Translation = (theirs: JsonValue, ours: Value) => Value;

function whole(theirs: JsonValue): bigint {
  if (typeof theirs !== 'number' && typeof theirs !== 'bigint')
    throw new Error(`${JSON.stringify(theirs)} is no number`);
  return BigInt(theirs);
}

/** The bytes of a number as this machine stores it. */
function stored(theirs: JsonValue, size: number): Buffer {
  const digits = BigInt.asUintN(size * 8, whole(theirs))
    .toString(16)
    .padStart(size * 2, '0');
  return Buffer.from(digits, 'hex').reverse();
}

function byteList(theirs: JsonValue): Buffer {
  if (!Array.isArray(theirs)) throw new Error('no array');
  return Buffer.from(theirs.map((byte) => Number(byte) & 0xff));
}

/** bpftool swaps nothing: a number in network order comes as the number that this machine sees in its bytes. */
export const network =
  (size: number): Translation =>
  (theirs) =>
    Number.parseInt(stored(theirs, size).toString('hex'), 16);
export const network64: Translation = (theirs) => stored(theirs, 8).readBigUInt64BE();
/** Addresses are numbers, lists of bytes, or the union that `struct in6_addr` is. */
export const ipv4: Translation = (theirs) => [...stored(theirs, 4)].join('.');
export const ipv4OfBytes: Translation = (theirs) => [...byteList(theirs)].join('.');
export const ipv6OfBytes: Translation = (theirs) => ipv6Text(byteList(theirs));
export const in6Addr: Translation = (theirs) =>
  ipv6Text(byteList(member(member(theirs, 'in6_u'), 'u6_addr8')));
export const mac: Translation = (theirs) =>
  [...byteList(theirs)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
/** Integers of 128 bits and bit fields are hex digits, without regard to sign. */
export const hexNumber: Translation = (theirs) => Number(theirs);
export const hexBigint: Translation = (theirs) => BigInt(String(theirs));
export const signedHex: Translation = (theirs) => BigInt.asIntN(128, BigInt(String(theirs)));
/** Pointers are numbers. */
export const pointer: Translation = (theirs) => `0x${whole(theirs).toString(16)}`;
/** Numbers of enums are signed, also where BTF (of clang before 15) says that they are not. */
export const enumerator: Translation = (theirs) =>
  typeof theirs === 'string' ? theirs : Number(BigInt.asUintN(32, whole(theirs)));
/**
 * Character arrays without an end, or with bytes that are no text, are lists of signed bytes. Text is shown up to its end,
 * whatever stands behind that; netkit shows such arrays as bytes.
 */
export const characters: Translation = (theirs, ours) => {
  if (typeof theirs !== 'string') return charactersOf(byteList(theirs));
  const hex = Buffer.from(`${theirs}\0`).toString('hex');
  const goesOn = String(ours).startsWith(`hex:${hex}`) && /[1-9a-f]/.test(String(ours).slice(4 + hex.length));
  return goesOn ? ours : theirs;
};

function charactersOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
  const isText = /^[ -~]*$/.test(text) && (end < 0 || bytes.subarray(end).every((byte) => byte === 0));
  return isText ? text : `hex:${bytes.toString('hex')}`;
}

function ipv6Text(bytes: Buffer): string {
  const mapped = /^0{20}ffff/.test(bytes.toString('hex'));
  if (mapped) return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // URL writes IPv6 as RFC 5952 has it.
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

export function member(theirs: JsonValue, name: string): JsonValue {
  if (typeof theirs !== 'object' || theirs === null || Array.isArray(theirs)) throw new Error('no object');
  const value = theirs[name];
  if (value === undefined) throw new Error(`no ${name}`);
  return value;
}

/** A key of a prefix map is the struct that it is. */
export const prefix =
  (address: Translation): Translation =>
  (theirs) =>
    `${String(address(member(theirs, 'addr'), ''))}/${String(member(theirs, 'prefixlen'))}`;

/** bpftool shows anonymous structs under an empty name, several of them even; netkit shows their members in their place. */
function withoutAnonymous(theirs: JsonValue): JsonValue {
  if (Array.isArray(theirs)) return theirs.map(withoutAnonymous);
  if (typeof theirs !== 'object' || theirs === null) return theirs;
  return Object.fromEntries(
    Object.entries(theirs).flatMap(([name, value]) => {
      const inner = withoutAnonymous(value);
      const isAnonymous = name.startsWith('#') && typeof inner === 'object' && inner !== null;
      return isAnonymous ? Object.entries(inner) : [[name, inner] as const];
    }),
  );
}

/** A document of bpftool's. */
export function parseBpftool(text: string): JsonValue {
  let anonymous = 0;
  return withoutAnonymous(parseJson(text.replaceAll('"":', () => `"#${anonymous++}":`)));
}
