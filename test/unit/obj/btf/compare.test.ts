import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareTypes, type TypeComparison } from '../../../../src/obj/btf/compare.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import type { BtfReference } from '../../../../src/obj/btf/subset.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { shape } from '../codec/shapes.js';
import { type CTypes, cTypes } from '../codec/support.js';

type Build = (btf: BtfBuilder, c: CTypes) => number;

function made(build: Build): BtfReference {
  const builder = new BtfBuilder();
  const id = build(builder, cTypes(builder));
  return { btf: readBtf(builder.bytes()), id };
}

function compared(from: Build, to: Build): TypeComparison {
  return compareTypes(made(from), made(to));
}

const struct =
  (size: number, ...members: readonly (readonly [string, Build, number])[]): Build =>
  (b, c) =>
    b.struct(
      's',
      size,
      members.map(([name, build, offset]) => ({ name, type: build(b, c), offset })),
    );
const u8: Build = (_, c) => c.u8;
const u32: Build = (_, c) => c.u32;
const u64: Build = (_, c) => c.u64;
const array =
  (element: Build, length: number): Build =>
  (b, c) =>
    b.array(element(b, c), length);

/** `limits.rate: 4, 4 bytes __u32 -> 8, 4 bytes __u32` */
function listed({ verdict, prefix, differences }: TypeComparison): string[] {
  const place = (at: TypeComparison['differences'][number]['from']): string =>
    at === undefined ? '-' : `${at.offset}+${at.size} ${at.type}`;
  return [
    `${verdict} ${prefix}`,
    ...differences.map(({ path, from, to }) => `${path}: ${place(from)} -> ${place(to)}`),
  ];
}

