/** A small ELF executable, made by hand: segments, a symbol table, notes of statically defined probes. */
import { hostIsLittleEndian } from '../../src/base/byte-order.js';

export interface ExecutableParts {
  readonly segments: readonly {
    readonly offset: number;
    readonly address: number;
    readonly size: number;
    readonly executable: boolean;
  }[];
  readonly functions: readonly { readonly name: string; readonly address: number }[];
  /** Symbols of variables. */
  readonly others: readonly { readonly name: string; readonly address: number }[];
  readonly notes?: readonly Uint8Array[];
  /** The address of the section `.stapsdt.base`. */
  readonly stapBase?: number;
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly data: Uint8Array;
  readonly link: number;
}

export function makeExecutable(parts: ExecutableParts): Uint8Array {
  const names = ['', ...parts.functions.map(({ name }) => name), ...parts.others.map(({ name }) => name)];
  const table = strings(names);
  const symbols = [
    symbol(0, 0, 0, 0),
    ...parts.functions.map(({ name, address }) => symbol(table.at(name), 0x12, 1, address)),
    ...parts.others.map(({ name, address }) => symbol(table.at(name), 0x11, 1, address)),
  ];
  const sections: Section[] = [
    { name: '', type: 0, address: 0, data: new Uint8Array(), link: 0 },
    { name: '.strtab', type: 3, address: 0, data: table.bytes, link: 0 },
    { name: '.symtab', type: 2, address: 0, data: Buffer.concat(symbols), link: 1 },
  ];
  if (parts.notes !== undefined)
    sections.push({ name: '.note.stapsdt', type: 7, address: 0, data: Buffer.concat(parts.notes), link: 0 });
  if (parts.stapBase !== undefined) {
    const base = { name: '.stapsdt.base', type: 1, address: parts.stapBase, data: Uint8Array.of(0), link: 0 };
    sections.push(base);
  }
  const sectionNames = strings([...sections.map(({ name }) => name), '.shstrtab']);
  sections.push({ name: '.shstrtab', type: 3, address: 0, data: sectionNames.bytes, link: 0 });
  const start = Math.max(0x2000, ...parts.segments.map(({ offset, size }) => offset + size));
  let at = start;
  const placed = sections.map((section) => {
    const offset = at;
    at += (section.data.length + 7) & ~7;
    return { ...section, offset };
  });
  const bytes = new Uint8Array(at + placed.length * 64);
  const view = new DataView(bytes.buffer);
  header(view, parts.segments.length, at, placed.length);
  for (const [index, { offset, address, size, executable }] of parts.segments.entries()) {
    const to = 64 + index * 56;
    words(view, to, [1, executable ? 5 : 6]);
    longs(view, to + 8, [offset, address, address, size, size, 0x1000]);
  }
  for (const [index, { name, type, address, data, offset, link }] of placed.entries()) {
    bytes.set(data, offset);
    const to = at + index * 64;
    words(view, to, [sectionNames.at(name), type]);
    longs(view, to + 8, [0, address, offset, data.length]);
    words(view, to + 40, [link, 0]);
  }
  return bytes;
}

/** One note of `.note.stapsdt`. */
export function stapNote(note: {
  address: number;
  base: number;
  semaphore: number;
  provider: string;
  name: string;
  text: string;
}): Uint8Array {
  const texts = Buffer.from(`${note.provider}\0${note.name}\0${note.text}\0`);
  const bytes = new Uint8Array(12 + 8 + 24 + ((texts.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  words(view, 0, [8, 24 + texts.length, 3]);
  bytes.set(Buffer.from('stapsdt\0'), 12);
  longs(view, 20, [note.address, note.base, note.semaphore]);
  bytes.set(texts, 44);
  return bytes;
}

function header(view: DataView, segments: number, sectionTable: number, sections: number): void {
  const little = hostIsLittleEndian ? 1 : 2;
  for (const [index, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, little, 1].entries()) view.setUint8(index, byte);
  view.setUint16(16, 3, hostIsLittleEndian);
  view.setUint16(18, 62, hostIsLittleEndian);
  longs(view, 32, [64, sectionTable]);
  for (const [index, value] of [64, 56, segments, 64, sections, sections - 1].entries())
    view.setUint16(52 + index * 2, value, hostIsLittleEndian);
}

function symbol(name: number, info: number, section: number, address: number): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name, hostIsLittleEndian);
  view.setUint8(4, info);
  view.setUint16(6, section, hostIsLittleEndian);
  longs(view, 8, [address, 16]);
  return bytes;
}

function strings(list: readonly string[]): { bytes: Uint8Array; at: (text: string) => number } {
  const all = [...new Set(['', ...list])];
  const bytes = Buffer.from(all.map((text) => `${text}\0`).join(''));
  return { bytes, at: (text) => (text === '' ? 0 : bytes.indexOf(`\0${text}\0`) + 1) };
}

function words(view: DataView, at: number, values: readonly number[]): void {
  for (const [index, value] of values.entries()) view.setUint32(at + index * 4, value, hostIsLittleEndian);
}

function longs(view: DataView, at: number, values: readonly number[]): void {
  for (const [index, value] of values.entries())
    view.setBigUint64(at + index * 8, BigInt(value), hostIsLittleEndian);
}
