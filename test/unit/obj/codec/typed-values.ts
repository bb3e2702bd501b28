import fc from 'fast-check';
import { NetkitError } from '../../../../src/base/errors.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { type Codec, codecFor, codecForWord } from '../../../../src/obj/codec/index.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { type Shape, shape, shownShape } from './shapes.js';
import { cTypes } from './support.js';

/** Random bytes with many zeros, texts and edges among them. */
export function bytesOf(size: number): fc.Arbitrary<Uint8Array> {
  const byte = fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 255 }) },
    fc.constantFrom(0, 0, 1, 0x7f, 0x80, 0xff, 0x61, 0x22, 0x2c, 0x20),
  );
  return fc.array(byte, { minLength: size, maxLength: size }).map((bytes) => Uint8Array.from(bytes));
}

export function compile(built: Shape, littleEndian: boolean): Codec | undefined {
  const btf = new BtfBuilder({ littleEndian });
  const id = built.build(btf, cTypes(btf));
  try {
    return codecFor(readBtf(btf.bytes()), id, { littleEndian });
  } catch (error) {
    // A struct that ends in an empty array is refused, as it should be.
    if (error instanceof NetkitError && error.message.includes('flexible array')) return undefined;
    throw error;
  }
}

function withBytes(shapes: fc.Arbitrary<Shape>): fc.Arbitrary<[Shape, boolean, Uint8Array]> {
  return fc
    .tuple(shapes, fc.boolean())
    .filter(([built]) => built.size <= 4096)
    .chain(([built, littleEndian]) =>
      fc.tuple(fc.constant(built), fc.constant(littleEndian), bytesOf(built.size)),
    );
}

/** A type, the byte order of its memory, and as many bytes as it has. */
export const typed = withBytes(shape);

const words = ['u8', 'u32', 'u64', 's64', 'be16', 'be64', 'ipv4', 'ipv6', 'mac', 'string:9', 'bytes:5'];
const prefixes = fc.constantFrom('prefix4', 'prefix6').chain((word) => {
  const width = word === 'prefix4' ? 4 : 16;
  return fc.tuple(bytesOf(width), fc.nat(width * 8), fc.boolean()).map(([address, length, network]) => {
    const bytes = new Uint8Array(width + 4);
    new DataView(bytes.buffer).setUint32(0, length, true);
    for (const [index, byte] of address.entries()) {
      const kept = Math.min(8, Math.max(0, length - index * 8));
      bytes[index + 4] = network ? byte & (0xff00 >> kept) : byte;
    }
    return { codec: codecForWord(word, { littleEndian: true }), bytes };
  });
});

export interface TypedBytes {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
}

/** A codec of any kind, pointers and long doubles too, and bytes for it. */
export const typedBytes: fc.Arbitrary<TypedBytes> = fc.oneof(
  {
    weight: 5,
    arbitrary: withBytes(shownShape).chain(([built, littleEndian, bytes]) => {
      const codec = compile(built, littleEndian);
      return codec === undefined
        ? fc.constant({ codec: codecForWord('u32'), bytes: new Uint8Array(4) })
        : fc.constant({ codec, bytes });
    }),
  },
  fc
    .constantFrom(...words)
    .map((word) => codecForWord(word))
    .chain((codec) => bytesOf(codec.size).map((bytes) => ({ codec, bytes }))),
  prefixes,
);
