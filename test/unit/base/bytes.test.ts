import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../src/base/bytes.js';

const eight = Uint8Array.of(0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88);
const badObject = expect.objectContaining({ name: 'NetkitError', code: 'bad-object' });

describe('ByteReader', () => {
  it('reads little endian unless told otherwise', () => {
    const reader = (): ByteReader => new ByteReader(eight);
    expect(reader().u8()).toBe(0x01);
    expect(reader().u16()).toBe(0x8201);
    expect(reader().u32()).toBe(0x84038201);
    expect(reader().u64()).toBe(0x8807860584038201n);
  });

  it('reads big endian', () => {
    const reader = (): ByteReader => new ByteReader(eight, { littleEndian: false });
    expect(reader().u16()).toBe(0x0182);
    expect(reader().u32()).toBe(0x01820384);
    expect(reader().u64()).toBe(0x0182038405860788n);
  });

  it('moves on with every read', () => {
    const reader = new ByteReader(eight);
    reader.u8();
    reader.u16();
    reader.u32();
    expect([reader.position, reader.remaining, reader.length]).toEqual([7, 1, 8]);
  });

  it('reads a view from where it begins, not from where its memory begins', () => {
    expect(new ByteReader(eight.subarray(2, 4)).u16()).toBe(0x8403);
    expect(() => new ByteReader(eight.subarray(2, 4)).u32()).toThrow(badObject);
  });

  it('gives bytes that share memory with the source', () => {
    const source = eight.slice();
    const part = new ByteReader(source).skip(2).bytes(2);
    source[2] = 0xff;
    expect([...part]).toEqual([0xff, 0x84]);
  });

  it('reads text up to its NUL byte, and no further', () => {
    const reader = new ByteReader(Buffer.from('über\0\0end', 'utf8'));
    expect(reader.cString()).toBe('über');
    expect(reader.cString()).toBe('');
    expect(() => reader.cString()).toThrow(badObject);
    expect(reader.position).toBe(7);
  });

  it('confines a slice to its bytes', () => {
    const slice = new ByteReader(eight, { littleEndian: false }).slice(2, 4);
    expect(slice.u32()).toBe(0x03840586);
    expect(() => slice.u8()).toThrow(badObject);
    expect(() => new ByteReader(eight).slice(6, 4)).toThrow(badObject);
  });

  it('reads elsewhere without moving', () => {
    const reader = new ByteReader(eight);
    expect(reader.at(6).u16()).toBe(0x8807);
    expect(reader.position).toBe(0);
    expect(reader.seek(8).remaining).toBe(0);
  });

  it.each([-1, 9, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])('refuses the offset %d', (offset) => {
    expect(() => new ByteReader(eight).seek(offset)).toThrow(badObject);
    expect(() => new ByteReader(eight).at(offset)).toThrow(badObject);
    expect(() => new ByteReader(eight).slice(offset, 0)).toThrow(badObject);
  });

  it.each([-1, 9, 0.5, Number.NaN, 2 ** 53])('refuses a count of %d', (count) => {
    expect(() => new ByteReader(eight).bytes(count)).toThrow(badObject);
    expect(() => new ByteReader(eight).skip(count)).toThrow(badObject);
    expect(() => new ByteReader(eight).slice(0, count)).toThrow(badObject);
  });

  it('stays where it was when a read fails', () => {
    const reader = new ByteReader(eight).seek(5);
    expect(() => reader.u32()).toThrow(badObject);
    expect(reader.position).toBe(5);
  });

  it('gives 64-bit sizes as numbers up to 2^53 - 1', () => {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, 2n ** 53n - 1n, true);
    expect(new ByteReader(bytes).size64()).toBe(2 ** 53 - 1);
    view.setBigUint64(0, 2n ** 53n, true);
    expect(() => new ByteReader(bytes).size64()).toThrow(badObject);
  });

  it('says what was being read', () => {
    expect(() => new ByteReader(eight, { what: 'ELF file' }).at(9)).toThrow(/^ELF file: /);
  });

  it('never reads outside its bytes, whatever it is asked for', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 16 }),
        fc.integer({ min: -4, max: 24 }),
        fc.integer({ min: -4, max: 24 }),
        (bytes, offset, count) => {
          const fits = offset >= 0 && count >= 0 && offset + count <= bytes.length;
          const read = (): number[] => [...new ByteReader(bytes).slice(offset, count).bytes(count)];
          if (fits) {
            expect(read()).toEqual([...bytes.subarray(offset, offset + count)]);
          } else {
            expect(read).toThrow(badObject);
          }
        },
      ),
    );
  });
});