describe('comparing types', () => {
  test('a type is the same as itself, whatever it is', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(shape, ({ build }) => {
        const { btf, id } = made(build);
        expect(compareTypes({ btf, id }, made(build))).toEqual({
          verdict: 'same',
          prefix: btf.sizeOf(id),
          differences: [],
        });
      }),
      { numRuns: 300 },
    );
  });

  test('names of types and typedefs do not matter, names of members do', () => {
    const renamed: Build = (b, c) =>
      b.typedef('t', b.struct('other', 4, [{ name: 'a', type: b.const(c.u32), offset: 0 }]));
    expect(listed(compared(struct(4, ['a', u32, 0]), renamed))).toEqual(['same 4']);
    expect(listed(compared(struct(4, ['a', u32, 0]), struct(4, ['b', u32, 0])))).toEqual([
      'different 0',
      'a: 0+4 __u32 -> -',
      'b: - -> 0+4 __u32',
    ]);
  });

  test('members added at the end, and longer arrays there, have grown', () => {
    const old = struct(16, ['a', u64, 0], ['b', u32, 8]);
    expect(listed(compared(old, struct(24, ['a', u64, 0], ['b', u32, 8], ['c', u64, 16])))).toEqual([
      'grown 12',
      'c: - -> 16+8 __u64',
    ]);
    // Into the padding behind the last member, which need not be zero in the old values.
    expect(listed(compared(old, struct(16, ['a', u64, 0], ['b', u32, 8], ['c', u32, 12])))).toEqual([
      'grown 12',
      'c: - -> 12+4 __u32',
    ]);
    expect(listed(compared(struct(4, ['a', array(u8, 4), 0]), struct(8, ['a', array(u8, 8), 0])))).toEqual([
      'grown 4',
      'a: 0+4 __u8[4] -> 0+8 __u8[8]',
    ]);
    expect(listed(compared(array(u32, 2), array(u32, 3)))).toEqual([
      'grown 8',
      ': 0+8 __u32[2] -> 0+12 __u32[3]',
    ]);
    const nested = struct(8, ['n', struct(4, ['x', u32, 0]), 4]);
    expect(listed(compared(nested, struct(12, ['n', struct(8, ['x', u32, 0], ['y', u32, 4]), 4])))).toEqual([
      'grown 8',
      'n.y: - -> 8+4 __u32',
    ]);
    expect(listed(compared(struct(12, ['a', u64, 0]), struct(16, ['a', u64, 0])))).toEqual(['grown 8']);
  });

  test('an array that is an address is another one when it is longer, and so is one in a union', () => {
    const named = (name: string, length: number): Build => struct(length, [name, array(u8, length), 0]);
    expect(listed(compared(named('addr', 4), named('addr', 16)))).toEqual([
      'different 0',
      'addr: 0+4 __u8[4] -> 0+16 __u8[16]',
    ]);
    expect(compared(named('name', 4), named('name', 16)).verdict).toBe('grown');
    const inner = (length: number): Build => struct(length, ['peer_ip', named('bytes', length), 0]);
    expect(compared(inner(4), inner(16)).verdict).toBe('different');
    const typedef =
      (name: string, length: number): Build =>
      (b, c) =>
        b.typedef(name, b.array(c.u8, length));
    expect(compared(typedef('ipv4_addr', 4), typedef('ipv6_addr', 16)).verdict).toBe('different');
    expect(compared(typedef('tag', 4), typedef('tag', 16)).verdict).toBe('grown');
    const words = (length: number): Build => struct(4 * length, ['ip6', array(u32, length), 0]);
    expect(compared(words(1), words(4)).verdict).toBe('different');
    const either =
      (length: number): Build =>
      (b, c) =>
        b.union('u', length, [
          { name: 'word', type: c.u32, offset: 0 },
          { name: 'raw', type: b.array(c.u8, length), offset: 0 },
        ]);
    expect(compared(either(4), either(16)).verdict).toBe('different');
  });

  test('anything put in between is different', () => {
    const old = struct(16, ['a', u8, 0], ['b', u64, 8]);
    expect(listed(compared(old, struct(16, ['a', u8, 0], ['pad', u32, 4], ['b', u64, 8])))).toEqual([
      'different 0',
      'pad: - -> 4+4 __u32',
    ]);
    expect(listed(compared(old, struct(24, ['a', u8, 0], ['c', u64, 8], ['b', u64, 16])))).toEqual([
      'different 0',
      'b: 8+8 __u64 -> 16+8 __u64',
      'c: - -> 8+8 __u64',
    ]);
    const grownInside = struct(16, ['a', array(u8, 2), 0], ['b', u64, 8]);
    expect(listed(compared(struct(16, ['a', array(u8, 1), 0], ['b', u64, 8]), grownInside))).toEqual([
      'different 0',
      'a: 0+1 __u8[1] -> 0+2 __u8[2]',
    ]);
  });

  test('widths, signs, byte orders and kinds matter', () => {
    const differs = (from: Build, to: Build): void => expect(compared(from, to).verdict).toBe('different');
    differs(u32, u64);
    differs(u64, u32);
    differs(u32, (_, c) => c.s32);
    differs(u32, (_, c) => c.be32);
    differs(u32, (_, c) => c.f32);
    differs(u8, (_, c) => c.bool);
    differs(u32, (b) => b.enum('e', { a: 0 }));
    differs(array(u32, 3), array(u32, 2));
    differs(array(u32, 2), u64);
    differs(struct(4, ['a', u32, 0]), (b, c) => b.union('u', 4, [{ name: 'a', type: c.u32, offset: 0 }]));
    expect(
      compared(
        array((_, c) => c.char, 4),
        array(u8, 4),
      ).verdict,
    ).toBe('same');
    expect(compared(u64, (b) => b.int('unsigned long', 8)).verdict).toBe('same');
    expect(
      compared(
        (b) => b.ptr(0),
        (b, c) => b.ptr(c.u8),
      ).verdict,
    ).toBe('same');
  });

  test('enumerators keep their values, and may get company', () => {
    const enumeration =
      (values: Record<string, number>): Build =>
      (b) =>
        b.enum('action', values);
    const old = enumeration({ pass: 0, drop: 1 });
    expect(compared(old, enumeration({ pass: 0, drop: 1, log: 2 })).verdict).toBe('same');
    expect(listed(compared(old, enumeration({ drop: 0, pass: 1 })))).toEqual([
      'different 0',
      ': 0+4 enum action -> 0+4 enum action',
    ]);
    expect(compared(old, enumeration({ pass: 0 })).verdict).toBe('different');
  });

  test('bit fields keep their place and width', () => {
    const bits =
      (...widths: readonly number[]): Build =>
      (b, c) => {
        let at = 0;
        return b.struct(
          's',
          4,
          widths.map((bitSize, index) => {
            const member = { name: `b${index}`, type: c.u32, bitOffset: at, bitSize };
            at += bitSize;
            return member;
          }),
        );
      };
    expect(compared(bits(3, 5), bits(3, 5)).verdict).toBe('same');
    expect(listed(compared(bits(3, 5), bits(3, 6)))).toEqual([
      'different 0',
      'b1: 0+1 __u32:5 -> 0+2 __u32:6',
    ]);
    expect(listed(compared(bits(8), bits(8, 4)))).toEqual(['grown 1', 'b1: - -> 1+1 __u32:4']);
    // The new bits share a byte with old ones, whose values of these bits nobody set.
    expect(compared(bits(3), bits(3, 4)).verdict).toBe('different');
  });

  test('members of anonymous structs and unions count as the outer one’s', () => {
    const anonymous =
      (names: readonly string[]): Build =>
      (b, c) => {
        const inner = b.union(
          '',
          4,
          names.map((name) => ({ name, type: c.u32, offset: 0 })),
        );
        return b.struct('s', 8, [
          { type: inner, offset: 0 },
          { name: 'z', type: c.u32, offset: 4 },
        ]);
      };
    expect(compared(anonymous(['x', 'y']), anonymous(['x', 'y'])).verdict).toBe('same');
    expect(listed(compared(anonymous(['x']), anonymous(['x', 'y'])))).toEqual([
      'different 0',
      'y: - -> 0+4 __u32',
    ]);
  });

  test('a difference within the elements of an array is told for the first', () => {
    const rules = (rate: Build, size: number): Build =>
      struct(8 * size + 8, ['rules', array(struct(size, ['id', u32, 0], ['rate', rate, size / 2]), 2), 8]);
    expect(
      listed(
        compared(
          rules(u32, 8),
          rules((_, c) => c.s32, 8),
        ),
      ),
    ).toEqual(['different 0', 'rules[0].rate: 12+4 __u32 -> 12+4 int']);
  });

  test('nesting that doubles with every level ends in an error', () => {
    const deep: Build = (b, c) => {
      let inner = c.u8;
      for (let level = 0; level < 25; level++) {
        inner = b.struct(`l${level}`, 2 ** (level + 1), [
          { name: 'a', type: inner, offset: 0 },
          { name: 'b', type: inner, offset: 2 ** level },
        ]);
      }
      return inner;
    };
    expect(() => compared(deep, deep)).toThrow('has too many members');
  });
});
