import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internalMapName } from '../../../src/obj/maps.js';
import { ObjectSpec } from '../../../src/obj/spec.js';
import { objectBytes, objectPath, objectSpec } from './fixtures.js';

/** The C line of each program's first instruction, to be found again in the object. */
function firstLine(spec: ObjectSpec, program: string): string | undefined {
  return spec.sourceLine(program, 0)?.source;
}

describe('programs', () => {
  test('are the functions of all sections but .text, in the order of the file', () => {
    const { programs, subprograms } = objectSpec('many');
    expect(programs.map(({ name, section, type, attachType }) => [name, section, type, attachType])).toEqual([
      ['first', 'xdp', 'xdp', 'xdp'],
      ['second', 'xdp', 'xdp', 'xdp'],
      ['optional', 'xdp.frags', 'xdp', 'xdp'],
      ['traced', 'tp_btf/sched_switch', 'tracing', 'trace_raw_tp'],
      ['connect', 'cgroup/connect4', 'cgroup_sock_addr', 'cgroup_inet4_connect'],
    ]);
    expect(subprograms.map(({ name }) => name)).toEqual(['helper', 'deep']);
  });

  test('have their place in the section and their length in instructions', () => {
    const { programs } = objectSpec('many');
    expect(programs[0]).toMatchObject({ offset: 0, instructionCount: 7 });
    expect(programs[1]).toMatchObject({ offset: 56, instructionCount: 5 });
  });

  test('in sections with a question mark are off until they are chosen', () => {
    const spec = objectSpec('many');
    expect(spec.program('optional')).toMatchObject({ autoload: false, frags: true });
    expect([...spec.chosen]).toEqual(['first', 'second', 'connect']);
    spec.only(['optional']);
    expect([...spec.chosen]).toEqual(['optional']);
  });

  test('can only be chosen when they exist', () => {
    const spec = objectSpec('many');
    expect(() => spec.only(['secnd'])).toThrow(
      expect.objectContaining({ code: 'not-found', hint: "did you mean 'second'?" }),
    );
    expect(() => spec.only([])).toThrow(expect.objectContaining({ code: 'usage' }));
    expect([...spec.chosen]).toEqual(['first', 'second', 'connect']);
  });

  test('say where they attach when the section name does', () => {
    expect(objectSpec('many').program('traced').target).toEqual({
      kind: 'raw-tracepoint',
      text: 'sched_switch',
    });
  });

  test('without a known section name have no type, and say so', () => {
    expect(objectSpec('legacy').program('legacy')).toMatchObject({
      type: 'unspec',
      problem: "the section name 'xdp_legacy' does not tell the program's type",
    });
  });
});

