import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sectionsWithCore } from '../../../../src/obj/btf/core-sections.js';
import { readElf } from '../../../../src/obj/elf.js';

function sectionsOf(fixture: string): string[] {
  const path = join(import.meta.dirname, `../../../fixtures/objects/${fixture}.bpf.o`);
  const elf = readElf(readFileSync(path));
  const [ext, btf] = [elf.section('.BTF.ext'), elf.section('.BTF')];
  return ext === undefined || btf === undefined ? [] : [...sectionsWithCore(ext.data, btf.data)];
}

describe('the sections with CO-RE relocations', () => {
  it('are those whose programs read structs of the kernel by name', () => {
    expect(sectionsOf('needs')).toEqual(['?fentry/vfs_read']);
  });

  it('are none in objects without such reads', () => {
    expect(sectionsOf('maps')).toEqual([]);
    expect(sectionsOf('pass')).toEqual([]);
  });

  it('are refused where the records would reach beyond the section', () => {
    const path = join(import.meta.dirname, '../../../fixtures/objects/needs.bpf.o');
    const elf = readElf(readFileSync(path));
    const [ext, btf] = [elf.section('.BTF.ext'), elf.section('.BTF')];
    if (ext === undefined || btf === undefined) throw new Error('the fixture has no BTF');
    const bytes = new Uint8Array(ext.data);
    const view = new DataView(bytes.buffer);
    // Offset and length of the relocations; after the size of a record come the section and the count.
    const start = view.getUint32(4, true) + view.getUint32(24, true);
    view.setUint32(start + 8, 0xffff, true);
    expect(() => sectionsWithCore(bytes, btf.data)).toThrow(/65535 relocations/);
    view.setUint32(28, 0, true);
    expect([...sectionsWithCore(bytes, btf.data)]).toEqual([]);
  });
});
