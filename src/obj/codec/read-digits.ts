/**
 * Decimal integers read straight from bytes into memory, in the form that `digits.ts` writes: no plus sign, no leading
 * zeros, no minus zero. Everything else is left to the slow way, which knows what is wrong.
 */
import { notPlain, type Take } from './text-form.js';

/** Digits that a number holds exactly, whatever they are. */
const exactDigits = 15;
const billion = 1_000_000_000;

/** The place behind the digits at `at`; `notPlain` when there are none, more than `most`, or a leading zero. */
function endOfDigits(bytes: Uint8Array, at: number, end: number, most: number): number {
  const limit = end < at + most + 1 ? end : at + most + 1;
  let place = at;
  while (place < limit) {
    const digit = (bytes[place] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    place++;
  }
  const count = place - at;
  if (count === 0 || count > most || (count > 1 && bytes[at] === 0x30)) return notPlain;
  return place;
}

/** The number of up to 15 digits between two places. */
function number(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let place = at; place < end; place++) value = value * 10 + ((bytes[place] ?? 0) - 0x30);
  return value;
}

/** How a number of up to 32 bits gets into memory. */
export type StoreNumber = (view: DataView, offset: number, value: number) => void;

/** An integer of up to 32 bits, `min` to `max`. */
export function takeNumber(min: number, max: number, store: StoreNumber): Take {
  return (bytes, at, end, view, offset) => {
    const negative = at < end && bytes[at] === 0x2d;
    let place = negative ? at + 1 : at;
    const first = place;
    const limit = end < first + 11 ? end : first + 11;
    let value = 0;
    while (place < limit) {
      const digit = (bytes[place] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      place++;
    }
    const count = place - first;
    if (count === 0 || count > 10 || (bytes[first] === 0x30 && (count > 1 || negative))) return notPlain;
    if (negative) value = -value;
    if (value < min || value > max) return notPlain;
    store(view, offset, value);
    return place;
  };
}

/** How a number of up to 64 bits gets into memory: halves of its two's complement, each 0 to 2^32 - 1. */
export type StoreHalves = (view: DataView, offset: number, high: number, low: number) => void;

/**
 * An integer of 33 to 64 bits.
 * @param maxHigh most that the upper half of a number may be, its sign aside: `0x7fffffff` for 64 bits with a sign.
 */
export function takeHalves(signed: boolean, maxHigh: number, store: StoreHalves): Take {
  return (bytes, at, end, view, offset) => {
    const negative = signed && at < end && bytes[at] === 0x2d;
    const first = negative ? at + 1 : at;
    const last = endOfDigits(bytes, first, end, 20);
    if (last < 0) return notPlain;
    let high: number;
    let low: number;
    if (last - first <= exactDigits) {
      const value = number(bytes, first, last);
      high = Math.floor(value / 0x1_0000_0000);
      low = value - high * 0x1_0000_0000;
    } else {
      // upper * 10^9 + lower, 16 bits of `upper` at a time.
      const upper = number(bytes, first, last - 9);
      const top = Math.floor(upper / 0x1_0000) * billion;
      const carry = Math.floor(top / 0x1_0000);
      const rest =
        (top - carry * 0x1_0000) * 0x1_0000 + (upper % 0x1_0000) * billion + number(bytes, last - 9, last);
      const over = Math.floor(rest / 0x1_0000_0000);
      high = carry + over;
      low = rest - over * 0x1_0000_0000;
    }
    if (negative) {
      // The most negative number is one further from zero than the most positive.
      if (high > maxHigh && !(high === maxHigh + 1 && low === 0)) return notPlain;
      if (high === 0 && low === 0) return notPlain;
      high = low === 0 ? 0x1_0000_0000 - high : 0xffff_ffff - high;
      low = low === 0 ? 0 : 0x1_0000_0000 - low;
    } else if (high > maxHigh) return notPlain;
    store(view, offset, high, low);
    return last;
  };
}

/** An integer of more than 64 bits, by way of a bigint. */
export function takeHuge(
  width: number,
  signed: boolean,
  store: (view: DataView, offset: number, value: bigint) => void,
): Take {
  const toWidth = signed ? BigInt.asIntN : BigInt.asUintN;
  return (bytes, at, end, view, offset) => {
    const negative = signed && at < end && bytes[at] === 0x2d;
    const first = negative ? at + 1 : at;
    const last = endOfDigits(bytes, first, end, 40);
    if (last < 0 || (negative && bytes[first] === 0x30)) return notPlain;
    let text = '';
    for (let place = at; place < last; place++) text += String.fromCharCode(bytes[place] ?? 0);
    const value = BigInt(text);
    if (toWidth(width, value) !== value) return notPlain;
    store(view, offset, value);
    return last;
  };
}