describe('maps', () => {
  test('declared in .maps have type, sizes, flags and BTF types', () => {
    const spec = objectSpec('maps');
    const map = spec.map('prefixes_v4');
    expect(map).toMatchObject({
      kind: 'declared',
      type: 'lpm_trie',
      keySize: 8,
      valueSize: 8,
      maxEntries: 1000,
      flags: 1,
      pinning: 'none',
      kernelName: 'prefixes_v4',
      problem: undefined,
    });
    expect(spec.btf?.nameOf(map.keyType ?? 0)).toBe('struct prefix_v4');
    expect(spec.btf?.nameOf(map.valueType ?? 0)).toBe('struct rule');
  });

  test.each([
    ['flows', 'hash', 16, 16, 1024],
    ['percpu_counts', 'percpu_array', 4, 16, 4],
    ['recent', 'lru_hash', 4, 8, 100],
    ['queue', 'queue', 0, 8, 16],
    ['events', 'ringbuf', 0, 0, 4096],
    ['samples', 'perf_event_array', 4, 4, 0],
    ['ports', 'devmap', 4, 4, 4],
    ['stages', 'prog_array', 4, 4, 3],
    ['tenants', 'array_of_maps', 4, 4, 4],
  ])('%s is a %s', (name, type, keySize, valueSize, maxEntries) => {
    expect(objectSpec('maps').map(name)).toMatchObject({ type, keySize, valueSize, maxEntries });
  });

  test('of maps know the inner definition and what stands in which slot', () => {
    const spec = objectSpec('maps');
    expect(spec.map('tenants').inner).toMatchObject({
      type: 'hash',
      keySize: 4,
      valueSize: 8,
      maxEntries: 32,
    });
    expect(spec.map('tenants').initial).toEqual([{ index: 2, symbol: 'tenant_a' }]);
    expect(spec.map('tables').inner).toMatchObject({ type: 'array', maxEntries: 2 });
    expect(spec.map('tables').initial).toEqual([]);
    expect(spec.map('stages').initial).toEqual([{ index: 1, symbol: 'tail' }]);
    expect(spec.map('stages').inner).toBeUndefined();
  });

  test('take numbers written as arrays and as enums', () => {
    expect(objectSpec('maps').map('filter').mapExtra).toBe(3n);
    expect(objectSpec('ulong').map('filter').mapExtra).toBe(4n);
  });

  test('may ask to be pinned', () => {
    expect(objectSpec('pinned').map('shared').pinning).toBe('by-name');
  });

  test('of the time before libbpf 1.0 are shown with the reason why they cannot be loaded', () => {
    const map = objectSpec('legacy').map('old_counts');
    expect(map).toMatchObject({
      kind: 'legacy',
      type: 'percpu_array',
      keySize: 4,
      valueSize: 8,
      maxEntries: 16,
    });
    expect(map.problem).toMatch(/libbpf 1\.0 and newer refuse/);
  });

  test('of an object without BTF are shown with the reason why they cannot be loaded', () => {
    const spec = objectSpec('nobtf');
    expect(spec.btf).toBeUndefined();
    expect(spec.map('packets').problem).toMatch(/BTF, which this object lacks/);
    expect(spec.program('count').type).toBe('sched_cls');
  });

  test('hold the global variables of each section', () => {
    const data = objectSpec('globals').maps.filter(({ kind }) => kind === 'data');
    expect(
      data.map(({ name, kernelName, valueSize, flags }) => [name, kernelName, valueSize, flags]),
    ).toEqual([
      ['.rodata', 'globals.rodata', 108, 0x480],
      ['.rodata.tuning', '.rodata.tuning', 4, 0x480],
      ['.data', 'globals.data', 16, 0x400],
      ['.data.own', '.data.own', 4, 0x400],
      ['.bss', 'globals.bss', 16, 0x400],
    ]);
  });

  test("hold the kernel's settings that the object asks for", () => {
    const spec = objectSpec('many');
    expect(spec.map('.kconfig')).toMatchObject({ valueSize: 5, flags: 0x80, kernelName: 'many.kconfig' });
    expect(spec.externs.map(({ name, kind, weak }) => [name, kind, weak])).toEqual([
      ['CONFIG_BPF_SYSCALL', 'kconfig', true],
      ['LINUX_KERNEL_VERSION', 'kconfig', false],
      ['bpf_missing_kfunc', 'ksym', true],
    ]);
  });

  test('of data answer to both names', () => {
    expect(objectSpec('globals').map('globals.bss').name).toBe('.bss');
    expect(objectSpec('globals').map('.bss').name).toBe('.bss');
  });

  // Names that bpftool 7.1 gives these objects.
  test.each([
    ['a', '.rodata', 'a.rodata'],
    ['averyverylongn', '.rodata', 'averyver.rodata'],
    ['averyverylongn', '.bss', 'averyver.bss'],
    ['averyverylongn', '.kconfig', 'averyve.kconfig'],
    ['with-dash', '.rodata', 'with_das.rodata'],
    ['x', '.rodata.tuning', '.rodata.tuning'],
    ['x', '.data.with_a_long_name', '.data.with_a_lo'],
  ])("the map of %s's %s is called %s in the kernel", (object, section, name) => {
    expect(internalMapName(object, section)).toBe(name);
  });
});

describe('map sizes', () => {
  test('can be set within the range of 32 bits', () => {
    const spec = objectSpec('maps');
    spec.setMapSize('flows', 1);
    spec.setMapSize('counts', 0xffff_ffff);
    expect([...spec.mapSizes]).toEqual([
      ['flows', 1],
      ['counts', 0xffff_ffff],
    ]);
  });

  test.each([0, -1, 1.5, Number.NaN, 0x1_0000_0000])('cannot be %d', (size) => {
    const spec = objectSpec('maps');
    expect(() => spec.setMapSize('flows', size)).toThrow(expect.objectContaining({ code: 'bad-value' }));
    expect(spec.mapSizes.size).toBe(0);
  });

  test('are for maps that exist and have a size of their own', () => {
    expect(() => objectSpec('maps').setMapSize('flow', 1)).toThrow(
      expect.objectContaining({ code: 'not-found', hint: "did you mean 'flows'?" }),
    );
    expect(() => objectSpec('globals').setMapSize('.bss', 2)).toThrow(
      expect.objectContaining({ code: 'bad-value' }),
    );
  });
});

