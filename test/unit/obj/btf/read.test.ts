import { describe, expect, it } from 'vitest';
import { readBtf } from '../../../../src/obj/btf/read.js';
import type { BtfGraph } from '../../../../src/obj/btf/types.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { everyKind } from './every-kind.js';

const types = (graph: BtfGraph): unknown[] => Array.from({ length: graph.count }, (_, id) => graph.type(id));

describe('readBtf', () => {
  it('decodes every kind', () => {
    expect(types(readBtf(everyKind().bytes()))).toEqual([
      { id: 0, kind: 'void', name: '' },
      {
        id: 1,
        kind: 'int',
        name: 'int',
        size: 4,
        bits: 32,
        bitOffset: 0,
        signed: true,
        char: false,
        bool: false,
      },
      {
        id: 2,
        kind: 'int',
        name: 'char',
        size: 1,
        bits: 8,
        bitOffset: 0,
        signed: true,
        char: true,
        bool: false,
      },
      {
        id: 3,
        kind: 'int',
        name: '_Bool',
        size: 1,
        bits: 8,
        bitOffset: 0,
        signed: false,
        char: false,
        bool: true,
      },
      { id: 4, kind: 'float', name: 'double', size: 8 },
      { id: 5, kind: 'const', name: '', target: 2 },
      { id: 6, kind: 'ptr', name: '', target: 5 },
      { id: 7, kind: 'array', name: '', element: 1, index: 1, length: 3 },
      {
        id: 8,
        kind: 'struct',
        name: 'record',
        size: 16,
        members: [
          { name: 'text', type: 6, bitOffset: 0, bitSize: 0 },
          { name: 'low', type: 1, bitOffset: 64, bitSize: 3 },
          { name: 'high', type: 1, bitOffset: 67, bitSize: 29 },
        ],
      },
      {
        id: 9,
        kind: 'union',
        name: 'either',
        size: 8,
        members: [
          { name: 'text', type: 6, bitOffset: 0, bitSize: 0 },
          { name: '', type: 1, bitOffset: 0, bitSize: 0 },
        ],
      },
      {
        id: 10,
        kind: 'enum',
        name: 'sign',
        size: 4,
        signed: true,
        values: [
          { name: 'minus', value: -1n },
          { name: 'plus', value: 1n },
        ],
      },
      {
        id: 11,
        kind: 'enum',
        name: 'bits',
        size: 4,
        signed: false,
        values: [{ name: 'top', value: 0x8000_0000n }],
      },
      {
        id: 12,
        kind: 'enum',
        name: 'wide',
        size: 8,
        signed: false,
        values: [{ name: 'all', value: 2n ** 64n - 1n }],
      },
      {
        id: 13,
        kind: 'enum',
        name: 'deep',
        size: 8,
        signed: true,
        values: [{ name: 'lowest', value: -(2n ** 63n) }],
      },
      { id: 14, kind: 'fwd', name: 'later', of: 'struct' },
      { id: 15, kind: 'fwd', name: 'either_later', of: 'union' },
      { id: 16, kind: 'typedef', name: 'record_t', target: 8 },
      { id: 17, kind: 'volatile', name: '', target: 1 },
      { id: 18, kind: 'restrict', name: '', target: 6 },
      {
        id: 19,
        kind: 'func_proto',
        name: '',
        returns: 1,
        parameters: [{ name: 'format', type: 6 }],
        variadic: true,
      },
      { id: 20, kind: 'func', name: 'print', prototype: 19, linkage: 'extern' },
      { id: 21, kind: 'var', name: 'counter', type: 1, linkage: 'static' },
      { id: 22, kind: 'datasec', name: '.bss', size: 4, variables: [{ type: 21, offset: 0, size: 4 }] },
      { id: 23, kind: 'decl_tag', name: 'kfunc', target: 20, component: -1 },
      { id: 24, kind: 'decl_tag', name: 'first', target: 8, component: 0 },
      { id: 25, kind: 'type_tag', name: 'user', target: 1 },
    ]);
  });

  it('reads the other byte order the same', () => {
    const little = readBtf(everyKind().bytes());
    const big = readBtf(everyKind({ littleEndian: false }).bytes());
    expect([little.littleEndian, big.littleEndian]).toEqual([true, false]);
    expect(types(big)).toEqual(types(little));
  });

  it('accepts a header that has grown', () => {
    expect(types(readBtf(everyKind({ extraHeader: 12 }).bytes()))).toEqual(
      types(readBtf(everyKind().bytes())),
    );
  });

  it('reads bytes at any alignment', () => {
    const bytes = everyKind().bytes();
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(types(readBtf(shifted.subarray(3)))).toEqual(types(readBtf(bytes)));
  });

  it('does not see later changes to its bytes', () => {
    const bytes = everyKind().bytes();
    const graph = readBtf(bytes);
    bytes.fill(0xff);
    expect(graph.type(1).name).toBe('int');
  });

  it('gives the same object for the same type', () => {
    const graph = readBtf(everyKind().bytes());
    expect(graph.type(8)).toBe(graph.type(8));
    expect(graph.resolve(16)).toBe(graph.type(8));
  });

  it.each([-1, 26, 1.5, Number.NaN])('has no type %d', (id) => {
    const graph = readBtf(everyKind().bytes());
    for (const use of ['type', 'resolve', 'sizeOf', 'nameOf'] as const) {
      expect(() => graph[use](id)).toThrow(expect.objectContaining({ code: 'bad-object' }));
    }
  });

  it('takes the width of a bit field from its type where structs do not tell', () => {
    const btf = new BtfBuilder();
    const three = btf.int('unsigned int', 4, { bits: 3, bitOffset: 2 });
    const int = btf.int('int', 4, { signed: true });
    const id = btf.struct('old', 8, [
      { name: 'bits', type: three, bitOffset: 0 },
      { name: 'all', type: int, offset: 4 },
    ]);
    expect(readBtf(btf.bytes()).type(id)).toMatchObject({
      members: [
        { name: 'bits', bitOffset: 2, bitSize: 3 },
        { name: 'all', bitOffset: 32, bitSize: 0 },
      ],
    });
  });

  it('replaces control characters in names', () => {
    const btf = new BtfBuilder();
    const id = btf.int('a\u001b[2Jb\nc\u009bd', 4);
    expect(readBtf(btf.bytes()).type(id).name).toBe('a\ufffd[2Jb\ufffdc\ufffdd');
  });
});

