import { hostIsLittleEndian } from '../../base/byte-order.js';
import { ByteReader } from '../../base/bytes.js';
import { badBtf, headerSize, magic, version } from './format.js';

/** The two sections of a BTF blob, copied out of it. */
export interface BtfSections {
  readonly littleEndian: boolean;
  /** Type records: BTF keeps nothing but 32-bit words there, here in this machine's byte order. */
  readonly words: Uint32Array;
  readonly strings: Uint8Array;
}

/** Little endian or not, by the magic number. */
export function byteOrder(bytes: Uint8Array, what: string): boolean {
  const found = new ByteReader(bytes, { what }).u16();
  if (found === magic) {
    return true;
  }
  if (found === (((magic & 0xff) << 8) | (magic >> 8))) {
    return false;
  }
  throw new ByteReader(bytes, { what }).error(
    `the magic number is 0x${found.toString(16)}, not 0x${magic.toString(16)}`,
  );
}

/**
 * Reads the header and cuts out the sections. A header longer than the one known here is accepted, as the format means
 * it to be.
 * @throws NetkitError `bad-object`
 */
export function readSections(bytes: Uint8Array, isSplit: boolean): BtfSections {
  const littleEndian = byteOrder(bytes, 'BTF');
  const header = new ByteReader(bytes, { littleEndian, what: 'BTF' }).skip(2);
  const foundVersion = header.u8();
  if (foundVersion !== version) {
    throw badBtf(`version ${foundVersion} is not known`);
  }
  const flags = header.u8();
  if (flags !== 0) {
    throw badBtf(`the flags 0x${flags.toString(16)} are not known`);
  }
  const headerLength = header.u32();
  if (headerLength < headerSize || headerLength > bytes.length) {
    throw badBtf(`a header of ${headerLength} bytes is not possible`);
  }
  const [typeOffset, typeLength, stringOffset, stringLength] = [
    header.u32(),
    header.u32(),
    header.u32(),
    header.u32(),
  ];
  if (typeOffset % 4 !== 0 || typeLength % 4 !== 0) {
    throw badBtf('the type section is not aligned to four bytes');
  }
  const types = header.slice(headerLength + typeOffset, typeLength).bytes(typeLength);
  const strings = header.slice(headerLength + stringOffset, stringLength).bytes(stringLength);
  checkStrings(strings, isSplit);
  return { littleEndian, words: toWords(types, littleEndian), strings: strings.slice() };
}

function checkStrings(strings: Uint8Array, isSplit: boolean): void {
  if (strings.length === 0) {
    if (!isSplit) {
      throw badBtf('there is no string section');
    }
    return;
  }
  // The first string of split BTF continues the base's section, so only a base begins with the empty string.
  if (!isSplit && strings[0] !== 0) {
    throw badBtf('the string section does not begin with the empty string');
  }
  if (strings[strings.length - 1] !== 0) {
    throw badBtf('the last string has no end');
  }
}

function toWords(section: Uint8Array, littleEndian: boolean): Uint32Array {
  // A copy begins at an aligned address, which the section need not, and later changes to the input do not reach it.
  const copy = new Uint8Array(section);
  const words = new Uint32Array(copy.buffer, 0, copy.length / 4);
  if (littleEndian !== hostIsLittleEndian) {
    const view = new DataView(copy.buffer);
    for (let at = 0; at < words.length; at++) {
      words[at] = view.getUint32(at * 4, littleEndian);
    }
  }
  return words;
}
