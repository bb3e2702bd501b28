import { ByteReader } from '../base/bytes.js';
import { NetkitError } from '../base/errors.js';

/** Section types (`sh_type`) that matter here. */
export const sectionTypes = {
  programBits: 1,
  symbolTable: 2,
  stringTable: 3,
  rela: 4,
  noBits: 8,
  rel: 9,
} as const;
/** Section flags (`sh_flags`). */
export const sectionFlags = { write: 1n, allocated: 2n, executable: 4n } as const;
/** Symbol types (the low half of `st_info`). */
export const symbolTypes = { none: 0, object: 1, function: 2, section: 3 } as const;
/** Symbol bindings (the high half of `st_info`). */
export const symbolBindings = { local: 0, global: 1, weak: 2 } as const;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: bigint;
  /** In the file; meaningless for `.bss`, which takes no room there. */
  readonly offset: number;
  readonly size: number;
  /** Index of the section this one refers to, such as the string table of a symbol table. */
  readonly link: number;
  /** For relocations: index of the section they apply to. */
  readonly info: number;
  /** The contents, sharing memory with the file; empty for sections without contents in the file. */
  readonly data: Uint8Array;
}

export interface ElfSymbol {
  readonly name: string;
  /** Index of the section it lives in; 0 when undefined here, above 0xfeff for special meanings. */
  readonly section: number;
  /** In a relocatable object: offset from the start of its section. */
  readonly value: number;
  readonly size: number;
  readonly type: number;
  readonly binding: number;
}

export interface ElfRelocation {
  /** Offset of the place, from the start of the section it applies to. */
  readonly offset: number;
  readonly symbol: ElfSymbol;
  readonly type: number;
}

/** A relocatable eBPF object as a linker sees it. */
export interface ElfFile {
  readonly littleEndian: boolean;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** The first section with this name. */
  section(name: string): ElfSection | undefined;
  /** The symbols that live in a section, in the order of the file. */
  symbolsIn(section: ElfSection): readonly ElfSymbol[];
  /** The relocations that apply to a section, in the order of the file. @throws NetkitError `bad-object` */
  relocations(target: ElfSection): ElfRelocation[];
}

const machines: Readonly<Record<number, string>> = {
  3: 'x86',
  8: 'MIPS',
  20: 'PowerPC',
  21: '64-bit PowerPC',
  22: 's390',
  40: 'Arm',
  62: 'x86-64',
  183: 'arm64',
  243: 'RISC-V',
  258: 'LoongArch',
};
const fileTypes: Readonly<Record<number, string>> = {
  2: 'an executable',
  3: 'a shared library',
  4: 'a core dump',
};

const bpfMachine = 247;
const headerSize = 64;
const sectionHeaderSize = 64;
const symbolSize = 24;

/**
 * Reads a 64-bit relocatable ELF object made for eBPF, of either byte order. Names and contents share memory with
 * `bytes`; nothing is allocated that is larger than the file.
 * @throws NetkitError `bad-object` with what is wrong, when it is no such object or is damaged
 */
export function readElf(bytes: Uint8Array): ElfFile {
  const header = readHeader(bytes);
  const sections = readSections(bytes, header);
  const table = sections.find((section) => section.type === sectionTypes.symbolTable);
  const symbols = table === undefined ? [] : readSymbols(table, sections, header.littleEndian);
  const byName = new Map<string, ElfSection>();
  for (const section of sections) if (!byName.has(section.name)) byName.set(section.name, section);
  const bySection = new Map<number, ElfSymbol[]>();
  for (const symbol of symbols) {
    const neighbours = bySection.get(symbol.section);
    if (neighbours) neighbours.push(symbol);
    else bySection.set(symbol.section, [symbol]);
  }
  return {
    littleEndian: header.littleEndian,
    sections,
    symbols,
    section: (name) => byName.get(name),
    symbolsIn: (section) => bySection.get(section.index) ?? [],
    relocations: (target) =>
      sections.flatMap((section) =>
        section.info === target.index &&
        (section.type === sectionTypes.rel || section.type === sectionTypes.rela)
          ? readRelocations(section, symbols, header.littleEndian)
          : [],
      ),
  };
}

