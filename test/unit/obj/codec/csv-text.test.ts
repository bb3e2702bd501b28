import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { type Codec, type CodecColumn, TextSink, TextSource } from '../../../../src/obj/codec/index.js';
import { codecOfType, refusal } from './support.js';
import { typedBytes } from './typed-values.js';

const filler = 0xa5;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What `writeCsv` appends, with no more room than it asks for. */
function written(column: CodecColumn, bytes: Uint8Array): string {
  const sink = new TextSink(column.csvLimit + 64);
  sink.bytes.fill(filler);
  column.writeCsv(viewOf(bytes), 0, sink);
  expect(sink.bytes.subarray(column.csvLimit).every((byte) => byte === filler)).toBe(true);
  return Buffer.from(sink.view()).toString();
}

/** The field at the start of a line as RFC 4180 has it, and what it stands for; undefined when it is none. */
function firstField(line: string): { readonly field: string; readonly text: string } | undefined {
  const [field] = /^(?:"(?:[^"]|"")*"(?=[,\r\n]|$)|[^",\r\n]*(?=[,\r\n]|$))/.exec(line) ?? [];
  if (field === undefined) return undefined;
  return { field, text: field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field };
}

/** Reads a field into zeroed bytes; undefined when it takes the slow way. */
function taken(
  codec: Codec,
  column: CodecColumn,
  line: string,
): { bytes: Uint8Array; field: string } | undefined {
  const all = Buffer.from(`x${line}`);
  const source = new TextSource(all);
  source.at = 1;
  const bytes = new Uint8Array(codec.size);
  if (!column.readCsv(source, viewOf(bytes), 0)) return undefined;
  return { bytes, field: all.subarray(1, source.at).toString() };
}

