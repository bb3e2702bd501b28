import { ByteReader } from '../../base/bytes.js';
import { byteOrder, readSections } from './sections.js';
import { BtfStrings } from './strings.js';

/** Of a header that tells of CO-RE relocations: magic, version, flags, length, and three pairs of offset and length. */
const headerWithCore = 32;

/**
 * The names of the sections with instructions that loading adapts to the running kernel (CO-RE relocations).
 * @param ext the `.BTF.ext` section
 * @param btfBytes the `.BTF` section, which has the strings
 * @throws NetkitError `bad-object`
 */
export function sectionsWithCore(ext: Uint8Array, btfBytes: Uint8Array): Set<string> {
  const littleEndian = byteOrder(ext, 'BTF.ext');
  const header = new ByteReader(ext, { littleEndian, what: 'BTF.ext' }).skip(4);
  const found = new Set<string>();
  const headerLength = header.u32();
  if (headerLength < headerWithCore) return found;
  const [offset, length] = [header.skip(16).u32(), header.u32()];
  if (length === 0) return found;
  const strings = new BtfStrings(readSections(btfBytes, false).strings);
  const body = header.slice(headerLength + offset, length);
  const recordSize = body.u32();
  while (body.remaining > 0) {
    const section = strings.at(body.u32());
    const count = body.u32();
    if (recordSize === 0 || count * recordSize > body.remaining)
      throw body.error(`${count} relocations for section ${section} are not possible`);
    if (count > 0) found.add(section);
    body.skip(count * recordSize);
  }
  return found;
}
