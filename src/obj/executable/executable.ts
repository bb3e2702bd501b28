/** Executables and shared libraries, as far as probes need them: where in the file an address or a function is. */
import { ByteReader } from '../../base/bytes.js';
import { NetkitError } from '../../base/errors.js';

/** A part of the file that is mapped into memory (`PT_LOAD`). */
export interface LoadedSegment {
  readonly offset: number;
  readonly address: number;
  /** Bytes that come from the file. */
  readonly size: number;
  readonly executable: boolean;
}

/** One section of the file. */
export interface ExecutableSection {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** A 64-bit ELF executable or shared library, of either byte order. */
export interface Executable {
  readonly reader: ByteReader;
  /** `e_machine`: 62 for x86-64, 183 for arm64. */
  readonly machine: number;
  readonly segments: readonly LoadedSegment[];
  readonly sections: readonly ExecutableSection[];
}

const executableType = 2;
const sharedType = 3;
const loadSegment = 1;
const segmentExecutable = 1;
const symbolTable = 2;
const noBits = 8;
const dynamicSymbolTable = 11;
const symbolSize = 24;
const sectionHeaderSize = 64;
const programHeaderSize = 56;
const functionSymbol = 2;
const indirectFunctionSymbol = 10;

/** @throws NetkitError `bad-object` when it is no such file, or damaged */
export function readExecutable(bytes: Uint8Array, path: string): Executable {
  const bad = (problem: string) => new NetkitError('bad-object', `${path}: ${problem}`);
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46)
    throw bad('not an ELF file, so no program or library');
  if (bytes[4] !== 2) throw bad('not a 64-bit program or library');
  const reader = new ByteReader(bytes, { littleEndian: bytes[5] === 1, what: path }).seek(16);
  const type = reader.u16();
  const machine = reader.u16();
  if (type !== executableType && type !== sharedType) throw bad('neither a program nor a shared library');
  const programTable = reader.seek(32).size64();
  const sectionTable = reader.size64();
  reader.seek(56);
  const programCount = reader.u16();
  reader.skip(2);
  const sectionCount = reader.u16();
  const nameTable = reader.u16();
  const segments: LoadedSegment[] = [];
  for (let index = 0; index < programCount; index++) {
    const header = reader.at(programTable + index * programHeaderSize);
    const kind = header.u32();
    const flags = header.u32();
    const offset = header.size64();
    const address = header.size64();
    header.skip(8);
    const size = header.size64();
    if (kind === loadSegment)
      segments.push({ offset, address, size, executable: (flags & segmentExecutable) !== 0 });
  }
  return { reader, machine, segments, sections: readSections(reader, sectionTable, sectionCount, nameTable) };
}

function readSections(
  reader: ByteReader,
  table: number,
  count: number,
  nameTable: number,
): ExecutableSection[] {
  if (table === 0) return [];
  const raw = Array.from({ length: count }, (_, index) => {
    const header = reader.at(table + index * sectionHeaderSize);
    const nameAt = header.u32();
    const type = header.u32();
    header.skip(8);
    const address = header.size64();
    const offset = header.size64();
    const size = header.size64();
    return { nameAt, type, address, offset, size, link: header.u32() };
  });
  const names = raw[nameTable];
  return raw.map(({ nameAt, ...section }) => ({
    ...section,
    name: names === undefined ? '' : reader.at(names.offset + nameAt).cString(),
  }));
}

/** Where in the file the byte at an address is; undefined when none of the file is there. */
export function fileOffset({ segments }: Executable, address: number): number | undefined {
  const segment = segments.find((each) => address >= each.address && address < each.address + each.size);
  return segment === undefined ? undefined : address - segment.address + segment.offset;
}

/** Whether an offset of the file holds instructions. */
export function isCode({ segments }: Executable, offset: number): boolean {
  return segments.some(
    (each) => each.executable && offset >= each.offset && offset < each.offset + each.size,
  );
}

/** The offsets in the file of all functions with a name; several when a library keeps older versions of one. */
export function functionOffsets(executable: Executable, name: string): number[] {
  const wanted = Buffer.from(name, 'utf8');
  const found = new Set<number>();
  for (const section of executable.sections) {
    if (section.type !== symbolTable && section.type !== dynamicSymbolTable) continue;
    for (const address of addressesOf(executable, section, wanted)) {
      const offset = fileOffset(executable, address);
      if (offset !== undefined) found.add(offset);
    }
  }
  return [...found];
}

function* addressesOf(
  { reader, sections }: Executable,
  table: ExecutableSection,
  wanted: Uint8Array,
): Generator<number> {
  const names = sections[table.link];
  if (names === undefined || names.type === noBits) return;
  const texts = reader.slice(names.offset, names.size);
  const symbols = reader.slice(table.offset, table.size);
  for (let at = 0; at + symbolSize <= table.size; at += symbolSize) {
    const nameAt = symbols.seek(at).u32();
    const type = symbols.u8() & 0xf;
    symbols.skip(1);
    const section = symbols.u16();
    if ((type !== functionSymbol && type !== indirectFunctionSymbol) || section === 0) continue;
    const end = nameAt + wanted.length;
    if (end >= names.size) continue;
    const text = texts.seek(nameAt).bytes(wanted.length + 1);
    if (text[wanted.length] === 0 && Buffer.compare(text.subarray(0, wanted.length), wanted) === 0)
      yield symbols.size64();
  }
}

/** The contents of the first section with a name; undefined without one in the file. */
export function sectionNamed({ sections }: Executable, name: string): ExecutableSection | undefined {
  return sections.find((section) => section.name === name && section.type !== noBits);
}
