/** The text of integers of any storage, without a bigint where 64 bits are enough. */
import { putAscii, putInt32, putInt64, putUint32, putUint64 } from './digits.js';
import type { HalvesStorage, IntegerStorage, NarrowStorage } from './integer.js';
import { takeHalves, takeHuge, takeNumber } from './read-digits.js';
import { type BareText, plainText, type TextForm, wideText } from './text-form.js';

/** The text of an integer; numbers alone, no names. */
export function integerText(storage: IntegerStorage, signed: boolean): TextForm {
  const bare = bareInteger(storage, signed);
  return storage.width <= 32 ? plainText(bare) : wideText(bare);
}

export function bareInteger(storage: IntegerStorage, signed: boolean): BareText {
  const { width, narrow, halves } = storage;
  if (narrow !== undefined) return narrowText(narrow, width, signed);
  if (halves !== undefined) return halvesText(halves, width, signed);
  const { load, store } = storage;
  return {
    limit: 40,
    put: (view, offset, data, at) => putAscii(data, at, load(view, offset).toString()),
    take: takeHuge(width, signed, store),
  };
}

function narrowText({ load, store }: NarrowStorage, width: number, signed: boolean): BareText {
  const span = 2 ** (width - (signed ? 1 : 0));
  const putNumber = signed ? putInt32 : putUint32;
  return {
    limit: String(span).length + (signed ? 1 : 0),
    put: (view, offset, data, at) => putNumber(data, at, load(view, offset)),
    take: takeNumber(signed ? -span : 0, span - 1, store),
  };
}

function halvesText({ low, high, store }: HalvesStorage, width: number, signed: boolean): BareText {
  const put = signed ? putInt64 : putUint64;
  return {
    limit: 20,
    put: (view, offset, data, at) => put(data, at, high(view, offset), low(view, offset)),
    take: takeHalves(signed, 2 ** (width - 32 - (signed ? 1 : 0)) - 1, store),
  };
}

/**
 * The text of a whole integer of 1, 2, 4 or 8 bytes: a function each, because these are what maps are made of.
 * Other sizes by their storage.
 */
export function wholeIntegerText(
  storage: IntegerStorage,
  size: number,
  signed: boolean,
  le: boolean,
): TextForm {
  const bare = bareInteger(storage, signed);
  switch (signed ? -size : size) {
    case 1:
      return plainText({
        ...bare,
        put: (view, offset, data, at) => putUint32(data, at, view.getUint8(offset)),
      });
    case 2:
      return plainText({
        ...bare,
        put: (view, offset, data, at) => putUint32(data, at, view.getUint16(offset, le)),
      });
    case 4:
      return plainText({
        ...bare,
        put: (view, offset, data, at) => putUint32(data, at, view.getUint32(offset, le)),
      });
    case 8:
      return wideText({
        ...bare,
        put: le
          ? (view, offset, data, at) =>
              putUint64(data, at, view.getUint32(offset + 4, true), view.getUint32(offset, true))
          : (view, offset, data, at) =>
              putUint64(data, at, view.getUint32(offset, false), view.getUint32(offset + 4, false)),
      });
    case -8:
      return wideText({
        ...bare,
        put: le
          ? (view, offset, data, at) =>
              putInt64(data, at, view.getUint32(offset + 4, true), view.getUint32(offset, true))
          : (view, offset, data, at) =>
              putInt64(data, at, view.getUint32(offset, false), view.getUint32(offset + 4, false)),
      });
    default:
      return integerText(storage, signed);
  }
}
