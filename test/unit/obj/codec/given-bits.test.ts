import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import type { Codec, Value } from '../../../../src/obj/codec/index.js';
import { bytesOf, compile, typed } from './typed-values.js';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer);

function encoded(codec: Codec, value: Value): Uint8Array | undefined {
  const bytes = new Uint8Array(codec.size);
  try {
    codec.encode(value, viewOf(bytes), 0);
    return bytes;
  } catch (error) {
    // Pointers are shown and cannot be written.
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

function given(codec: Codec, value: Value | undefined): Uint8Array {
  const mask = new Uint8Array(codec.size);
  codec.markGiven(value, viewOf(mask), 0);
  return mask;
}

/** Some members of an object. */
function pruned(value: Value, kept: readonly boolean[]): Value {
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter((_, index) => kept[index % kept.length] === true));
}

test('whatever a value writes lies in the bits that it gives, and the others can be kept', () => {
  const some = fc.array(fc.boolean(), { minLength: 3, maxLength: 7 });
  let tried = 0;
  fc.assert(
    fc.property(
      typed.chain((each) => fc.tuple(fc.constant(each), bytesOf(each[0].size), some)),
      ([[shape, littleEndian, bytes], background, kept]) => {
        const codec = compile(shape, littleEndian);
        if (codec === undefined) return;
        const value = pruned(codec.decode(viewOf(bytes), 0), kept);
        const own = encoded(codec, value);
        if (own === undefined) return;
        tried++;
        const mask = given(codec, value);
        expect(own.map((byte, at) => byte & ~(mask[at] ?? 0)).every((byte) => byte === 0)).toBe(true);
        const merged = background.map(
          (byte, at) => (byte & ~(mask[at] ?? 0)) | ((own[at] ?? 0) & (mask[at] ?? 0)),
        );
        const [after, before, wanted] = [merged, background, own].map((each) =>
          codec.decode(viewOf(each), 0),
        );
        if (typeof value !== 'object' || Array.isArray(value)) {
          expect(after).toEqual(wanted);
          return;
        }
        const isUnion = / or /.test(codec.describe());
        for (const name of Object.keys(objectOf(after))) {
          const isGiven = Object.hasOwn(value, name);
          // Members of a union share their bytes.
          if (!isGiven && isUnion) continue;
          const member = objectOf(isGiven ? wanted : before)[name];
          if (isGiven && hasHidden(member)) continue;
          expect(objectOf(after)[name], name).toEqual(member);
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(tried).toBeGreaterThan(500);
});

function objectOf(value: Value | undefined): { readonly [member: string]: Value } {
  return typeof value === 'object' && !Array.isArray(value) ? value : {};
}

/** A struct in it may have smaller members of a union, or an array whose text ends early. */
function hasHidden(value: Value | undefined): boolean {
  return typeof value === 'object';
}

test('all that is shown is given when no value is named', () => {
  fc.assert(
    fc.property(typed, ([shape, littleEndian, bytes]) => {
      const codec = compile(shape, littleEndian);
      if (codec === undefined) return;
      const mask = given(codec, undefined);
      const own = encoded(codec, codec.decode(viewOf(bytes), 0));
      if (own === undefined) return;
      expect(own.every((byte, at) => (byte & ~(mask[at] ?? 0)) === 0)).toBe(true);
      const columns = new Uint8Array(codec.size);
      for (const column of codec.columns) column.markGiven(viewOf(columns), 0);
      // Columns have the members that are shown; a union's smaller ones lie within, its bytes are given as a whole.
      expect(columns.every((byte, at) => (byte & ~(mask[at] ?? 0)) === 0)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