describe('source lines', () => {
  test('are found for the instructions of a program', () => {
    const spec = objectSpec('oob');
    expect(spec.sourceLine('oob', 1)).toEqual({
      file: 'oob.bpf.c',
      line: 10,
      column: 15,
      source: 'return eth->h_proto == 0x0008 ? XDP_PASS : XDP_DROP;',
    });
  });

  test('are those of the program itself where a section has several', () => {
    const spec = objectSpec('many');
    expect(firstLine(spec, 'first')).toContain('helper(ctx->rx_queue_index)');
    expect(firstLine(spec, 'second')).toContain('CONFIG_BPF_SYSCALL');
    expect(firstLine(spec, 'optional')).toContain('bpf_missing_kfunc');
  });

  test('go on in the subprograms, in the order in which loading appends them', () => {
    const spec = objectSpec('many');
    const { instructionCount } = spec.program('first');
    const helper = spec.subprograms.find(({ name }) => name === 'helper')?.instructionCount ?? 0;
    expect(spec.sourceLine('first', instructionCount)?.source).toBe('return deep(a) & 1;');
    expect(spec.sourceLine('first', instructionCount + helper)?.source).toBe(
      'return a * 3 + LINUX_KERNEL_VERSION;',
    );
    expect(spec.sourceLine('first', 10_000)).toBeUndefined();
  });

  // The order that the kernel shows for these programs (bpftool prog dump xlated).
  test.each([
    ['calls', ['calls', 'c', 'd', 'a', 'b']],
    ['calls_back', ['calls_back', 'callback', 'b', 'd', 'a', 'c']],
  ])('of %s go through its subprograms in the order of the calls, callbacks included', (program, order) => {
    const spec = objectSpec('subprograms');
    const returns: Record<string, string> = {
      calls: 'return (c(ctx->rx_queue_index) + a(3)) & 3;',
      calls_back: 'return (a(ctx->rx_queue_index) + c(3)) & 3;',
      callback: 'return b(index) > 9;',
      a: 'return b(x) - c(x) - bpf_get_prandom_u32();',
      b: 'return d(x) + 7 + bpf_get_prandom_u32();',
      c: 'return d(x) * 3 + bpf_get_prandom_u32();',
      d: 'return x * 5 + bpf_get_prandom_u32();',
    };
    let end = 0;
    for (const name of order) {
      const found = [...spec.programs, ...spec.subprograms].find((candidate) => candidate.name === name);
      end += found?.instructionCount ?? 0;
      expect([name, spec.sourceLine(program, end - 1)?.source]).toEqual([name, returns[name]]);
    }
    expect(spec.sourceLine(program, end)).toBeUndefined();
  });

  test('are not known without BTF, and that is no error', () => {
    expect(objectSpec('nobtf').sourceLine('count', 0)).toBeUndefined();
  });
});

describe('an object', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netkit-spec-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has the licence that it declares', () => {
    expect(objectSpec('pass').licence).toBe('Dual BSD/GPL');
    expect(objectSpec('many').licence).toBe('GPL');
  });

  test.each([
    ['fw.bpf.o', 'fw', 'fw'],
    ['/a/b/fw.o', 'fw', 'fw'],
    ['fw', 'fw', 'fw'],
    ['xsk_prog_5.3.o', 'xsk_prog_5.3', 'xsk_prog_5'],
    ['a-very-long-file-name.bpf.o', 'a-very-long-file-name', 'a-very-long-fil'],
  ])('in the file %s is called %s, and %s by libbpf', (path, name, libbpfName) => {
    expect(ObjectSpec.parse(objectBytes('pass'), { path })).toMatchObject({ name, libbpfName, path });
  });

  test('is read from a file, at once or later, to the same end', async () => {
    const path = objectPath('maps');
    const later = await ObjectSpec.read(path);
    const atOnce = ObjectSpec.readSync(path);
    expect(later.maps).toEqual(atOnce.maps);
    expect(later.bytes).toEqual(objectBytes('maps'));
  });

  test.each([
    [
      'a file that is not there',
      'nothing.bpf.o',
      'not-found',
      /^cannot read '.*nothing.bpf.o': there is no such file$/,
    ],
    ['a directory', '.', 'bad-object', /it is a directory$/],
  ])('cannot be read from %s', async (_what, name, code, message) => {
    const path = join(folder, name);
    const error = expect.objectContaining({ code, message: expect.stringMatching(message) });
    expect(() => ObjectSpec.readSync(path)).toThrow(error);
    await expect(ObjectSpec.read(path)).rejects.toThrow(error);
  });

  test('that is damaged is refused with its path', () => {
    const path = join(folder, 'text.bpf.o');
    writeFileSync(
      path,
      'this is text, and long enough not to be taken for a header that is cut short, as it is 64+',
    );
    expect(() => ObjectSpec.readSync(path)).toThrow(
      expect.objectContaining({ code: 'bad-object', message: `${path}: not an ELF file` }),
    );
  });

  test('for the other byte order is refused', () => {
    expect(() => objectSpec('bigendian')).toThrow('bigendian.bpf.o: built for a big-endian machine (bpfeb)');
  });

  test('without program and map is refused, unless only its types are wanted', () => {
    const bytes = objectBytes('pass');
    // The section of instructions loses its flag, and so its program.
    const table = Number(new DataView(bytes.buffer).getBigUint64(40, true));
    const index = 3;
    new DataView(bytes.buffer).setBigUint64(table + index * 64 + 8, 0n, true);
    expect(() => ObjectSpec.parse(bytes)).toThrow('ELF without BPF: no program and no map section');
    expect(ObjectSpec.parse(bytes, { requireBpf: false }).btf?.find('xdp_md')).toBeDefined();
  });

  test('with damaged BTF is refused', () => {
    const bytes = objectBytes('pass');
    const at = Buffer.from(bytes).indexOf(Buffer.from([0x9f, 0xeb, 1, 0]));
    bytes[at] = 0;
    expect(() => ObjectSpec.parse(bytes)).toThrow(expect.objectContaining({ code: 'bad-object' }));
  });
});
