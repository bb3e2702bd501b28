/** The text side of a form: straight between bytes and text, with no values in between. */

import type { TextSink } from './text-sink.js';
import type { TextSource } from './text-source.js';

/**
 * Writes the text of the value at `offset` to `at`, where there is room, and gives the place behind it. Never throws.
 * @param data that of `out`
 */
export type Put = (view: DataView, offset: number, data: DataView, at: number, out: TextSink) => number;

/**
 * Reads text between `at` and `end` into the bytes at `offset`, which are zero before, and gives the place behind it;
 * `notPlain` where the text is wrong or in another form than `Put` writes. What it accepts, `Form.write` accepts too and
 * writes the same bytes.
 * @param bytes those of `source`
 */
export type Take = (
  bytes: Uint8Array,
  at: number,
  end: number,
  view: DataView,
  offset: number,
  source: TextSource,
) => number;

/** What a `Take` gives for text that it leaves to the slow way. */
export const notPlain = -1;

export interface TextForm {
  /** Most bytes that `putJson` writes. */
  readonly jsonLimit: number;
  readonly putJson: Put;
  readonly takeJson: Take;
  /** Most bytes that `putCsv` writes. */
  readonly csvLimit: number;
  readonly putCsv: Put;
  /** Reads a whole field: behind it is a comma, a line end or the end. */
  readonly takeCsv: Take;
}

/** The text of a leaf as it is without quotes. */
export interface BareText {
  readonly limit: number;
  readonly put: Put;
  readonly take: Take;
}

const comma = 0x2c;
const quote = 0x22;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Bytes that may follow a number in JSON. */
const afterNumber = new Uint8Array(256);
for (const character of ',}] \n\r\t') afterNumber[character.charCodeAt(0)] = 1;

/** `at`, unless what stands there belongs to the number before it. */
function endOfNumber(bytes: Uint8Array, at: number, end: number): number {
  return at >= end || afterNumber[bytes[at] ?? 0] === 1 ? at : notPlain;
}

/** `at`, unless a CSV field goes on there. */
export function endOfField(bytes: Uint8Array, at: number, end: number): number {
  if (at >= end) return at;
  const next = bytes[at];
  return next === comma || next === lineFeed || next === carriageReturn ? at : notPlain;
}

function takeField(take: Take): Take {
  return (bytes, at, end, view, offset, source) => {
    const next = take(bytes, at, end, view, offset, source);
    return next < 0 ? notPlain : endOfField(bytes, next, end);
  };
}

/** Numbers, true and false: the same in JSON and CSV. */
export function plainText({ limit, put, take }: BareText): TextForm {
  return {
    jsonLimit: limit,
    putJson: put,
    takeJson: (bytes, at, end, view, offset, source) => {
      const next = take(bytes, at, end, view, offset, source);
      return next < 0 ? notPlain : endOfNumber(bytes, next, end);
    },
    csvLimit: limit,
    putCsv: put,
    takeCsv: takeField(take),
  };
}

/** Integers of more than 32 bits: numbers in JSON, or in double quotes where these are asked for; both are read. */
export function wideText({ limit, put, take }: BareText): TextForm {
  const quoted = quotedText({ limit, put, take });
  const plain = plainText({ limit, put, take });
  const putQuoted = quoted.putJson;
  const takeQuoted = quoted.takeJson;
  const takePlain = plain.takeJson;
  return {
    jsonLimit: limit + 2,
    putJson: (view, offset, data, at, out) =>
      out.wideAsText ? putQuoted(view, offset, data, at, out) : put(view, offset, data, at, out),
    takeJson: (bytes, at, end, view, offset, source) =>
      at < end && bytes[at] === quote
        ? takeQuoted(bytes, at, end, view, offset, source)
        : takePlain(bytes, at, end, view, offset, source),
    csvLimit: limit,
    putCsv: put,
    takeCsv: plain.takeCsv,
  };
}

/** Text that never needs an escape: in double quotes in JSON, as it is in CSV. */
export function quotedText({ limit, put, take }: BareText): TextForm {
  return {
    jsonLimit: limit + 2,
    putJson: (view, offset, data, at, out) => {
      data.setUint8(at, quote);
      const end = put(view, offset, data, at + 1, out);
      data.setUint8(end, quote);
      return end + 1;
    },
    takeJson: (bytes, at, end, view, offset, source) => {
      if (at >= end || bytes[at] !== quote) return notPlain;
      const next = take(bytes, at + 1, end, view, offset, source);
      return next < 0 || next >= end || bytes[next] !== quote ? notPlain : next + 1;
    },
    csvLimit: limit,
    putCsv: put,
    takeCsv: takeField(take),
  };
}

/** The place behind white space as JSON has it. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let place = at;
  while (place < end) {
    const next = bytes[place];
    if (next !== 0x20 && next !== lineFeed && next !== carriageReturn && next !== 0x09) return place;
    place++;
  }
  return place;
}

/** The place behind `text`, if it stands at `at`. */
export function takeBytes(bytes: Uint8Array, at: number, end: number, text: Uint8Array): number {
  const next = at + text.length;
  if (next > end) return notPlain;
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text[index]) return notPlain;
  }
  return next;
}
