import fc from 'fast-check';
import type { BtfBuilder, BuilderMember } from '../../../support/btf-builder.js';
import type { CTypes } from './support.js';

/** A type to be built, and the place it needs. */
export interface Shape {
  readonly size: number;
  readonly align: number;
  readonly build: (btf: BtfBuilder, c: CTypes) => number;
  readonly bitSize?: number;
}

/** Integers, bool and floats with their sizes. */
export const basics: readonly (readonly [keyof CTypes, number])[] = [
  ['u8', 1],
  ['u16', 2],
  ['u32', 4],
  ['u64', 8],
  ['s8', 1],
  ['s16', 2],
  ['s32', 4],
  ['s64', 8],
  ['u128', 16],
  ['s128', 16],
  ['be16', 2],
  ['be32', 4],
  ['be64', 8],
  ['bool', 1],
  ['f32', 4],
  ['f64', 8],
];

const basic: fc.Arbitrary<Shape> = fc
  .constantFrom(...basics)
  .map(([name, size]) => ({ size, align: size, build: (_: BtfBuilder, c: CTypes) => c[name] }));

const enumeration: fc.Arbitrary<Shape> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 127 }), { minLength: 1, maxLength: 5 }),
    fc.constantFrom(1, 2, 4, 8),
    fc.boolean(),
  )
  .map(([values, size, signed]) => {
    // Some below zero, some that only 64 bits hold.
    const number = (value: number): bigint =>
      signed && value > 100
        ? -BigInt(value)
        : size === 8 && value > 60
          ? BigInt(value) << 40n
          : BigInt(value);
    const named = values.map((value) => [`n${value}`, number(value)] as const);
    return {
      size,
      align: size,
      build: (btf: BtfBuilder) =>
        size === 8
          ? btf.enum64('e', Object.fromEntries(named), { signed })
          : btf.enum('e', Object.fromEntries(named.map(([name, value]) => [name, Number(value)])), {
              size,
              signed,
            }),
    };
  });

const characters: fc.Arbitrary<Shape> = fc
  .integer({ min: 1, max: 20 })
  .map((size) => ({ size, align: 1, build: (btf: BtfBuilder, c: CTypes) => btf.array(c.char, size) }));

const bitInteger: fc.Arbitrary<Shape> = fc
  .constantFrom<readonly [keyof CTypes, number]>(
    ['u32', 32],
    ['s32', 32],
    ['u64', 64],
    ['s64', 64],
    ['u128', 128],
    ['s128', 128],
    ['u8', 8],
    ['bool', 8],
  )
  .chain(([name, width]) =>
    fc.integer({ min: 1, max: width }).map((bitSize) => ({
      size: width / 8,
      align: width / 8,
      bitSize,
      build: (_: BtfBuilder, c: CTypes) => c[name],
    })),
  );

/** Enumerators that the field is too narrow for among them. */
const bitEnum: fc.Arbitrary<Shape> = enumeration.chain((whole) =>
  fc.integer({ min: 1, max: whole.size * 8 }).map((bitSize) => ({ ...whole, bitSize })),
);

const bitField: fc.Arbitrary<Shape> = fc.oneof({ weight: 3, arbitrary: bitInteger }, bitEnum);

const names = ['a', 'b', 'addr', 'port', 'ip6', 'mac', 'constructor', 'src_ip', 'h_dest', 'value'];

/** Structs and unions, bit fields packed as a compiler packs them or tighter; anonymous members now and then. */
function composite(part: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc
    .record({
      parts: fc.array(fc.oneof({ weight: 3, arbitrary: part }, bitField), { minLength: 1, maxLength: 6 }),
      union: fc.boolean(),
      packed: fc.boolean(),
    })
    .map(({ parts, union, packed }) => layOut(parts, union, packed));
}

