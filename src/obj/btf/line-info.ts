import { hostIsLittleEndian } from '../../base/byte-order.js';
import { ByteReader } from '../../base/bytes.js';
import { badBtf } from './format.js';
import { byteOrder, readSections } from './sections.js';
import { BtfStrings } from './strings.js';

/** Which line of source an instruction comes from. It holds until the next entry. */
export interface LineInfo {
  /** Index of the instruction, counted in units of 8 bytes from the start of the section. */
  readonly instruction: number;
  readonly file: string;
  /** From 1; 0 when the compiler made the instruction up. */
  readonly line: number;
  /** From 1; 0 when not known. */
  readonly column: number;
  /** The line's text, empty when the compiler did not have it. */
  readonly source: string;
}

const instructionSize = 8;
const headerSize = 24;
const versionKnown = 1;
/** Bytes of a line record in the first version of the format. */
const smallestRecord = 16;

/**
 * Line information of an object file, by name of the section that the instructions are in, in the order of the file.
 *
 * @param ext the `.BTF.ext` section
 * @param btfBytes the `.BTF` section, which has the strings
 * @throws NetkitError `bad-object`
 */
export function readLineInfo(ext: Uint8Array, btfBytes: Uint8Array): Map<string, LineInfo[]> {
  const strings = new BtfStrings(readSections(btfBytes, false).strings);
  const bySection = new Map<string, LineInfo[]>();
  const body = linesOf(ext);
  if (body === undefined) {
    return bySection;
  }
  // Records may grow in a later version: they begin with their size.
  const recordSize = body.u32();
  if (recordSize < smallestRecord || recordSize % 4 !== 0) {
    throw body.error(`records of ${recordSize} bytes are not possible`);
  }
  while (body.remaining > 0) {
    const section = strings.at(body.u32());
    const count = body.u32();
    if (count === 0 || count * recordSize > body.remaining) {
      throw body.error(`${count} records for section ${section} are not possible`);
    }
    const lines = bySection.get(section) ?? [];
    bySection.set(section, lines);
    for (let record = 0; record < count; record++) {
      const start = body.position;
      lines.push(readRecord(body, strings));
      body.seek(start + recordSize);
    }
  }
  return bySection;
}

/**
 * Line records as the kernel gives them of a loaded program: without headings, and with the index of the instruction in
 * the whole program.
 * @param btfBytes the program's BTF, which has the strings
 * @throws NetkitError `bad-object`
 */
export function readLoadedLines(records: Uint8Array, recordSize: number, btfBytes: Uint8Array): LineInfo[] {
  const strings = new BtfStrings(readSections(btfBytes, false).strings);
  const reader = new ByteReader(records, { littleEndian: hostIsLittleEndian, what: 'line records' });
  const lines: LineInfo[] = [];
  for (let at = 0; at + smallestRecord <= records.length && recordSize > 0; at += recordSize) {
    const instruction = reader.seek(at).u32();
    lines.push({ instruction, ...readPlace(reader, strings) });
  }
  return lines;
}

function readRecord(record: ByteReader, strings: BtfStrings): LineInfo {
  const offset = record.u32();
  if (offset % instructionSize !== 0) {
    throw record.error(`the offset ${offset} is not that of an instruction`);
  }
  return { instruction: offset / instructionSize, ...readPlace(record, strings) };
}

function readPlace(record: ByteReader, strings: BtfStrings): Omit<LineInfo, 'instruction'> {
  const file = strings.at(record.u32());
  const source = strings.at(record.u32());
  const place = record.u32();
  return { file, line: place >>> 10, column: place & 0x3ff, source };
}

/** The subsection about lines, which comes after the one about functions. */
function linesOf(ext: Uint8Array): ByteReader | undefined {
  const what = 'BTF.ext';
  const header = new ByteReader(ext, { littleEndian: byteOrder(ext, what), what }).skip(2);
  const version = header.u8();
  const flags = header.u8();
  if (version !== versionKnown || flags !== 0) {
    throw header.error(`version ${version} with flags 0x${flags.toString(16)} is not known`);
  }
  const headerLength = header.u32();
  if (headerLength < headerSize || headerLength > ext.length) {
    throw badBtf(`a .BTF.ext header of ${headerLength} bytes is not possible`);
  }
  const functionsPlace = 8;
  header.skip(functionsPlace);
  const offset = header.u32();
  const length = header.u32();
  return length === 0 ? undefined : header.slice(headerLength + offset, length);
}