describe('sizeOf', () => {
  it('knows the size of all types that have one', () => {
    const graph = readBtf(everyKind().bytes());
    const sizes = Object.fromEntries(
      [1, 2, 4, 6, 7, 8, 9, 10, 12, 16, 17, 18, 21, 22, 25].map((id) => [graph.nameOf(id), graph.sizeOf(id)]),
    );
    expect(sizes).toEqual({
      int: 4,
      char: 1,
      double: 8,
      'const char *': 8,
      'int[3]': 12,
      'struct record': 16,
      'union either': 8,
      'enum sign': 4,
      'enum wide': 8,
      record_t: 16,
      'volatile int': 4,
      'const char *restrict': 8,
      'int counter': 4,
      '.bss': 4,
    });
  });

  it.each([0, 14, 19, 20, 23])('refuses type %d, which has none', (id) => {
    const graph = readBtf(everyKind().bytes());
    expect(() => graph.sizeOf(id)).toThrow(expect.objectContaining({ code: 'bad-object' }));
  });
});

describe('find', () => {
  it('finds by name and kind', () => {
    const graph = readBtf(everyKind().bytes());
    expect(graph.find('record')?.id).toBe(8);
    expect(graph.find('record', 'struct')?.id).toBe(8);
    expect(graph.find('record', 'union', 'typedef')).toBeUndefined();
    expect(graph.find('recor')).toBeUndefined();
    expect(graph.find('')).toBeUndefined();
  });

  it('gives the first of several with one name', () => {
    const btf = new BtfBuilder();
    const first = btf.struct('same', 0, []);
    btf.struct('same', 0, []);
    const union = btf.union('same', 0, []);
    const graph = readBtf(btf.bytes());
    expect(graph.find('same')?.id).toBe(first);
    expect(graph.find('same', 'union')?.id).toBe(union);
  });

  it('finds each of ten thousand names', () => {
    const btf = new BtfBuilder();
    const ids = Array.from({ length: 10_000 }, (_, index) => btf.struct(`type_${index}`, 0, []));
    const graph = readBtf(btf.bytes());
    expect(ids.map((_, index) => graph.find(`type_${index}`, 'struct')?.id)).toEqual(ids);
  });

  it('tells names apart that begin with the same 256 bytes', () => {
    const btf = new BtfBuilder();
    const long = 'x'.repeat(300);
    btf.struct(`${long}a`, 0, []);
    const second = btf.struct(`${long}b`, 0, []);
    expect(readBtf(btf.bytes()).find(`${long}b`)?.id).toBe(second);
  });
});

describe('split BTF', () => {
  function split(): { base: BtfBuilder; module: BtfBuilder } {
    const base = everyKind();
    const module = new BtfBuilder({ base });
    module.struct('added', 32, [
      { name: 'record', type: 16, offset: 0 },
      { name: 'bits', type: 1, offset: 16 },
      { name: 'own', type: module.nextId + 1, offset: 24 },
    ]);
    module.ptr(module.nextId - 1);
    return { base, module };
  }

  it('goes on with the ids and strings of its base', () => {
    const { base, module } = split();
    const kernel = readBtf(base.bytes());
    const graph = readBtf(module.bytes(), kernel);
    expect(graph.count).toBe(kernel.count + 2);
    expect(graph.type(8)).toBe(kernel.type(8));
    expect(graph.type(kernel.count)).toMatchObject({ kind: 'struct', name: 'added', id: kernel.count });
    expect(graph.resolve(16).name).toBe('record');
    expect(graph.sizeOf(16)).toBe(16);
    expect(graph.nameOf(kernel.count + 1)).toBe('struct added *');
  });

  it('finds names in both', () => {
    const { base, module } = split();
    const kernel = readBtf(base.bytes());
    const graph = readBtf(module.bytes(), kernel);
    expect(graph.find('added', 'struct')?.id).toBe(kernel.count);
    expect(graph.find('record', 'struct')).toBe(kernel.type(8));
    expect(kernel.find('added')).toBeUndefined();
  });

  it('is damaged without its base', () => {
    expect(() => readBtf(split().module.bytes())).toThrow(expect.objectContaining({ code: 'bad-object' }));
  });

  it('refuses a base of the other byte order', () => {
    const kernel = readBtf(everyKind({ littleEndian: false }).bytes());
    expect(() => readBtf(split().module.bytes(), kernel)).toThrow(/byte order/);
  });
});
