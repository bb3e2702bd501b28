/** Bit fields in memory. */
import type { HalvesStorage, IntegerStorage } from './integer.js';

/** Reads up to 32 bits as an unsigned number. */
type LoadBits = (view: DataView, offset: number) => number;
/** Writes the lowest bits of a number; neighbours in the same bytes keep theirs. */
type StoreBits = (view: DataView, offset: number, value: number) => void;

/**
 * The storage of `width` bits that start `start` (0 to 7) bits into the byte at the offset. As in BTF, bits count from
 * the least significant one of the first byte where memory is little-endian, from the most significant one otherwise.
 * @param width 1 to 128.
 */
export function bitStorage(
  start: number,
  width: number,
  signed: boolean,
  littleEndian: boolean,
): IntegerStorage {
  if (width <= 32) {
    const bits = loadBits(start, width, littleEndian);
    const left = 32 - width;
    const load: LoadBits = signed ? (view, offset) => (bits(view, offset) << left) >> left : bits;
    const store = storeBits(start, width, littleEndian);
    return {
      width,
      load,
      store: (view, offset, value) => store(view, offset, Number(BigInt.asUintN(32, value))),
      narrow: { load, store },
    };
  }
  if (width > 64) return hugeStorage(start, width, signed, littleEndian);
  const halves = bitHalves(start, width, signed, littleEndian);
  return {
    width,
    load: (view, offset) => joined(halves.high(view, offset), halves.low(view, offset), signed),
    store: (view, offset, value) =>
      halves.store(view, offset, Number(BigInt.asUintN(32, value >> 32n)), Number(BigInt.asUintN(32, value))),
    halves,
  };
}

function joined(high: number, low: number, signed: boolean): bigint {
  return (BigInt(signed ? high | 0 : high) << 32n) | BigInt(low);
}

function bitHalves(start: number, width: number, signed: boolean, littleEndian: boolean): HalvesStorage {
  const upper = width - 32;
  const lowStart = littleEndian ? start : start + upper;
  const highStart = littleEndian ? start + 32 : start;
  const low = atBit(loadBits, lowStart, 32, littleEndian);
  const highBits = atBit(loadBits, highStart, upper, littleEndian);
  const left = 32 - upper;
  const storeLow = storeBits(lowStart & 7, 32, littleEndian);
  const storeHigh = storeBits(highStart & 7, upper, littleEndian);
  return {
    low,
    high: signed ? (view, offset) => ((highBits(view, offset) << left) >> left) >>> 0 : highBits,
    store: (view, offset, high, low) => {
      storeLow(view, offset + (lowStart >> 3), low);
      storeHigh(view, offset + (highStart >> 3), high);
    },
  };
}

function atBit(make: typeof loadBits, bit: number, width: number, littleEndian: boolean): LoadBits {
  const load = make(bit & 7, width, littleEndian);
  const skip = bit >> 3;
  return skip === 0 ? load : (view, offset) => load(view, offset + skip);
}

/** At most five bytes, which a number holds exactly. */
function loadBits(start: number, width: number, littleEndian: boolean): LoadBits {
  const span = (start + width + 7) >> 3;
  const shift = littleEndian ? start : span * 8 - start - width;
  if (span <= 4) {
    const mask = width === 32 ? 0xffff_ffff : (1 << width) - 1;
    return (view, offset) => {
      let bits = 0;
      for (let index = 0; index < span; index++) {
        bits |= view.getUint8(offset + index) << (littleEndian ? index * 8 : (span - 1 - index) * 8);
      }
      return ((bits >>> shift) & mask) >>> 0;
    };
  }
  const divisor = 2 ** shift;
  const modulus = 2 ** width;
  return (view, offset) => {
    let bits = 0;
    for (let index = 0; index < span; index++) {
      bits = bits * 256 + view.getUint8(offset + (littleEndian ? span - 1 - index : index));
    }
    return Math.floor(bits / divisor) % modulus;
  };
}

function storeBits(start: number, width: number, littleEndian: boolean): StoreBits {
  return (view, offset, value) => {
    let rest = value >>> 0;
    let bit = littleEndian ? start : start + width;
    for (let left = width; left > 0; ) {
      const at = offset + ((littleEndian ? bit : bit - 1) >> 3);
      const room = littleEndian ? 8 - (bit & 7) : ((bit - 1) & 7) + 1;
      const count = left < room ? left : room;
      const shift = littleEndian ? bit & 7 : (8 - (bit & 7)) & 7;
      const mask = ((1 << count) - 1) << shift;
      view.setUint8(at, (view.getUint8(at) & ~mask) | ((rest << shift) & mask));
      rest >>>= count;
      left -= count;
      bit += littleEndian ? count : -count;
    }
  };
}

function hugeStorage(start: number, width: number, signed: boolean, littleEndian: boolean): IntegerStorage {
  const span = (start + width + 7) >> 3;
  const shift = BigInt(littleEndian ? start : span * 8 - start - width);
  const toWidth = signed ? BigInt.asIntN : BigInt.asUintN;
  const mask = ((1n << BigInt(width)) - 1n) << shift;
  const load = (view: DataView, offset: number): bigint => {
    let bits = 0n;
    for (let index = 0; index < span; index++) {
      bits = (bits << 8n) | BigInt(view.getUint8(offset + (littleEndian ? span - 1 - index : index)));
    }
    return bits;
  };
  return {
    width,
    load: (view, offset) => toWidth(width, load(view, offset) >> shift),
    store: (view, offset, value) => {
      let bits = (load(view, offset) & ~mask) | (BigInt.asUintN(width, value) << shift);
      for (let index = 0; index < span; index++) {
        view.setUint8(offset + (littleEndian ? index : span - 1 - index), Number(bits & 0xffn));
        bits >>= 8n;
      }
    },
  };
}
