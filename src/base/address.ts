/**
 * Strict text forms of addresses and prefixes, to and from bytes in network order. Strict because a firewall must
 * never guess: `010.0.0.1` and `10.1` mean different things to different readers, so both are refused.
 */
import { NetkitError } from './errors.js';

/** An IP prefix. `bytes` (4 or 16) hold the network address, host bits zero. */
export interface Prefix {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
  /** Bits, 0 to 32 or 128. */
  readonly length: number;
}

function notAn(what: string, text: string, why?: string): NetkitError {
  const given = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new NetkitError(
    'bad-value',
    `${JSON.stringify(given).replaceAll('"', "'")} is not ${what}${why === undefined ? '' : `: ${why}`}`,
  );
}

/**
 * Four decimal parts, each 0 to 255, without leading zeros.
 * @returns 4 bytes in network order.
 * @throws NetkitError `bad-value`
 */
export function parseIpv4(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  const why = readIpv4(text, bytes, 0);
  if (why !== undefined) throw notAn('an IPv4 address', text, why);
  return bytes;
}

/** Fills four bytes from `at`, or says what is wrong. One pass and no garbage: bulk imports come through here. */
function readIpv4(text: string, bytes: Uint8Array, at: number): string | undefined {
  let part = 0;
  let digits = 0;
  let value = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? 0x2e : text.charCodeAt(index);
    if (code >= 0x30 && code <= 0x39) {
      if (digits > 0 && value === 0) return 'a part has a leading zero';
      value = value * 10 + code - 0x30;
      digits++;
      if (value > 255) return 'a part is more than 255';
    } else if (code === 0x2e) {
      if (digits === 0) return 'a part is empty';
      if (part === 4) return 'it has more than four parts';
      bytes[at + part] = value;
      part++;
      digits = 0;
      value = 0;
    } else {
      return 'a part is not a decimal number';
    }
  }
  return part === 4 ? undefined : 'it needs four parts';
}

/** The dotted quad of the four bytes at `offset`. */
export function formatIpv4(bytes: Uint8Array, offset = 0): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/**
 * Any form of RFC 4291, an embedded IPv4 address at the end included; no zone.
 * @returns 16 bytes in network order.
 * @throws NetkitError `bad-value`
 */
export function parseIpv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const why = readIpv6(text, bytes);
  if (why !== undefined) throw notAn('an IPv6 address', text, why);
  return bytes;
}

function readIpv6(text: string, bytes: Uint8Array): string | undefined {
  if (text.includes('%')) return 'a zone has no place here';
  if (text.length > 45 || !text.includes(':')) return 'it needs eight groups of hex digits, or ::';
  const halves = text.split('::');
  if (halves.length > 2) return ':: may stand only once';
  const [headText = '', tailText] = halves;
  const head: number[] = [];
  const tail: number[] = [];
  const problem =
    readGroups(headText, tailText === undefined, head) ??
    (tailText === undefined ? undefined : readGroups(tailText, true, tail));
  if (problem !== undefined) return problem;
  const count = head.length + tail.length;
  if (tailText === undefined ? count !== 16 : count > 14) {
    return count > 16
      ? 'it has more than eight groups'
      : tailText === undefined
        ? 'it has fewer than eight groups'
        : ':: stands for nothing';
  }
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return undefined;
}

/** Reads `a:b:c` into bytes; the last group may be a dotted quad where the address ends with it. */
function readGroups(text: string, last: boolean, into: number[]): string | undefined {
  if (text === '') return undefined;
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (last && index === groups.length - 1 && group.includes('.')) {
      const quad = new Uint8Array(4);
      const why = readIpv4(group, quad, 0);
      if (why !== undefined) return `in its IPv4 part ${why}`;
      into.push(...quad);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      into.push(value >> 8, value & 0xff);
    } else {
      return group === '' ? 'a group is empty' : 'a group is not one to four hex digits';
    }
  }
  return undefined;
}

/** The text of RFC 5952 for the 16 bytes at `offset`; IPv4-mapped addresses end in a dotted quad. */
export function formatIpv6(bytes: Uint8Array, offset = 0): string {
  const groups: number[] = [];
  for (let at = offset; at < offset + 16; at += 2)
    groups.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${formatIpv4(bytes, offset + 12)}`;
  }
  let runStart = -1;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > runLength) {
      runStart = start;
      runLength = end - start;
    }
    if (end > start) start = end;
  }
  const hex = groups.map((group) => group.toString(16));
  if (runStart < 0) return hex.join(':');
  return `${hex.slice(0, runStart).join(':')}::${hex.slice(runStart + runLength).join(':')}`;
}

/** An IPv4 or IPv6 address: 4 or 16 bytes. @throws NetkitError `bad-value` */
export function parseAddress(text: string): Uint8Array {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The text of 4 or 16 address bytes. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes);
}

/**
 * Six groups of two hex digits with colons between.
 * @returns 6 bytes.
 * @throws NetkitError `bad-value`
 */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    throw notAn('a MAC address', text, 'it needs six pairs of hex digits, as in 02:00:00:00:00:01');
  }
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

/** `02:00:00:00:00:01` of the six bytes at `offset`. */
export function formatMac(bytes: Uint8Array, offset = 0): string {
  return Array.from(bytes.subarray(offset, offset + 6), (byte) => byte.toString(16).padStart(2, '0')).join(
    ':',
  );
}

/**
 * `10.0.0.0/8`, `2001:db8::/32`; a bare address is a prefix of full length.
 * @throws NetkitError `bad-value`, also when host bits are set: the message names the network that was meant.
 */
export function parsePrefix(text: string): Prefix {
  const slash = text.indexOf('/');
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const bytes = parseAddress(addressText);
  const bits = bytes.length * 8;
  const length = slash < 0 ? bits : parsePrefixLength(text.slice(slash + 1), bits, text);
  if (clearHostBits(bytes, length)) {
    throw new NetkitError(
      'bad-value',
      `${text} has host bits set: did you mean ${formatAddress(bytes)}/${length}?`,
      {
        details: { network: `${formatAddress(bytes)}/${length}` },
      },
    );
  }
  return { family: bytes.length === 4 ? 4 : 6, bytes, length };
}

/**
 * A prefix length in decimal, 0 to `bits`; `whole` is the text it stands in, for the error.
 * @throws NetkitError `bad-value`
 */
export function parsePrefixLength(text: string, bits: number, whole: string): number {
  if (!/^(0|[1-9][0-9]{0,8})$/.test(text))
    throw notAn('a prefix', whole, 'the length after / must be a decimal number');
  const length = Number(text);
  if (length > bits) throw notAn('a prefix', whole, `a length of ${length} is more than ${bits}`);
  return length;
}

/** Clears the bits of `bytes` after the first `length`; true when one of them was set. */
export function clearHostBits(bytes: Uint8Array, length: number): boolean {
  let wasSet = false;
  for (let index = length >> 3; index < bytes.length; index++) {
    const keep = index === length >> 3 ? 0xff00 >> (length & 7) : 0;
    const byte = bytes[index] ?? 0;
    if ((byte & keep & 0xff) !== byte) wasSet = true;
    bytes[index] = byte & keep;
  }
  return wasSet;
}