/** A struct or union with its members where a compiler puts them, or without padding. */
export function layOut(parts: readonly Shape[], union: boolean, packed: boolean): Shape {
  let bit = 0;
  let end = 0;
  let align = 1;
  const places = parts.map((part) => {
    if (union) bit = 0;
    if (part.bitSize === undefined) bit = Math.ceil(bit / 8) * 8;
    const step = packed ? 1 : part.align;
    if (!packed) align = Math.max(align, part.align);
    if (part.bitSize === undefined) bit = Math.ceil(bit / (step * 8)) * step * 8;
    const place = bit;
    bit += part.bitSize ?? part.size * 8;
    end = Math.max(end, Math.ceil(bit / 8));
    return place;
  });
  const size = Math.ceil(end / align) * align;
  return {
    size,
    align,
    build: (btf, c) => {
      const members = parts.map((part, index): BuilderMember => {
        const name = names[index] ?? `m${index}`;
        const type = part.build(btf, c);
        const bitOffset = places[index] ?? 0;
        return part.bitSize === undefined
          ? { name, type, bitOffset }
          : { name, type, bitOffset, bitSize: part.bitSize };
      });
      return union ? btf.union('u', size, members) : btf.struct('s', size, members);
    },
  };
}

function array(part: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.tuple(part, fc.integer({ min: 0, max: 6 })).map(([element, length]) => ({
    size: element.size * length,
    align: element.align,
    build: (btf: BtfBuilder, c: CTypes) => btf.array(element.build(btf, c), length),
  }));
}

function wrapped(part: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.tuple(part, fc.constantFrom('const', 'volatile', 'typedef', 'addr_t')).map(([inner, how]) => ({
    ...inner,
    build: (btf: BtfBuilder, c: CTypes) => {
      const id = inner.build(btf, c);
      return how === 'const' ? btf.const(id) : how === 'volatile' ? btf.volatile(id) : btf.typedef(how, id);
    },
  }));
}

/** Anonymous struct or union between two named members of a struct. */
function withAnonymous(part: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.tuple(part, part, part, fc.boolean()).map(([one, two, outer, union]) => {
    const start = outer.size;
    const second = union ? 0 : one.size;
    const innerSize = union ? Math.max(one.size, two.size) : one.size + two.size;
    return {
      size: start + innerSize + 1,
      align: 1,
      build: (btf: BtfBuilder, c: CTypes) => {
        const members = [
          { name: 'x', type: one.build(btf, c), offset: 0 },
          { name: 'y', type: two.build(btf, c), offset: second },
        ];
        const inner = union ? btf.union('', innerSize, members) : btf.struct('', innerSize, members);
        return btf.struct('anon', start + innerSize + 1, [
          { name: 'first', type: outer.build(btf, c), offset: 0 },
          { type: inner, offset: start },
          { name: 'last', type: c.u8, offset: start + innerSize },
        ]);
      },
    };
  });
}

const pointer: fc.Arbitrary<Shape> = fc.constant({
  size: 8,
  align: 8,
  build: (btf: BtfBuilder, c: CTypes) => btf.ptr(c.u32),
});
/** A number that JavaScript has no form for. */
const longDouble: fc.Arbitrary<Shape> = fc.constant({
  size: 16,
  align: 16,
  build: (btf: BtfBuilder) => btf.float('long double', 16),
});

function shapesOf(leaf: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.letrec<{ shape: Shape }>((tie) => ({
    shape: fc.oneof(
      { depthSize: 'medium', withCrossShrink: true },
      leaf,
      enumeration,
      characters,
      composite(tie('shape')),
      array(tie('shape')),
      wrapped(tie('shape')),
      withAnonymous(tie('shape')),
    ),
  })).shape;
}

/** Random types of every kind but pointers, which are not written. */
export const shape = shapesOf(fc.oneof({ weight: 8, arbitrary: basic }, longDouble));
/** Random types of every kind. */
export const shownShape = shapesOf(fc.oneof({ weight: 8, arbitrary: basic }, longDouble, pointer));