interface Header {
  readonly littleEndian: boolean;
  readonly sectionTable: number;
  readonly sectionCount: number;
  readonly nameTable: number;
}

function readHeader(bytes: Uint8Array): Header {
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (bytes.length === 0) throw bad('the file is empty');
  if (magic.some((byte, at) => at < bytes.length && bytes[at] !== byte)) throw bad('not an ELF file');
  if (bytes.length < headerSize) {
    throw bad(`ELF file is cut short: its header takes ${headerSize} bytes of ${bytes.length}`);
  }
  if (bytes[4] === 1) throw bad('a 32-bit ELF file; eBPF objects are 64-bit');
  if (bytes[4] !== 2) throw bad(`not an ELF file: its class is ${bytes[4]}, neither 32- nor 64-bit`);
  if (bytes[5] !== 1 && bytes[5] !== 2) throw bad(`not an ELF file: its byte order is ${bytes[5]}`);
  const littleEndian = bytes[5] === 1;
  const reader = new ByteReader(bytes, { littleEndian, what: 'ELF file' }).seek(16);
  const type = reader.u16();
  const machine = reader.u16();
  // The first versions of clang that knew eBPF wrote 0.
  if (machine !== bpfMachine && machine !== 0) {
    throw bad(`an object for another machine: ${machines[machine] ?? `number ${machine}`}, not eBPF`);
  }
  if (type !== 1) throw bad(`${fileTypes[type] ?? `an ELF file of type ${type}`}, not a relocatable object`);
  const sectionTable = reader.seek(40).size64();
  reader.seek(58);
  const entrySize = reader.u16();
  let sectionCount = reader.u16();
  let nameTable = reader.u16();
  if (sectionTable === 0) throw bad('ELF file without a section table');
  if (entrySize !== sectionHeaderSize)
    throw bad(`ELF file is damaged: a section header takes ${entrySize} bytes`);
  if (sectionTable + sectionHeaderSize > bytes.length)
    throw cutShort('its section table starts', sectionTable, bytes);
  // Numbers that do not fit 16 bits stand in the first section header.
  const first = reader.at(sectionTable);
  if (sectionCount === 0) sectionCount = first.seek(sectionTable + 32).size64();
  if (nameTable === 0xffff) nameTable = first.seek(sectionTable + 40).u32();
  const end = sectionTable + sectionCount * sectionHeaderSize;
  if (end > bytes.length) throw cutShort('its section table ends', end, bytes);
  if (nameTable >= sectionCount) {
    throw bad(`ELF file is damaged: the names of its ${sectionCount} sections are in section ${nameTable}`);
  }
  return { littleEndian, sectionTable, sectionCount, nameTable };
}

function readSections(bytes: Uint8Array, header: Header): ElfSection[] {
  const reader = new ByteReader(bytes, { littleEndian: header.littleEndian, what: 'ELF file' });
  const raw = Array.from({ length: header.sectionCount }, (_, index) => {
    reader.seek(header.sectionTable + index * sectionHeaderSize);
    const nameOffset = reader.u32();
    const type = reader.u32();
    const flags = reader.u64();
    reader.skip(8);
    const offset = reader.size64();
    const size = reader.size64();
    return { index, nameOffset, type, flags, offset, size, link: reader.u32(), info: reader.u32() };
  });
  const names = raw[header.nameTable];
  if (names === undefined || names.type !== sectionTypes.stringTable) {
    throw bad(`ELF file is damaged: section ${header.nameTable} should hold the section names and does not`);
  }
  const nameBytes = contents(bytes, names, 'its names');
  return raw.map(({ nameOffset, ...section }) => {
    const name = text(nameBytes, nameOffset, `section ${section.index}`);
    return { ...section, name, data: contents(bytes, section, name) };
  });
}

