/**
 * Digits of numbers and bytes, written straight into bytes: two at a time by table, and 64-bit numbers as two halves of 32
 * bits, because a bigint each would cost more than all the rest. All functions give the place behind what they wrote.
 */

/** `00` to `99`, as numbers of two bytes. */
const pairs = new Uint16Array(100);
/** `00` to `ff`. */
const hexPairs = new Uint16Array(256);
for (let value = 0; value < 256; value++) {
  const text = value.toString(16).padStart(2, '0');
  hexPairs[value] = text.charCodeAt(0) | (text.charCodeAt(1) << 8);
}
for (let value = 0; value < 100; value++) {
  pairs[value] = (0x30 + Math.floor(value / 10)) | ((0x30 + (value % 10)) << 8);
}

/** @param value 0 to 2^32 - 1 */
export function putUint32(data: DataView, at: number, value: number): number {
  if (value < 10_000) return putShort(data, at, value);
  if (value < 100_000_000) {
    const upper = (value / 10_000) >>> 0;
    const place = putShort(data, at, upper);
    putFour(data, place, value - upper * 10_000);
    return place + 4;
  }
  const top = (value / 100_000_000) >>> 0;
  const place = putShort(data, at, top);
  putEight(data, place, value - top * 100_000_000);
  return place + 8;
}

/** Up to four digits. */
function putShort(data: DataView, at: number, value: number): number {
  if (value < 100) {
    if (value < 10) {
      data.setUint8(at, 0x30 + value);
      return at + 1;
    }
    data.setUint16(at, pairs[value] ?? 0, true);
    return at + 2;
  }
  if (value >= 1000) {
    putFour(data, at, value);
    return at + 4;
  }
  const upper = (value / 100) >>> 0;
  data.setUint8(at, 0x30 + upper);
  data.setUint16(at + 1, pairs[value - upper * 100] ?? 0, true);
  return at + 3;
}

/** Four digits, zeros in front. */
function putFour(data: DataView, at: number, value: number): void {
  const upper = (value / 100) >>> 0;
  data.setUint16(at, pairs[upper] ?? 0, true);
  data.setUint16(at + 2, pairs[value - upper * 100] ?? 0, true);
}

function putEight(data: DataView, at: number, value: number): void {
  const upper = (value / 10_000) >>> 0;
  putFour(data, at, upper);
  putFour(data, at + 4, value - upper * 10_000);
}

function putNine(data: DataView, at: number, value: number): void {
  const top = (value / 100_000_000) >>> 0;
  data.setUint8(at, 0x30 + top);
  putEight(data, at + 1, value - top * 100_000_000);
}

/** @param value -2^31 to 2^31 - 1 */
export function putInt32(data: DataView, at: number, value: number): number {
  if (value >= 0) return putUint32(data, at, value);
  data.setUint8(at, 0x2d);
  return putUint32(data, at + 1, -value);
}

const billion = 1_000_000_000;
/** Halves up to here make a number that JavaScript holds exactly. */
const exactHigh = 0x20_0000;

/** An unsigned 64-bit number from its halves, each 0 to 2^32 - 1. */
export function putUint64(data: DataView, at: number, high: number, low: number): number {
  if (high === 0) return putUint32(data, at, low);
  let upper: number;
  let last: number;
  if (high < exactHigh) {
    const value = high * 0x1_0000_0000 + low;
    upper = Math.floor(value / billion);
    last = value - upper * billion;
  } else {
    // Long division by a billion, 16 bits at a time, so that no step leaves 53 bits.
    const first = Math.floor(high / billion);
    const second = (high - first * billion) * 0x1_0000 + (low >>> 16);
    const middle = Math.floor(second / billion);
    const third = (second - middle * billion) * 0x1_0000 + (low & 0xffff);
    const end = Math.floor(third / billion);
    last = third - end * billion;
    upper = first * 0x1_0000_0000 + middle * 0x1_0000 + end;
  }
  let place = at;
  if (upper >= billion) {
    const top = Math.floor(upper / billion);
    place = putUint32(data, place, top);
    putNine(data, place, upper - top * billion);
    place += 9;
  } else {
    place = putUint32(data, place, upper);
  }
  putNine(data, place, last);
  return place + 9;
}

/** A signed 64-bit number from the halves of its two's complement, each 0 to 2^32 - 1. */
export function putInt64(data: DataView, at: number, high: number, low: number): number {
  if (high < 0x8000_0000) return putUint64(data, at, high, low);
  data.setUint8(at, 0x2d);
  return low === 0
    ? putUint64(data, at + 1, 0x1_0000_0000 - high, 0)
    : putUint64(data, at + 1, 0xffff_ffff - high, 0x1_0000_0000 - low);
}

/** Two hex digits of each of `count` bytes. */
export function putHex(data: DataView, at: number, view: DataView, offset: number, count: number): number {
  let place = at;
  for (let index = 0; index < count; index++) place = putHexByte(data, place, view.getUint8(offset + index));
  return place;
}

/** Two hex digits. */
export function putHexByte(data: DataView, at: number, value: number): number {
  data.setUint16(at, hexPairs[value] ?? 0, true);
  return at + 2;
}

/** Hex digits without leading zeros. @param value 0 to 2^16 - 1 */
export function putGroup(data: DataView, at: number, value: number): number {
  const upper = value >>> 8;
  const lower = hexPairs[value & 0xff] ?? 0;
  if (upper === 0) {
    if (value > 15) {
      data.setUint16(at, lower, true);
      return at + 2;
    }
    data.setUint8(at, lower >>> 8);
    return at + 1;
  }
  const place = upper > 15 ? putHexByte(data, at, upper) : putDigit(data, at, (hexPairs[upper] ?? 0) >>> 8);
  data.setUint16(place, lower, true);
  return place + 2;
}

function putDigit(data: DataView, at: number, digit: number): number {
  data.setUint8(at, digit);
  return at + 1;
}

/** Text of characters below 128. */
export function putAscii(data: DataView, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) data.setUint8(at + index, text.charCodeAt(index));
  return at + text.length;
}

/** Bytes as they are; for the few of a name this is faster than `set`. */
export function putBytes(data: DataView, at: number, text: Uint8Array): number {
  for (let index = 0; index < text.length; index++) data.setUint8(at + index, text[index] ?? 0);
  return at + text.length;
}

/** `0` to `255`: four bytes each, the digits and their number. */
const decimals = new Uint8Array(1024);
for (let value = 0; value < 256; value++) {
  const text = String(value);
  for (let index = 0; index < text.length; index++) decimals[value * 4 + index] = text.charCodeAt(index);
  decimals[value * 4 + 3] = text.length;
}

/** @param value 0 to 255 */
export function putByte(data: DataView, at: number, value: number): number {
  const entry = value * 4;
  data.setUint8(at, decimals[entry] ?? 0);
  const length = decimals[entry + 3] ?? 0;
  if (length > 1) data.setUint8(at + 1, decimals[entry + 1] ?? 0);
  if (length > 2) data.setUint8(at + 2, decimals[entry + 2] ?? 0);
  return at + length;
}
