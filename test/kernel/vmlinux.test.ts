import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { vmlinuxHeader } from '../../src/build/vmlinux.js';
import { kernelBtfPath } from '../../src/host/kernel.js';
import { cHeader } from '../../src/obj/btf/c-header.js';
import { readLineInfo } from '../../src/obj/btf/line-info.js';
import { readBtf } from '../../src/obj/btf/read.js';
import type { BtfComposite, BtfGraph } from '../../src/obj/btf/types.js';
import { readElf } from '../../src/obj/elf.js';
import { BtfBuilder, type BuilderMember } from '../support/btf-builder.js';
import { emulated } from '../support/known-kernels.js';
import { describeWith, itWith } from '../support/requirements.js';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'netkit-vmlinux-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Compiles C; warnings are errors. @returns the contents of a section of the object */
function compile(source: string, include = folder): (section: string) => Uint8Array {
  const input = join(folder, 'source.c');
  const output = join(folder, 'source.o');
  writeFileSync(input, source);
  const flags = ['-target', 'bpf', '-g', '-O2', '-Wall', '-Werror', '-ferror-limit=3', '-I', include];
  execFileSync('clang', [...flags, '-c', '-o', output, input], { stdio: 'pipe', encoding: 'utf8' });
  const elf = readElf(readFileSync(output));
  return (name) => {
    const section = elf.sections.find((each) => each.name === name);
    if (section === undefined) {
      throw new Error(`the object has no section ${name}`);
    }
    return section.data;
  };
}

/** `offset:width name` of every member, in unnamed structs and unions too, without what the header adds as padding. */
function places(btf: BtfGraph, type: BtfComposite, from = 0): string[] {
  return type.members.flatMap((member) => {
    const inner = btf.resolve(member.type);
    const at = from + member.bitOffset;
    if (member.name === '' && (inner.kind === 'struct' || inner.kind === 'union')) {
      return places(btf, inner, at);
    }
    const isPadding = /^__(padding_at_\d+|size_of_union)$/.test(member.name);
    return isPadding ? [] : [`${at}:${member.bitSize} ${member.name} ${btf.sizeOf(member.type)}`];
  });
}

