import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { packageRoot } from '../../../src/host/package-root.js';
import { readBtf } from '../../../src/obj/btf/read.js';
import type { BtfGraph } from '../../../src/obj/btf/types.js';
import { readElf, symbolTypes } from '../../../src/obj/elf.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { type StructOpsTable, structOpsValue } from '../../../src/obj/struct-ops.js';
import { BtfBuilder } from '../../support/btf-builder.js';

const spec = ObjectSpec.readSync(join(packageRoot(), 'test/fixtures/objects/congestion-newest.bpf.o'));
const [table] = spec.structOps();
if (table === undefined) throw new Error('the object has no table');

/** A kernel whose struct has these members, of 8 bytes each but the name, behind 16 bytes of its own. */
function kernelWith(members: readonly string[], nameBytes = 16): BtfGraph {
  const btf = new BtfBuilder();
  const char = btf.int('char', 1, { char: true });
  const name = btf.array(char, nameBytes);
  const pointer = btf.ptr(0);
  const struct = btf.struct('tcp_congestion_ops', members.length * 8 + nameBytes, [
    ...members.map((member, index) => ({ name: member, type: pointer, offset: index * 8 })),
    { name: 'name', type: name, offset: members.length * 8 },
  ]);
  btf.struct('bpf_struct_ops_tcp_congestion_ops', members.length * 8 + nameBytes + 16, [
    { name: 'data', type: struct, offset: 16 },
  ]);
  return readBtf(btf.bytes());
}

const everything = ['flags', 'init', 'ssthresh', 'undo_cwnd', 'cong_avoid'];
const numbers: Readonly<Record<string, number>> = { ssthresh: 11, cong_avoid: 12, undo_cwnd: 13, init: 14 };
const valueFor = (kernel: BtfGraph, of: StructOpsTable = table) =>
  structOpsValue(of, kernel, (name) => numbers[name] ?? 0);

function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof NetkitError ? error.code : String(error);
  }
}

describe('a table of callbacks', () => {
  it('is read with what the object puts into each member', () => {
    expect(table).toMatchObject({ name: 'control', struct: 'tcp_congestion_ops', link: true });
    expect(table.members.map(({ name, program }) => [name, program])).toEqual([
      ['name', undefined],
      ['ssthresh', 'ssthresh'],
      ['cong_avoid', 'cong_avoid'],
      ['undo_cwnd', 'undo_cwnd'],
      ['init', 'init'],
    ]);
  });

  it('becomes the value that a kernel wants, wherever that has its members', () => {
    const value = valueFor(kernelWith(everything));
    const view = new DataView(value.buffer);
    expect(value.length).toBe(16 + everything.length * 8 + 16);
    const words = everything.map((_, index) => Number(view.getBigUint64(16 + index * 8, true)));
    expect(words).toEqual([0, 14, 11, 13, 12]);
    expect(Buffer.from(value.subarray(16 + everything.length * 8)).toString()).toBe('bpf_netkit_test\0');
  });

  it('is refused by a kernel that has no such struct or member, or a member of another size', () => {
    expect(codeOf(() => valueFor(kernelWith(['init', 'ssthresh'])))).toBe('unsupported');
    expect(codeOf(() => valueFor(kernelWith(everything, 8)))).toBe('unsupported');
    expect(codeOf(() => valueFor(readBtf(new BtfBuilder().bytes())))).toBe('unsupported');
    // What the object leaves empty nobody misses.
    const empty = { name: 'newer', bytes: new Uint8Array(8), program: undefined };
    const more = { ...table, members: [...table.members, empty] };
    expect(codeOf(() => valueFor(kernelWith(everything), more))).toBeUndefined();
  });
});

describe('names that an older libbpf knows', () => {
  it('take the place of newer ones in sections and types, and everything else stays', () => {
    const older = spec.olderBytes();
    const [before, after] = [readElf(spec.bytes), readElf(older)];
    const renamed = before.sections.flatMap(({ name }, index) => {
      const now = after.sections[index]?.name;
      return now === name ? [] : [[name, now]];
    });
    expect(renamed).toEqual([
      ['struct_ops.s/init', 'struct_ops/init'],
      ['.struct_ops.link', '.struct_ops'],
      ['.rel.struct_ops.link', '.rel.struct_ops'],
    ]);
    // The symbol of a section has the section's name.
    const ofOwn = ({ type }: { readonly type: number }) => type !== symbolTypes.section;
    expect(after.symbols.filter(ofOwn)).toEqual(before.symbols.filter(ofOwn));
    const again = ObjectSpec.parse(older);
    expect(again.btf?.find('.struct_ops', 'datasec')).toBeDefined();
    expect(again.btf?.find('.struct_ops.link')).toBeUndefined();
    expect(again.structOps()).toEqual([{ ...table, link: false }]);
    expect(again.program('init')).toMatchObject({ section: 'struct_ops/init', sleepable: false });
    expect(again.sourceLine('init', 1)).toEqual(spec.sourceLine('init', 1));
  });

  it('leave an object alone that has none of the newer ones', () => {
    const plain = ObjectSpec.readSync(join(packageRoot(), 'test/fixtures/objects/pass.bpf.o'));
    expect(plain.olderBytes()).toBe(plain.bytes);
  });
});
