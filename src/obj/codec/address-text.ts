/** The text of addresses, MACs and prefixes, the same that `base/address.ts` writes and a part of what it reads. */
import { putByte, putBytes, putGroup, putHexByte, putUint32 } from './digits.js';
import { takeNumber } from './read-digits.js';
import { bareHex, hexByte, hexDigit } from './scalar-text.js';
import { type BareText, notPlain, type Put, type Take } from './text-form.js';

const dot = 0x2e;
const colon = 0x3a;
const slash = 0x2f;

const putIpv4: Put = (view, offset, data, at) => {
  let place = putByte(data, at, view.getUint8(offset));
  for (let index = 1; index < 4; index++) {
    data.setUint8(place, dot);
    place = putByte(data, place + 1, view.getUint8(offset + index));
  }
  return place;
};

const takeIpv4: Take = (bytes, at, end, view, offset) => {
  let place = at;
  for (let part = 0; part < 4; part++) {
    if (part > 0) {
      if (place >= end || bytes[place] !== dot) return notPlain;
      place++;
    }
    const start = place;
    const limit = end < start + 3 ? end : start + 3;
    let value = 0;
    while (place < limit) {
      const digit = (bytes[place] ?? 0) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      place++;
    }
    if (place === start || value > 255 || (place > start + 1 && bytes[start] === 0x30)) return notPlain;
    view.setUint8(offset + part, value);
  }
  return place;
};

const mapped = new TextEncoder().encode('::ffff:');

const putIpv6: Put = (view, offset, data, at, out) => {
  const isMapped =
    view.getUint32(offset) === 0 && view.getUint32(offset + 4) === 0 && view.getUint32(offset + 8) === 0xffff;
  if (isMapped) return putIpv4(view, offset + 12, data, putBytes(data, at, mapped), out);
  // The longest run of zero groups, the first of equals, at least two.
  let runStart = 8;
  let runLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && view.getUint16(offset + end * 2) === 0) end++;
    if (end - start > runLength) {
      runStart = start;
      runLength = end - start;
    }
    if (end > start) start = end;
  }
  let place = at;
  for (let group = 0; group < 8; ) {
    if (group === runStart) {
      data.setUint8(place++, colon);
      data.setUint8(place++, colon);
      group += runLength;
      continue;
    }
    if (group > 0 && group !== runStart + runLength) data.setUint8(place++, colon);
    place = putGroup(data, place, view.getUint16(offset + group * 2));
    group++;
  }
  return place;
};

/** Groups of hex digits, `::` once at most; a dotted quad at the end is left to the slow way. */
const takeIpv6: Take = (bytes, at, end, view, offset) => {
  let place = at;
  let groups = 0;
  /** Groups before `::`. */
  let head = -1;
  while (groups < 8) {
    const isColon = place < end && bytes[place] === colon;
    if (isColon && place + 1 < end && bytes[place + 1] === colon) {
      if (head >= 0) return notPlain;
      head = groups;
      place += 2;
      if (place >= end || hexDigit(bytes[place]) > 15) break;
    } else if (groups > 0) {
      if (!isColon) break;
      place++;
    }
    const start = place;
    const limit = end < start + 4 ? end : start + 4;
    let value = 0;
    while (place < limit) {
      const digit = hexDigit(bytes[place]);
      if (digit > 15) break;
      value = (value << 4) | digit;
      place++;
    }
    if (place === start) return notPlain;
    view.setUint16(offset + groups * 2, value);
    groups++;
  }
  if (head < 0 ? groups !== 8 : groups > 7) return notPlain;
  if (place < end && (bytes[place] === colon || bytes[place] === dot)) return notPlain;
  if (head >= 0) spread(view, offset, head, groups);
  return place;
};

/** Moves the groups behind `::` to the end and puts zeros between. */
function spread(view: DataView, offset: number, head: number, groups: number): void {
  const tail = groups - head;
  for (let index = tail - 1; index >= 0; index--) {
    const group = view.getUint16(offset + (head + index) * 2);
    view.setUint16(offset + (8 - tail + index) * 2, group);
  }
  for (let index = head; index < 8 - tail; index++) view.setUint16(offset + index * 2, 0);
}

const putMac: Put = (view, offset, data, at) => {
  let place = putHexByte(data, at, view.getUint8(offset));
  for (let index = 1; index < 6; index++) {
    data.setUint8(place, colon);
    place = putHexByte(data, place + 1, view.getUint8(offset + index));
  }
  return place;
};

const takeMac: Take = (bytes, at, end, view, offset) => {
  if (at + 17 > end) return notPlain;
  for (let index = 0; index < 6; index++) {
    const place = at + index * 3;
    const value = hexByte(bytes, place);
    if (value < 0 || (index < 5 && bytes[place + 2] !== colon)) return notPlain;
    view.setUint8(offset + index, value);
  }
  return at + 17;
};

const bareTexts: Readonly<Record<'ipv4' | 'ipv6' | 'mac', BareText>> = {
  ipv4: { limit: 15, put: putIpv4, take: takeIpv4 },
  ipv6: { limit: 39, put: putIpv6, take: takeIpv6 },
  mac: { limit: 17, put: putMac, take: takeMac },
};

/** `10.0.0.1`, `2001:db8::1`, `02:00:00:00:00:01` */
export function bareAddress(kind: 'ipv4' | 'ipv6' | 'mac'): BareText {
  return bareTexts[kind];
}

/**
 * `10.0.0.0/8`: a length and an address behind it in memory, the other way round in text.
 * @param width bytes of the address: 4 and 16 are IP, others `hex:…`.
 */
export function barePrefix(width: number, littleEndian: boolean): BareText {
  const address = width === 4 ? bareTexts.ipv4 : width === 16 ? bareTexts.ipv6 : bareHex(width);
  const putAddress = address.put;
  const takeAddress = address.take;
  const takeLength = takeNumber(0, width * 8, (view, offset, value) =>
    view.setUint32(offset, value, littleEndian),
  );
  return {
    limit: address.limit + 11,
    put: (view, offset, data, at, out) => {
      const place = putAddress(view, offset + 4, data, at, out);
      data.setUint8(place, slash);
      return putUint32(data, place + 1, view.getUint32(offset, littleEndian));
    },
    take: (bytes, at, end, view, offset, source) => {
      const place = takeAddress(bytes, at, end, view, offset + 4, source);
      if (place < 0 || place >= end || bytes[place] !== slash) return notPlain;
      const next = takeLength(bytes, place + 1, end, view, offset, source);
      if (next < 0 || hasHostBits(view, offset + 4, width, view.getUint32(offset, littleEndian)))
        return notPlain;
      return next;
    },
  };
}

function hasHostBits(view: DataView, offset: number, width: number, length: number): boolean {
  let index = length >> 3;
  if ((length & 7) !== 0) {
    if ((view.getUint8(offset + index) & (0xff >> (length & 7))) !== 0) return true;
    index++;
  }
  for (; index < width; index++) if (view.getUint8(offset + index) !== 0) return true;
  return false;
}