/** Named structs and unions whose name in the header is the one that they have in BTF. */
function composites(btf: BtfGraph): BtfComposite[] {
  const found: BtfComposite[] = [];
  const tags = new Set<string>();
  for (let id = 1; id < btf.count; id++) {
    const type = btf.type(id);
    if ((type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum') && type.name !== '') {
      if (type.kind !== 'enum' && !tags.has(type.name)) {
        found.push(type);
      }
      tags.add(type.name);
    }
  }
  return found;
}

/** Expects the compiler to lay out `types` as `btf` says: sizes, places and widths of all members. */
function expectSameLayouts(btf: BtfGraph, types: readonly BtfComposite[], include: string): void {
  const sized = types.filter((type) => type.size > 0);
  const variables = sized.map((type, index) => `${type.kind} ${type.name} variable_${index};\n`);
  const object = compile(`#include "vmlinux.h"\n${variables.join('')}`, include);
  const compiled = readBtf(object('.BTF'));
  const layouts = sized.map((type, index) => {
    const variable = compiled.find(`variable_${index}`, 'var');
    const same = variable?.kind === 'var' ? compiled.resolve(variable.type) : undefined;
    if (same?.kind !== type.kind) {
      throw new Error(`the object has no ${type.kind} ${type.name}`);
    }
    return { name: type.name, size: same.size, members: places(compiled, same) };
  });
  expect(layouts).toEqual(
    sized.map((type) => ({ name: type.name, size: type.size, members: places(btf, type) })),
  );
}

describeWith({ tools: ['clang'], kernel: [5, 4] }, 'vmlinux.h of the running kernel', () => {
  const btf = readBtf(readFileSync(kernelBtfPath));
  let header: string;

  beforeAll(() => {
    header = vmlinuxHeader({ cacheDir: join(folder, 'cache') });
  });

  it('compiles without a warning', () => {
    expect(() => compile('#include "vmlinux.h"\n', dirname(header))).not.toThrow();
  });

  it('has every named struct and union in its true size', () => {
    const sizes = composites(btf).map(
      (type) => `_Static_assert(sizeof(${type.kind} ${type.name}) == ${type.size}, "${type.name}");\n`,
    );
    expect(sizes.length).toBeGreaterThan(1000);
    expect(() => compile(`#include "vmlinux.h"\n${sizes.join('')}`, dirname(header))).not.toThrow();
  });

  it('has members and bit fields in their true places', () => {
    const all = composites(btf);
    const withBitFields = all.filter((type) => type.members.some((member) => member.bitSize > 0));
    const sample = all.filter((_, index) => index % (emulated ? 50 : 10) === 0);
    expect(withBitFields.length).toBeGreaterThan(100);
    expectSameLayouts(btf, [...new Set([...withBitFields, ...sample])], dirname(header));
  });

  itWith({ timing: true }, 'is read within half a second on a busy machine too', () => {
    const bytes = readFileSync(kernelBtfPath);
    const times = [1, 2, 3].map(() => {
      const start = performance.now();
      readBtf(bytes).find('task_struct', 'struct');
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(500);
  });
});

type Step = { readonly gap: number; readonly type: number; readonly bits: number };

/** A struct from steps: each leaves a gap of bits and adds a member of one of the types, whole or as a bit field. */
function addStruct(
  btf: BtfBuilder,
  name: string,
  steps: readonly Step[],
  types: readonly [id: number, size: number][],
): number {
  let end = 0;
  const members: BuilderMember[] = steps.flatMap((step, index) => {
    const [type, size] = types[step.type % types.length] ?? [1, 4];
    // Types after the first five are no integers, so no bit fields.
    const bitSize = step.type % types.length < 5 ? Math.min(step.bits, size * 8) : 0;
    const bitOffset = bitSize === 0 ? Math.ceil((end + step.gap) / 8) * 8 : end + step.gap;
    end = bitOffset + (bitSize === 0 ? size * 8 : bitSize);
    return [{ name: `m${index}`, type, bitOffset, bitSize }];
  });
  const size = Math.ceil(end / 8) + (steps[0]?.gap ?? 0);
  btf.struct(name, size, members);
  return size;
}

describeWith({ tools: ['clang'] }, 'a header of made-up types', () => {
  it('is laid out as the types say, whatever they are', () => {
    const step = fc.record({
      gap: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat({ max: 70 }), fc.constantFrom(512, 600)),
      type: fc.nat({ max: 40 }),
      bits: fc.oneof(fc.constant(0), fc.nat({ max: 64 })),
    });
    const made = fc.sample(fc.array(step, { minLength: 1, maxLength: 10 }), {
      numRuns: emulated ? 100 : 1500,
      seed: 7,
    });
    const btf = new BtfBuilder();
    const types: [number, number][] = [
      [btf.int('int', 4, { signed: true }), 4],
      [btf.int('unsigned char', 1), 1],
      [btf.int('short int', 2, { signed: true }), 2],
      [btf.int('long unsigned int', 8), 8],
      [btf.enum('colour', { RED: 0 }), 4],
      [btf.int('unsigned __int128', 16), 16],
      [btf.ptr(1), 8],
      [btf.array(3, 5), 10],
      [btf.array(4, 0, 1), 0],
      [btf.float('double', 8), 8],
      [btf.float('long double', 16), 16],
    ];
    const fixed = types.length;
    made.forEach((steps, index) => {
      const id = btf.nextId;
      const size = addStruct(btf, `made_${index}`, steps, types);
      // Nested, but not so much that everything is.
      if (types.length < fixed + 20 && size < 200) {
        types.push([id, size]);
      }
      if (index % 10 === 0) {
        btf.union(`union_${index}`, size + (index % 3), [
          { name: 'm', type: id },
          { name: 'byte', type: 2 },
        ]);
      }
    });
    const graph = readBtf(btf.bytes());
    writeFileSync(join(folder, 'vmlinux.h'), cHeader(graph));
    expectSameLayouts(graph, composites(graph), folder);
  });
});

describeWith({ tools: ['clang'] }, '.BTF.ext as clang writes it', () => {
  it('leads from instructions to lines', () => {
    const object = compile(`struct context { int x; };
__attribute__((section("xdp"))) int twice(struct context *ctx)
{
	return ctx->x * 2;
}
`);
    const lines = readLineInfo(object('.BTF.ext'), object('.BTF')).get('xdp') ?? [];
    expect(lines.map(({ line }) => line)).toContain(4);
    expect(lines.find(({ line }) => line === 4)).toMatchObject({
      file: join(folder, 'source.c'),
      source: '\treturn ctx->x * 2;',
    });
  });
});
