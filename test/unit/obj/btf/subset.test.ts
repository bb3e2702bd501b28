import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { BtfSubset } from '../../../../src/obj/btf/subset.js';
import type { BtfGraph, BtfType } from '../../../../src/obj/btf/types.js';
import { codecFor } from '../../../../src/obj/codec/index.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { shape } from '../codec/shapes.js';
import { type CTypes, cTypes } from '../codec/support.js';
import { objectSpec } from '../fixtures.js';
import { everyKind } from './every-kind.js';

/** The subset with one type of a graph. */
function subsetOf(btf: BtfGraph, id: number): { btf: BtfGraph; id: number; bytes: Uint8Array } {
  const subset = new BtfSubset();
  const newId = subset.add({ btf, id });
  const bytes = subset.bytes();
  return { btf: readBtf(bytes), id: newId, bytes };
}

function graphOf(build: (btf: BtfBuilder, c: CTypes) => number): { btf: BtfGraph; id: number } {
  const builder = new BtfBuilder();
  const id = build(builder, cTypes(builder));
  return { btf: readBtf(builder.bytes()), id };
}

/** A type with all that it consists of, ids aside. */
function written(btf: BtfGraph, id: number): unknown {
  const { id: _, ...type } = btf.type(id) satisfies BtfType;
  switch (type.kind) {
    case 'struct':
    case 'union':
      return { ...type, members: type.members.map((each) => ({ ...each, type: written(btf, each.type) })) };
    case 'array':
      return { ...type, element: written(btf, type.element), index: written(btf, type.index) };
    case 'typedef':
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return { ...type, target: written(btf, type.target) };
    case 'datasec':
      return {
        ...type,
        variables: type.variables.map((each) => ({ ...each, type: written(btf, each.type) })),
      };
    case 'var':
      return { ...type, type: written(btf, type.type) };
    case 'ptr':
    case 'func':
    case 'func_proto':
    case 'decl_tag':
      return { kind: type.kind, name: btf.nameOf(id) };
    default:
      return type;
  }
}

