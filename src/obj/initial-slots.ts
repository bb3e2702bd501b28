/** What an object puts into its maps of maps and programs when it is loaded. */
import { ByteReader } from '../base/bytes.js';
import { type ElfFile, sectionTypes } from './elf.js';

// struct elf64_hdr and elf64_shdr
const sectionTableAt = 40;
const sectionHeaderSize = 64;
const sizeAt = 32;

/**
 * A copy of an object that leaves its maps empty, for a load that takes over maps which are filled already: libbpf would
 * write into those, and programs that it does not load.
 * @param bytes of the object, with the sections of `elf` in their places
 */
export function withoutInitialSlots(bytes: Uint8Array, elf: ElfFile): Uint8Array {
  const { littleEndian } = elf;
  const maps = elf.section('.maps')?.index;
  const fillings = elf.sections.filter(({ type, info }) => type === sectionTypes.rel && info === maps);
  if (maps === undefined || fillings.length === 0) return bytes;
  const copy = bytes.slice();
  const table = new ByteReader(bytes, { littleEndian }).seek(sectionTableAt).size64();
  const view = new DataView(copy.buffer);
  for (const { index } of fillings)
    view.setBigUint64(table + index * sectionHeaderSize + sizeAt, 0n, littleEndian);
  return copy;
}
