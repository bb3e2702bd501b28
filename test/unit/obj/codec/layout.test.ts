import { describe, expect, it } from 'vitest';
import { codecOfType, hexOfText, refusal, valueOfHex } from './support.js';

describe('bit fields', () => {
  /** struct { unsigned a:3; int b:5; unsigned c:13; __u64 d:40; bool e:1; enum f:2 } */
  const bits = (littleEndian: boolean) =>
    codecOfType(
      (btf, c) =>
        btf.struct('bits', 16, [
          { name: 'a', type: c.u32, bitOffset: 0, bitSize: 3 },
          { name: 'b', type: c.s32, bitOffset: 3, bitSize: 5 },
          { name: 'c', type: c.u32, bitOffset: 8, bitSize: 13 },
          { name: 'd', type: c.u64, bitOffset: 21, bitSize: 40 },
          { name: 'e', type: c.bool, bitOffset: 61, bitSize: 1 },
          { name: 'f', type: btf.enum('mode', { off: 0, on: 2 }), bitOffset: 62, bitSize: 2 },
          { name: 'g', type: c.u64, bitOffset: 64, bitSize: 64 },
        ]),
      { littleEndian },
    );
  const value = { a: 5, b: -3, c: 0x1abc, d: 0x123456789an, e: true, f: 'on', g: 0xfedcba9876543210n };

  it('lie where a little-endian compiler puts them', () => {
    const packed = 5n | (29n << 3n) | (0x1abcn << 8n) | (0x123456789an << 21n) | (1n << 61n) | (2n << 62n);
    const view = new DataView(new ArrayBuffer(16));
    bits(true).encode(value, view, 0);
    expect(view.getBigUint64(0, true)).toBe(packed);
    expect(view.getBigUint64(8, true)).toBe(value.g);
    expect(bits(true).decode(view, 0)).toEqual(value);
  });

  it('lie where a big-endian compiler puts them', () => {
    const packed = (5n << 61n) | (29n << 56n) | (0x1abcn << 43n) | (0x123456789an << 3n) | (1n << 2n) | 2n;
    const view = new DataView(new ArrayBuffer(16));
    bits(false).encode(value, view, 0);
    expect(view.getBigUint64(0)).toBe(packed);
    expect(view.getBigUint64(8)).toBe(value.g);
    expect(bits(false).decode(view, 0)).toEqual(value);
  });

  it('are range-checked by their width', () => {
    expect(refusal(() => bits(true).parse('a=8'))).toBe('value.a: 8 does not fit 3 bits (0 to 7)');
    expect(refusal(() => bits(true).parse('b=16'))).toBe(
      'value.b: 16 does not fit 5 signed bits (-16 to 15)',
    );
    expect(refusal(() => bits(true).parse('f=4'))).toMatch('value.f: 4 does not fit enum mode');
    expect(refusal(() => bits(true).parse('d=0x10000000000'))).toMatch('does not fit 40 bits');
    expect(refusal(() => bits(true).parse('a=hex:01'))).toMatch('is not an integer');
  });

  it('know no enumerator that they are too narrow for', () => {
    const codec = codecOfType((btf) => {
      const mode = btf.enum('mode', { huge: 4, zero: 0, minus: 0xffff_ffff });
      return btf.struct('s', 1, [{ name: 'm', type: mode, bitOffset: 0, bitSize: 2 }]);
    });
    expect(valueOfHex(codec, '00')).toEqual({ m: 'zero' });
    expect(refusal(() => codec.parse('m=huge'))).toBe('value.m: huge (4) does not fit 2 bits');
    // -1 of compilers that do not say that an enum is signed.
    expect(valueOfHex(codec, '03')).toEqual({ m: 'minus' });
    expect(hexOfText(codec, 'm=minus')).toBe('03');
    expect(hexOfText(codec, 'm=-1')).toBe('03');
  });

  it('of old compilers carry their width in the integer type', () => {
    const codec = codecOfType((btf) => {
      const narrow = btf.int('unsigned int', 4, { bits: 3, bitOffset: 2 });
      return btf.struct('old', 4, [{ name: 'x', type: narrow, offset: 0 }]);
    });
    expect(hexOfText(codec, 'x=7')).toBe('1c000000');
    expect(valueOfHex(codec, '1c000000')).toEqual({ x: 7 });
  });
});

describe('unions', () => {
  it('take any one member and print the largest', () => {
    const codec = codecOfType((btf, c) =>
      btf.union('u', 8, [
        { name: 'small', type: c.u16, offset: 0 },
        { name: 'large', type: c.u64, offset: 0 },
        { name: 'same', type: c.s64, offset: 0 },
      ]),
    );
    expect(hexOfText(codec, 'small=258')).toBe('0201000000000000');
    expect(valueOfHex(codec, '0201000000000000')).toEqual({ large: 258n });
    expect(hexOfText(codec, '7')).toBe('0700000000000000');
    expect(refusal(() => codec.parse('small=1,large=2'))).toBe(
      'small and large share their bytes (union): give one of them',
    );
    expect(codec.describe()).toBe('{"small": u16 or "large": u64 or "same": s64}');
  });

  it('without a name give their members to the struct around them', () => {
    const codec = codecOfType((btf, c) => {
      const pair = btf.struct('', 8, [
        { name: 'lo', type: c.u32, offset: 0 },
        { name: 'hi', type: c.u32, offset: 4 },
      ]);
      const inner = btf.union('', 8, [
        { name: 'id', type: c.u32, offset: 0 },
        { type: pair, offset: 0 },
      ]);
      return btf.struct('s', 16, [
        { name: 'tag', type: c.u8, offset: 0 },
        { type: inner, offset: 8 },
      ]);
    });
    expect(codec.parse('tag=1,id=5')).toEqual({ tag: 1, lo: 5, hi: 0 });
    expect(codec.parse('lo=1,hi=2')).toEqual({ tag: 0, lo: 1, hi: 2 });
    expect(hexOfText(codec, 'tag=1,hi=2')).toBe('01000000000000000000000002000000');
    expect(refusal(() => codec.parse('id=1,hi=2'))).toBe(
      'id and hi share their bytes (union): give one of them',
    );
    expect(codec.describe()).toBe('{"tag": u8, "id": u32 or "lo": u32, "hi": u32}');
  });
});
