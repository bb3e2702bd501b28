/** Section names as an older libbpf knows them. */
import { ByteReader } from '../base/bytes.js';
import { NetkitError } from '../base/errors.js';
import { type ElfFile, sectionTypes } from './elf.js';

/**
 * A name that libbpf knows from 1.2 on, and the older one, which says all but what its user then sets by other means. What
 * belongs to data is found by its name, too.
 */
const renames: readonly (readonly [newer: RegExp, older: string])[] = [
  [/^(\.rel)?\.struct_ops\.link$/, '$1.struct_ops'],
  [/^struct_ops\.s(?=\/|$)/, 'struct_ops'],
];

// struct elf64_hdr and elf64_shdr
const sectionTableAt = 40;
const nameTableAt = 62;
const sectionHeaderSize = 64;
const offsetAt = 24;
const sizeAt = 32;

/**
 * A copy of an object with those names, or the object itself when it has none of them. What the newer names said beside is
 * for whoever loads it to set: a link for `.struct_ops.link`, sleeping for `struct_ops.s/`.
 * @throws NetkitError `unsupported` for an object with both forms of one section
 */
export function withOlderNames(bytes: Uint8Array, elf: ElfFile): Uint8Array {
  const found = elf.sections.flatMap(({ index, name, type }) => {
    const isNamed = type === sectionTypes.programBits || type === sectionTypes.rel;
    const older = isNamed ? olderName(name) : undefined;
    return older === undefined ? [] : [{ index, name, older }];
  });
  if (found.length === 0) return bytes;
  const twice = found.find(({ older }) => elf.section(older) !== undefined);
  if (twice !== undefined) {
    throw new NetkitError(
      'unsupported',
      `libbpf 1.1 takes no object with both ${twice.older} and ${twice.name}`,
    );
  }
  const copy = withNameTable(bytes, elf, found);
  const btf = elf.section('.BTF');
  if (btf !== undefined)
    renameInBtf(copy.subarray(btf.offset, btf.offset + btf.size), elf.littleEndian, found);
  return copy;
}

interface Renamed {
  readonly index: number;
  readonly name: string;
  readonly older: string;
}

function olderName(name: string): string | undefined {
  const rename = renames.find(([newer]) => newer.test(name));
  return rename === undefined ? undefined : name.replace(...rename);
}

/** The names go behind a copy of their table at the end of the file: in the table itself, names share their letters. */
function withNameTable(bytes: Uint8Array, elf: ElfFile, renamed: readonly Renamed[]): Uint8Array {
  const { littleEndian } = elf;
  const reader = new ByteReader(bytes, { littleEndian });
  const table = reader.seek(sectionTableAt).size64();
  const names = elf.sections[reader.seek(nameTableAt).u16()];
  if (names === undefined) throw new NetkitError('bad-object', 'the object has no table of section names');
  const added = Buffer.from(renamed.map(({ older }) => `${older}\0`).join(''), 'latin1');
  const copy = new Uint8Array(bytes.length + names.size + added.length);
  copy.set(bytes);
  copy.set(names.data, bytes.length);
  copy.set(added, bytes.length + names.size);
  const view = new DataView(copy.buffer);
  const header = (index: number): number => table + index * sectionHeaderSize;
  view.setBigUint64(header(names.index) + offsetAt, BigInt(bytes.length), littleEndian);
  view.setBigUint64(header(names.index) + sizeAt, BigInt(names.size + added.length), littleEndian);
  let at = names.size;
  for (const { index, older } of renamed) {
    view.setUint32(header(index), at, littleEndian);
    at += older.length + 1;
  }
  return copy;
}

/** Types and lines go by the sections' names too; their strings share nothing, so a shorter one fits in the place. */
function renameInBtf(btf: Uint8Array, littleEndian: boolean, renamed: readonly Renamed[]): void {
  // struct btf_header: hdr_len at 4, str_off at 16, str_len at 20
  const reader = new ByteReader(btf, { littleEndian, what: 'BTF' }).seek(4);
  const start = reader.u32() + reader.seek(16).u32();
  const strings = Buffer.from(btf.buffer, btf.byteOffset + start, reader.seek(20).u32());
  for (const { name, older } of renamed) {
    const at = strings.indexOf(`\0${name}\0`, 0, 'latin1');
    if (at >= 0) strings.write(older.padEnd(name.length, '\0'), at + 1, 'latin1');
  }
}
