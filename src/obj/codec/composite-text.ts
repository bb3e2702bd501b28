/** The text of structs, unions and arrays. */

import { quoteInPlace, utf8Bytes } from './csv-field.js';
import { putByte } from './digits.js';
import { type FixedText, fixedSlack, fixedText, putFixed, takeFixed } from './fixed-text.js';
import { takeNumber } from './read-digits.js';
import {
  endOfField,
  notPlain,
  type Put,
  skipSpace,
  type Take,
  type TextForm,
  takeBytes,
} from './text-form.js';
import type { Form, ShownMember } from './value.js';

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const space = 0x20;

interface TextMember {
  /** `{"saddr":` of the first, `,"daddr":` of the others. */
  readonly prefix: Uint8Array;
  readonly fixed: FixedText;
  readonly offset: number;
  readonly put: Put;
  readonly take: Take;
}

/** A struct, union or data section: an object of the members that are shown. */
export function membersText(shown: readonly ShownMember[]): TextForm {
  const members = shown.map(({ name, offset, form }, index): TextMember => {
    const prefix = utf8Bytes(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
    return { prefix, fixed: fixedText(prefix), offset, put: form.text.putJson, take: form.text.takeJson };
  });
  const limit = shown.reduce(
    (sum, { form }, index) => sum + form.text.jsonLimit + (members[index]?.prefix.length ?? 0),
    2 + fixedSlack,
  );
  const put: Put = (view, offset, data, at, out) => {
    let place = at;
    for (const member of members) {
      place = putFixed(data, place, member.fixed);
      place = member.put(view, offset + member.offset, data, place, out);
    }
    data.setUint8(place, closeBrace);
    return place + 1;
  };
  const take: Take = (bytes, at, end, view, offset, source) => {
    let place = at;
    for (const { prefix, fixed, offset: within, take } of members) {
      const start = takeFixed(source.data, place, end, fixed);
      place = start < 0 ? takeSpacedPrefix(bytes, place, end, prefix) : start;
      if (place < 0) return notPlain;
      if ((bytes[place] ?? 0) <= space) place = skipSpace(bytes, place, end);
      place = take(bytes, place, end, view, offset + within, source);
      if (place < 0) return notPlain;
    }
    if ((bytes[place] ?? 0) <= space) place = skipSpace(bytes, place, end);
    return place < end && bytes[place] === closeBrace ? place + 1 : notPlain;
  };
  return jsonText(limit, members.length === 0 ? putEmpty : put, members.length === 0 ? takeEmpty : take);
}

/** `, "daddr" :` */
function takeSpacedPrefix(bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): number {
  let place = skipSpace(bytes, at, end);
  if (place >= end || bytes[place] !== prefix[0]) return notPlain;
  place = skipSpace(bytes, place + 1, end);
  place = takeBytes(bytes, place, end, prefix.subarray(1, -1));
  if (place < 0) return notPlain;
  place = skipSpace(bytes, place, end);
  return place < end && bytes[place] === colon ? place + 1 : notPlain;
}

const putEmpty: Put = (_view, _offset, data, at) => {
  data.setUint8(at, openBrace);
  data.setUint8(at + 1, closeBrace);
  return at + 2;
};

const takeEmpty: Take = (bytes, at, end) => {
  if (at >= end || bytes[at] !== openBrace) return notPlain;
  const place = skipSpace(bytes, at + 1, end);
  return place < end && bytes[place] === closeBrace ? place + 1 : notPlain;
};

/** An array of `count` elements. Fewer are read too; the rest stays zero. */
export function elementsText({ text, size: step, access }: Form, count: number): TextForm {
  const putElement = access?.get === 'getUint8' ? putOneByte : text.putJson;
  const takeElement = access?.get === 'getUint8' ? takeOneByte : text.takeJson;
  const put: Put = (view, offset, data, at, out) => {
    let place = at;
    data.setUint8(place++, openBracket);
    for (let index = 0; index < count; index++) {
      if (index > 0) data.setUint8(place++, comma);
      place = putElement(view, offset + index * step, data, place, out);
    }
    data.setUint8(place, closeBracket);
    return place + 1;
  };
  const take: Take = (bytes, at, end, view, offset, source) => {
    if (at >= end || bytes[at] !== openBracket) return notPlain;
    let place = at + 1;
    for (let index = 0; ; index++) {
      if ((bytes[place] ?? 0) <= space) place = skipSpace(bytes, place, end);
      if (index === 0 && place < end && bytes[place] === closeBracket) return place + 1;
      if (index === count) return notPlain;
      place = takeElement(bytes, place, end, view, offset + index * step, source);
      if (place < 0) return notPlain;
      if ((bytes[place] ?? 0) <= space) place = skipSpace(bytes, place, end);
      if (place >= end) return notPlain;
      if (bytes[place] === closeBracket) return place + 1;
      if (bytes[place] !== comma) return notPlain;
      place++;
    }
  };
  return jsonText(count * (text.jsonLimit + 1) + 2, put, take);
}

/** Padding is an array of bytes more often than not: no calls through several functions for that. */
const putOneByte: Put = (view, offset, data, at) => putByte(data, at, view.getUint8(offset));
const takeOneByte: Take = takeNumber(0, 255, (view, offset, value) => view.setUint8(offset, value));

/** What is JSON in CSV too: one field. */
function jsonText(limit: number, put: Put, take: Take): TextForm {
  return {
    jsonLimit: limit,
    putJson: put,
    takeJson: take,
    csvLimit: limit * 2 + 2,
    putCsv: (view, offset, data, at, out) => {
      const end = put(view, offset, data, at, out);
      return isPlainField(out.bytes, at, end) ? end : quoteInPlace(out.bytes, at, end);
    },
    takeCsv: (bytes, at, end, view, offset, source) => {
      const isQuoted = at < end && bytes[at] === quote;
      const start = isQuoted ? at + 1 : at;
      const next = take(bytes, start, end, view, offset, source);
      if (next < 0) return notPlain;
      if (!isQuoted) return isPlainField(bytes, start, next) ? endOfField(bytes, next, end) : notPlain;
      // A quote within would be half of a doubled one.
      if (next >= end || bytes[next] !== quote || holds(bytes, start, next, quote)) return notPlain;
      return endOfField(bytes, next + 1, end);
    },
  };
}

function isPlainField(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === comma || byte === quote || byte === 0x0a || byte === 0x0d) return false;
  }
  return true;
}

function holds(bytes: Uint8Array, start: number, end: number, byte: number): boolean {
  const found = bytes.indexOf(byte, start);
  return found >= 0 && found < end;
}
