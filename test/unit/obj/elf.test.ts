import { describe, expect, test } from 'vitest';
import { readElf, sectionTypes, symbolTypes } from '../../../src/obj/elf.js';
import { objectBytes } from './fixtures.js';

/** The fields of the file's header that the tests overwrite: offset and width. */
const header = { magic: [0, 4], class: [4, 1], order: [5, 1], type: [16, 2], machine: [18, 2] } as const;

function withField(field: keyof typeof header, value: number): Uint8Array {
  const bytes = objectBytes('pass');
  const view = new DataView(bytes.buffer);
  const [offset, width] = header[field];
  if (width === 4) view.setUint32(offset, value, true);
  else if (width === 2) view.setUint16(offset, value, true);
  else view.setUint8(offset, value);
  return bytes;
}

function sectionTable(bytes: Uint8Array): number {
  return Number(new DataView(bytes.buffer).getBigUint64(40, true));
}

describe('readElf', () => {
  test('reads sections with their contents', () => {
    const elf = readElf(objectBytes('pass'));
    expect(elf.littleEndian).toBe(true);
    expect(elf.sections.map(({ name }) => name)).toContain('.symtab');
    expect(elf.section('xdp')).toMatchObject({ type: sectionTypes.programBits, size: 16 });
    // w0 = 2; exit
    expect([...(elf.section('xdp')?.data ?? [])]).toEqual([
      0xb4, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect(elf.section('nothing')).toBeUndefined();
  });

  test('reads symbols, also by section', () => {
    const elf = readElf(objectBytes('many'));
    const section = elf.section('xdp');
    if (section === undefined) throw new Error('no section xdp');
    const functions = elf.symbolsIn(section).filter(({ type }) => type === symbolTypes.function);
    expect(functions.map(({ name, value, size }) => [name, value, size])).toEqual([
      ['first', 0, 56],
      ['second', 56, 40],
    ]);
  });

  test('reads the relocations of a section', () => {
    const elf = readElf(objectBytes('maps'));
    const section = elf.section('.maps');
    if (section === undefined) throw new Error('no section .maps');
    expect(
      elf
        .relocations(section)
        .map(({ symbol }) => symbol.name)
        .sort(),
    ).toEqual(['tail', 'tenant_a']);
  });

  test('gives a section without contents in the file its size and no bytes', () => {
    const elf = readElf(objectBytes('globals'));
    expect(elf.section('.bss')).toMatchObject({ size: 16 });
    expect(elf.section('.bss')?.data).toHaveLength(0);
  });

  test('reads big-endian objects', () => {
    const elf = readElf(objectBytes('bigendian'));
    expect(elf.littleEndian).toBe(false);
    expect(elf.section('xdp')).toMatchObject({ size: 16 });
    expect(elf.symbols.map(({ name }) => name)).toContain('pass');
  });

  test('takes the machine number 0, which the first compilers for eBPF wrote', () => {
    expect(readElf(withField('machine', 0)).section('xdp')).toBeDefined();
  });

  test.each([
    ['an empty file', new Uint8Array(), 'the file is empty'],
    ['text', new TextEncoder().encode('#include <linux/bpf.h>\n'.repeat(10)), 'not an ELF file'],
    ['three bytes of text', new TextEncoder().encode('abc'), 'not an ELF file'],
    [
      'the first ten bytes',
      objectBytes('pass').subarray(0, 10),
      'ELF file is cut short: its header takes 64 bytes of 10',
    ],
    ['a 32-bit file', withField('class', 1), 'a 32-bit ELF file; eBPF objects are 64-bit'],
    ['an x86-64 object', withField('machine', 62), 'an object for another machine: x86-64, not eBPF'],
    [
      'an object for a rare machine',
      withField('machine', 999),
      'an object for another machine: number 999, not eBPF',
    ],
    ['an executable', withField('type', 2), 'an executable, not a relocatable object'],
    ['a shared library', withField('type', 3), 'a shared library, not a relocatable object'],
  ])('refuses %s', (_what, bytes, message) => {
    expect(() => readElf(bytes)).toThrow(expect.objectContaining({ code: 'bad-object', message }));
  });

  test('names the section that is cut short', () => {
    const bytes = objectBytes('pass');
    const index = readElf(bytes).section('xdp')?.index ?? 0;
    new DataView(bytes.buffer).setBigUint64(sectionTable(bytes) + index * 64 + 32, 5000n, true);
    const offset = readElf(objectBytes('pass')).section('xdp')?.offset ?? 0;
    expect(() => readElf(bytes)).toThrow(
      `ELF file is cut short: section ${index} (xdp) ends at byte ${offset + 5000} of ${bytes.length}`,
    );
  });

  test('replaces control characters in names, which would act on a terminal', () => {
    const bytes = objectBytes('pass');
    const elf = readElf(bytes);
    const strings = elf.section('.strtab');
    if (strings === undefined) throw new Error('no section .strtab');
    const at = Buffer.from(strings.data).indexOf('xdp\0');
    bytes[strings.offset + at] = 0x1b;
    expect(readElf(bytes).sections.map(({ name }) => name)).toContain('\ufffddp');
  });
});