function contents(
  bytes: Uint8Array,
  section: { index: number; type: number; offset: number; size: number },
  name: string,
): Uint8Array {
  if (section.type === sectionTypes.noBits || section.type === 0) return new Uint8Array();
  const end = section.offset + section.size;
  if (end > bytes.length) throw cutShort(`section ${section.index} (${name}) ends`, end, bytes);
  return bytes.subarray(section.offset, end);
}

function readSymbols(table: ElfSection, sections: readonly ElfSection[], littleEndian: boolean): ElfSymbol[] {
  const names = sections[table.link];
  if (names === undefined || names.type !== sectionTypes.stringTable) {
    throw bad(`ELF file is damaged: section ${table.link} should hold the symbol names and does not`);
  }
  const reader = new ByteReader(table.data, { littleEndian, what: 'symbol table' });
  return Array.from({ length: wholeEntries(table, symbolSize) }, (_, index) => {
    reader.seek(index * symbolSize);
    const nameOffset = reader.u32();
    const info = reader.u8();
    reader.skip(1);
    const section = reader.u16();
    const type = info & 0xf;
    const value = reader.size64();
    const size = reader.size64();
    // A section's symbol has no name of its own.
    const name =
      type === symbolTypes.section
        ? (sections[section]?.name ?? '')
        : text(names.data, nameOffset, `symbol ${index}`);
    return { name, section, value, size, type, binding: info >> 4 };
  });
}

function readRelocations(
  table: ElfSection,
  symbols: readonly ElfSymbol[],
  littleEndian: boolean,
): ElfRelocation[] {
  const entrySize = table.type === sectionTypes.rela ? 24 : 16;
  const reader = new ByteReader(table.data, { littleEndian, what: `relocations ${table.name}` });
  return Array.from({ length: wholeEntries(table, entrySize) }, (_, index) => {
    const offset = reader.seek(index * entrySize).size64();
    // One 64-bit number: the type below, the symbol above.
    const info = reader.u64();
    const symbolIndex = Number(info >> 32n);
    const symbol = symbols[symbolIndex];
    if (symbol === undefined) {
      throw bad(
        `ELF file is damaged: relocation ${index} of ${table.name} names symbol ${symbolIndex} of ${symbols.length}`,
      );
    }
    return { offset, symbol, type: Number(info & 0xffffffffn) };
  });
}

function wholeEntries(table: ElfSection, size: number): number {
  if (table.data.length % size !== 0) {
    throw bad(`ELF file is damaged: ${table.name} takes ${table.data.length} bytes, no multiple of ${size}`);
  }
  return table.data.length / size;
}

const utf8 = new TextDecoder();
/** What would act on a terminal, or break an error's line in two; no compiler writes it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu;
// Far beyond what a compiler writes; without a limit, many names that overlap in a damaged file would add up.
const longestName = 512;

/** The text up to a NUL byte, with U+FFFD for what is no text. */
export function plainText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8.decode(end < 0 ? bytes : bytes.subarray(0, end)).replace(control, '\ufffd');
}

function text(names: Uint8Array, offset: number, whose: string): string {
  if (offset === 0 && names.length === 0) return '';
  if (offset >= names.length) {
    throw bad(
      `ELF file is damaged: the name of ${whose} is at byte ${offset} of ${names.length} bytes of names`,
    );
  }
  const window = names.subarray(offset, offset + longestName);
  if (!window.includes(0)) throw bad(`ELF file is damaged: the name of ${whose} has no end`);
  return plainText(window);
}

function cutShort(what: string, end: number, bytes: Uint8Array): NetkitError {
  return bad(`ELF file is cut short: ${what} at byte ${end} of ${bytes.length}`);
}

function bad(message: string): NetkitError {
  return new NetkitError('bad-object', message);
}