function encoded(codec: Codec, column: CodecColumn, text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(codec.size);
  try {
    column.encodeText(text, viewOf(bytes), 0);
    return bytes;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

const hex = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? 'refused' : Buffer.from(bytes).toString('hex');

/** The slow way over the bytes that the fast way was in before. */
function afterwards(codec: Codec, column: CodecColumn, line: string, text: string): string {
  const view = new DataView(new ArrayBuffer(codec.size));
  column.readCsv(new TextSource(Buffer.from(line)), view, 0);
  try {
    column.encodeText(text, view, 0);
  } catch {
    return 'refused';
  }
  return hex(new Uint8Array(view.buffer));
}

describe('columns', () => {
  it('bring every value back, field by field, in as much room as was asked for', () => {
    let seen = 0;
    fc.assert(
      fc.property(typedBytes, fc.constantFrom('', ',', '\n', '\r\n'), ({ codec, bytes }, behind) => {
        const back = new Uint8Array(codec.size);
        for (const column of codec.columns) {
          const field = written(column, bytes);
          const whole = firstField(field);
          expect(whole?.field).toBe(field);
          const slow = encoded(codec, column, whole?.text ?? '');
          const read = taken(codec, column, field + behind);
          // Pointers that are not null and prefixes with host bits are shown and not written.
          if (slow === undefined) {
            expect(read).toBeUndefined();
            return;
          }
          if (read !== undefined) expect([read.field, hex(read.bytes)]).toEqual([field, hex(slow)]);
          // Each field on its own line of bytes first, then all of them over one another.
          column.encodeText(whole?.text ?? '', viewOf(back), 0);
        }
        seen++;
        const value = codec.decode(viewOf(bytes), 0);
        expect(codec.decode(viewOf(back), 0)).toStrictEqual(value);
        const again = new Uint8Array(codec.size).fill(filler);
        codec.encode(value, viewOf(again), 0);
        // JavaScript has one NaN, memory many.
        if (!codec.format(value).includes('NaN')) expect(hex(back)).toBe(hex(again));
      }),
      { numRuns: 4000 },
    );
    expect(seen).toBeGreaterThan(2000);
  });

  it('never read a field that the slow way refuses, nor to other bytes, however it is changed', () => {
    const pieces = [
      '',
      '"',
      '""',
      ',',
      '[',
      ']',
      '{',
      '0',
      '-',
      '.',
      ' ',
      '\n',
      '\r',
      '\t',
      'hex:',
      'é',
      '\u0001',
      'n1',
    ];
    const edit = fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...pieces));
    let fast = 0;
    fc.assert(
      fc.property(
        typedBytes,
        fc.nat(),
        fc.array(edit, { minLength: 1, maxLength: 2 }),
        ({ codec, bytes }, which, edits) => {
          const column = codec.columns[which % Math.max(1, codec.columns.length)];
          if (column === undefined) return;
          let line = written(column, bytes);
          for (const [place, cut, piece] of edits) {
            const at = place % (line.length + 1);
            line = line.slice(0, at) + piece + line.slice(at + cut);
          }
          const whole = firstField(line);
          expect(afterwards(codec, column, line, whole?.text ?? '')).toBe(
            hex(encoded(codec, column, whole?.text ?? '')),
          );
          const read = taken(codec, column, line);
          if (read === undefined) return;
          fast++;
          expect(read.field, line).toBe(whole?.field);
          expect(hex(read.bytes), line).toBe(hex(encoded(codec, column, whole?.text ?? '')));
        },
      ),
      { numRuns: 8000 },
    );
    expect(fast).toBeGreaterThan(300);
  });

  const flow = () =>
    codecOfType(
      (btf, c) => {
        const limits = btf.struct('limits', 16, [
          { name: 'rate', type: c.u32, offset: 0 },
          { name: 'burst', type: c.u64, offset: 8 },
        ]);
        const either = btf.union('', 4, [
          { name: 'id', type: c.u32, offset: 0 },
          { name: 'short_id', type: c.u16, offset: 0 },
        ]);
        return btf.struct('flow', 56, [
          { name: 'saddr', type: c.be32, offset: 0 },
          { name: 'ports', type: btf.array(c.be16, 2), offset: 4 },
          { name: 'limits', type: limits, offset: 8 },
          { name: 'name', type: btf.array(c.char, 8), offset: 24 },
          { type: either, offset: 32 },
          { name: 'words', type: btf.array(btf.array(c.char, 4), 2), offset: 36 },
          { name: 'none', type: btf.struct('none', 0, []), offset: 44 },
        ]);
      },
      { role: 'value', littleEndian: true },
    );

  it('are one a leaf member; arrays, and what has no members, are JSON in one field', () => {
    const codec = flow();
    expect(codec.columns.map(({ path }) => path)).toEqual([
      'saddr',
      'ports',
      'limits.rate',
      'limits.burst',
      'name',
      'id',
      'words',
      'none',
    ]);
    const bytes = new Uint8Array(56);
    const value = {
      saddr: '10.0.0.1',
      ports: [80, 443],
      limits: { rate: 1, burst: 2n },
      name: 'a, "b"',
      id: 5,
    };
    codec.encode({ ...value, words: ['a,', '"'] }, viewOf(bytes), 0);
    expect(codec.columns.map((column) => written(column, bytes)).join()).toBe(
      '10.0.0.1,"[80,443]",1,2,"a, ""b""",5,"[""a,"",""\\""""]",{}',
    );
    const scalar = codecOfType((_, c) => c.u32);
    expect(scalar.columns.map(({ path }) => path)).toEqual(['']);
    const prefix = codecOfType(
      (btf, c) =>
        btf.struct('lpm', 8, [
          { name: 'prefixlen', type: c.u32, offset: 0 },
          { name: 'addr', type: c.u32, offset: 4 },
        ]),
      { prefix: true },
    );
    expect(prefix.columns.map(({ path }) => path)).toEqual(['']);
  });

  it('name the member whose text is wrong', () => {
    const codec = flow();
    const view = new DataView(new ArrayBuffer(56));
    const refused = (path: string, text: string) =>
      refusal(() => codec.columns.find((column) => column.path === path)?.encodeText(text, view, 0));
    expect(refused('limits.rate', '-1')).toBe('value.limits.rate: -1 does not fit u32 (0 to 4294967295)');
    expect(refused('ports', '[80,65536]')).toBe('value.ports[1]: 65536 does not fit be16 (0 to 65535)');
    expect(refused('saddr', '10.0.0')).toMatch(/^value\.saddr: '10\.0\.0' is not an IPv4 address/);
    expect(refused('none', 'x')).toMatch(/^value\.none: /);
  });

  it('keep text that looks like something else: empty, with spaces around it, quotes, raw bytes', () => {
    const codec = codecOfType((btf, c) => btf.array(c.char, 12));
    const [column] = codec.columns;
    if (column === undefined) throw new Error('no column');
    for (const [text, field] of [
      ['', '""'],
      [' a', '" a"'],
      ['a ', '"a "'],
      ['a,b', '"a,b"'],
      ['a"b', '"a""b"'],
      ['"', '""""'],
      ['[1]', '[1]'],
      ['hex:61', 'hex:6865783a3631000000000000'],
      ['a\nb', 'hex:610a62000000000000000000'],
      ['=1+1', '=1+1'],
      ['é', 'é'],
    ] as const) {
      const bytes = new Uint8Array(12);
      bytes.set(Buffer.from(text));
      expect(written(column, bytes)).toBe(field);
      expect(hex(taken(codec, column, `${field},`)?.bytes), field).toBe(hex(bytes));
      expect(hex(encoded(codec, column, firstField(field)?.text ?? '')), field).toBe(hex(bytes));
    }
  });

  it('take no field whose quotes do not end', () => {
    const [column] = codecOfType((btf, c) => btf.array(c.char, 3)).columns;
    if (column === undefined) throw new Error('no column');
    for (const field of ['"', '"""', '"a', '"a""', '"a"b', '"""a']) {
      const source = new TextSource(Buffer.from(field));
      expect(column.readCsv(source, new DataView(new ArrayBuffer(3)), 0), field).toBe(false);
    }
  });

  it('take no field of an array whose quotes are doubled the fast way', () => {
    const codec = codecOfType((btf, c) => btf.array(btf.array(c.char, 4), 2));
    const [column] = codec.columns;
    if (column === undefined) throw new Error('no column');
    // Two empty strings at first sight, one string of a comma at second.
    expect(taken(codec, column, '"["",""]"')).toBeUndefined();
    expect(hex(encoded(codec, column, '[","]'))).toBe('2c00000000000000');
  });

  it('leave the bits of their neighbours alone', () => {
    const codec = codecOfType((btf, c) =>
      btf.struct('bits', 4, [
        { name: 'a', type: c.u32, bitOffset: 0, bitSize: 3 },
        { name: 'b', type: c.s32, bitOffset: 3, bitSize: 7 },
        { name: 'c', type: c.u32, bitOffset: 10, bitSize: 22 },
      ]),
    );
    const view = new DataView(new ArrayBuffer(4));
    const texts = ['5', '-60', '4194303'];
    for (const [index, column] of codec.columns.entries()) {
      expect(column.readCsv(new TextSource(Buffer.from(texts[index] ?? '')), view, 0)).toBe(true);
    }
    expect(codec.decode(view, 0)).toEqual({ a: 5, b: -60, c: 4194303 });
    codec.columns[1]?.encodeText('63', view, 0);
    expect(codec.decode(view, 0)).toEqual({ a: 5, b: 63, c: 4194303 });
  });
});