describe('a subset of BTF', () => {
  test('has a type of any kind as it was, and nothing that it does not need', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(shape, ({ build }) => {
        const { btf, id } = graphOf(build);
        const subset = subsetOf(btf, id);
        expect(written(subset.btf, subset.id)).toEqual(written(btf, id));
        expect(subset.btf.sizeOf(subset.id)).toBe(btf.sizeOf(id));
        expect(subset.btf.count).toBeLessThanOrEqual(btf.count);
        expect(subsetOf(subset.btf, subset.id).btf.count).toBe(subset.btf.count);
      }),
      { numRuns: 400 },
    );
  });

  test('of a map of an object leads to the same codec, and is small', () => {
    let seen = 0;
    for (const name of ['maps', 'many', 'globals', 'pinned'] as const) {
      const { btf, maps } = objectSpec(name);
      if (btf === undefined) throw new Error(`${name} has no BTF`);
      for (const map of maps) {
        for (const id of [map.keyType, map.valueType]) {
          if (id === undefined || btf.type(id).kind === 'void') continue;
          const subset = subsetOf(btf, id);
          expect(subset.bytes.length).toBeLessThan(4096);
          expect(formOf(subset.btf, subset.id)).toBe(formOf(btf, id));
          seen++;
        }
      }
    }
    expect(seen).toBeGreaterThan(10);
  });

  test('has what else a type can be: sections, functions, forward declarations', () => {
    const btf = readBtf(everyKind().bytes());
    for (let id = 1; id < btf.count; id++) {
      const subset = subsetOf(btf, id);
      expect(written(subset.btf, subset.id)).toEqual(written(btf, id));
      expect(subset.btf.nameOf(subset.id)).toBe(btf.nameOf(id));
    }
  });

  test('has key and value of one graph together, each type once, and those of two graphs apart', () => {
    const { btf, id } = graphOf((_, c) => c.u32);
    const other = graphOf((_, c) => c.u32);
    const subset = new BtfSubset();
    const first = subset.add({ btf, id });
    expect(subset.add({ btf, id })).toBe(first);
    expect(subset.add(other)).not.toBe(first);
    expect(readBtf(subset.bytes()).count).toBe(5);
  });

  test('keeps of what is behind a pointer the name alone', () => {
    const { btf, id } = graphOf((b, c) => {
      const huge = b.struct('huge', 400, [{ name: 'all', type: b.array(c.u64, 50), offset: 0 }]);
      const nameless = b.struct('', 8, [{ name: 'x', type: c.u64, offset: 0 }]);
      const call = b.prototype(0, [['h', b.ptr(huge)]]);
      return b.struct('node', 48, [
        { name: 'one', type: b.ptr(b.const(huge)), offset: 0 },
        { name: 'two', type: b.ptr(b.typedef('huge_t', huge)), offset: 8 },
        { name: 'three', type: b.ptr(b.ptr(nameless)), offset: 16 },
        { name: 'four', type: b.ptr(call), offset: 24 },
        { name: 'five', type: b.ptr(b.typeTag('kptr_untrusted', huge)), offset: 32 },
        { name: 'six', type: b.ptr(0), offset: 40 },
      ]);
    });
    const subset = subsetOf(btf, id);
    const node = subset.btf.type(subset.id);
    if (node.kind !== 'struct') throw new Error('no struct');
    expect(node.members.map(({ type }) => subset.btf.nameOf(type))).toEqual([
      'const struct huge *',
      'huge_t *',
      'void **',
      'void *',
      'struct huge *',
      'void *',
    ]);
    // By this one the kernel finds its own struct.
    expect(subset.btf.find('huge', 'struct')).toMatchObject({ size: 400, members: [] });
    expect(subset.btf.find('huge', 'fwd')).toBeDefined();
    expect(formOf(subset.btf, subset.id)).toBe(formOf(btf, id));
  });

  test('has a struct that points to itself', () => {
    const { btf, id } = graphOf((b) => {
      const struct = b.nextId + 1;
      const pointer = b.ptr(struct);
      return b.struct('list', 8, [{ name: 'next', type: pointer, offset: 0 }]);
    });
    const subset = subsetOf(btf, id);
    const list = subset.btf.type(subset.id);
    if (list.kind !== 'struct') throw new Error('no struct');
    const next = subset.btf.type(list.members[0]?.type ?? 0);
    expect(next).toMatchObject({ kind: 'ptr', target: subset.id });
    expect(subset.btf.count).toBe(3);
  });

  test('keeps tags of what it has', () => {
    const { btf, id } = graphOf((b, c) => {
      const struct = b.struct('s', 4, [{ name: 'head', type: c.u32, offset: 0 }]);
      b.declTag('contains:node:list', struct, 0);
      b.declTag('other', b.typedef('unused', c.u8));
      return struct;
    });
    const { btf: graph, id: newId } = subsetOf(btf, id);
    const tags = Array.from({ length: graph.count }, (_, at) => graph.type(at)).filter(
      ({ kind }) => kind === 'decl_tag',
    );
    expect(tags).toMatchObject([{ name: 'contains:node:list', target: newId, component: 0 }]);
  });

  test('has enums as old kernels know them, and wide ones where they are needed', () => {
    const kindOf = (build: (btf: BtfBuilder, c: CTypes) => number): number => {
      const { btf, id } = graphOf(build);
      const { bytes } = subsetOf(btf, id);
      return (new DataView(bytes.buffer).getUint32(24 + 4, true) >>> 24) & 31;
    };
    expect(kindOf((b) => b.enum('e', { a: -1 }, { signed: true }))).toBe(6);
    expect(kindOf((b) => b.enum64('e', { a: 1n }))).toBe(6);
    expect(kindOf((b) => b.enum64('e', { a: 1n << 40n }))).toBe(19);
    expect(kindOf((b) => b.enum64('e', { a: -(1n << 40n) }, { signed: true }))).toBe(19);
  });
});

function formOf(btf: BtfGraph, id: number): string {
  try {
    return codecFor(btf, id).describe();
  } catch (error) {
    if (error instanceof NetkitError) return error.message;
    throw error;
  }
}
