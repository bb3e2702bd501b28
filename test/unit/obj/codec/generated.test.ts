import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../../src/host/package-root.js';
import { generatedReader, generatedWriter } from '../../../../src/obj/codec/generated.js';
import type { Codec, Value } from '../../../../src/obj/codec/index.js';
import { integerForm } from '../../../../src/obj/codec/integer.js';
import type { Form } from '../../../../src/obj/codec/value.js';
import { codecOfType } from './support.js';

/** A form of four bytes. */
function u32(): Form {
  const form = integerForm(4, false, true, 'u32');
  if (form === undefined) throw new Error('no form');
  return form;
}

/** More often than code is generated after. */
const uses = 300;

/** All that a codec gives for the same bytes, used again and again. */
function decodedOften(codec: Codec, bytes: Uint8Array): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: uses }, () => codec.decode(view, 0));
}

const hostile = [
  '"]});globalThis.broken=1;({"',
  "'+(globalThis.broken=1)+'",
  '`${globalThis.broken=1}`',
  '\\',
  '\\"',
  '*/globalThis.broken=1/*',
  '//',
  ']',
  'constructor',
  'toString',
  'hasOwnProperty',
  '0',
  '10',
  '9',
  'a b',
  'ä',
  'x=1',
  '\t',
];

describe('generated readers and writers', () => {
  const struct = (names: readonly string[]) =>
    codecOfType(
      (btf, c) =>
        btf.struct(
          's',
          names.length * 4,
          names.map((name, index) => ({ name, type: c.u32, offset: index * 4 })),
        ),
      { littleEndian: true },
    );

  it('take no harm from names that are code, whatever they hold', () => {
    for (const names of [...hostile.map((name) => [name]), hostile]) {
      const codec = struct(names);
      const bytes = new Uint8Array(names.length * 4);
      for (let index = 0; index < names.length; index++) bytes[index * 4] = index + 1;
      const expected = Object.fromEntries(names.map((name, index) => [name, index + 1]));
      for (const value of decodedOften(codec, bytes)) expect(value).toStrictEqual(expected);
      const view = new DataView(new ArrayBuffer(bytes.length));
      for (let use = 0; use < uses; use++) {
        view.setUint8(0, 0xff);
        codec.encode(expected, view, 0);
        expect(Buffer.from(view.buffer)).toEqual(Buffer.from(bytes));
      }
    }
    expect(globalThis).not.toHaveProperty('broken');
  });

  it('refuse a member that would change the prototype of every value', () => {
    const form = u32();
    expect(generatedReader([{ name: '__proto__', offset: 0, form }])).toBeUndefined();
    expect(generatedWriter([{ name: '__proto__', offset: 0, form }])).toBeUndefined();
  });

  it('leave types of very many members to the loop', () => {
    const form = u32();
    const many = Array.from({ length: 201 }, (_, index) => ({ name: `m${index}`, offset: index * 4, form }));
    expect(generatedReader(many)).toBeUndefined();
    expect(generatedReader(many.slice(1))).toBeDefined();
    const names = many.map(({ name }) => name);
    const bytes = new Uint8Array(names.length * 4).fill(1);
    for (const value of decodedOften(struct(names), bytes))
      expect(value).toEqual(Object.fromEntries(names.map((name) => [name, 0x01010101])));
  });

  it('give what the loops give, for members of every kind', () => {
    const codec = codecOfType(
      (btf, c) => {
        const inner = btf.struct('inner', 16, [
          { name: 'rate', type: c.u32, offset: 0 },
          { name: 'burst', type: c.s64, offset: 8 },
        ]);
        return btf.struct('all', 128, [
          { name: 'action', type: btf.enum('action', { pass: 0, drop: 1 }), offset: 0 },
          { name: 'flags', type: c.u32, bitOffset: 32, bitSize: 5 },
          { name: 'inner', type: inner, offset: 8 },
          { name: 'list', type: btf.array(inner, 2), offset: 24 },
          { name: 'bytes', type: btf.array(c.u8, 20), offset: 56 },
          { name: 'name', type: btf.array(c.char, 12), offset: 76 },
          { name: 'saddr', type: c.be32, offset: 88 },
          { name: 'f', type: c.f64, offset: 96 },
          { name: 'small', type: c.s8, offset: 104 },
          { name: 'port', type: c.be16, offset: 106 },
          { name: 'none', type: btf.struct('none', 0, []), offset: 108 },
          { name: 'big', type: c.u128, offset: 112 },
        ]);
      },
      { littleEndian: true },
    );
    const bytes = Uint8Array.from({ length: 128 }, (_, index) => (index * 37) & 0xff);
    bytes.set([1, 0, 0, 0], 0);
    const all = decodedOften(codec, bytes);
    for (const value of all) expect(value).toStrictEqual(all[0]);
    const [value] = all;
    if (value === undefined) throw new Error('nothing was read');
    const first = new DataView(new ArrayBuffer(128));
    codec.encode(value, first, 0);
    for (let use = 0; use < uses; use++) {
      const view = new DataView(new ArrayBuffer(128));
      codec.encode(value, view, 0);
      expect(Buffer.from(view.buffer)).toEqual(Buffer.from(first.buffer));
    }
  });

  it('refuse what the loops refuse, by the same path, and take members that are left out', () => {
    const codec = codecOfType(
      (btf, c) => {
        const inner = btf.struct('inner', 8, [
          { name: 'rate', type: c.u32, offset: 0 },
          { name: 'mode', type: c.u32, offset: 4 },
        ]);
        return btf.struct('outer', 12, [
          { name: 'tag', type: c.u8, offset: 0 },
          { name: 'inner', type: inner, offset: 4 },
        ]);
      },
      { role: 'value' },
    );
    const view = new DataView(new ArrayBuffer(12));
    const outcome = (value: Value): string => {
      try {
        codec.encode(value, view, 0);
        return Buffer.from(view.buffer).toString('hex');
      } catch (error) {
        return String(error);
      }
    };
    const values: Value[] = [
      { tag: 1, inner: { rate: 2, mode: 3 } },
      { tag: 1, inner: { rate: 2 } },
      { tag: 1, inner: { rate: 2, mode: -1 } },
      { tag: 1, inner: { rate: 2, mood: 1 } },
      { tag: 256, inner: { rate: 2, mode: 3 } },
      { tag: 1, inner: { rate: 2, mode: 3, more: 1 } },
      { tag: 1, iner: {} },
      { inner: 'rate=5', tag: '7' },
      Object.assign(Object.create({ tag: 3 }), { inner: { rate: 1, mode: 1 } }),
    ];
    const before = values.map(outcome);
    for (let use = 0; use < uses; use++) outcome(values[0] ?? {});
    expect(values.map(outcome)).toEqual(before);
    expect(before[2]).toMatch('value.inner.mode: -1 does not fit u32');
    expect(before[3]).toMatch("value.inner: struct inner has no member 'mood'");
  });

  it('are not missed where a policy forbids code from strings', () => {
    const script = `
      import { codecFor } from './src/obj/codec/index.js';
      import { readBtf } from './src/obj/btf/read.js';
      import { BtfBuilder } from './test/support/btf-builder.js';
      const btf = new BtfBuilder();
      const u32 = btf.int('u32', 4);
      const u64 = btf.int('u64', 8);
      const id = btf.struct('s', 16, [{ name: 'a', type: u32, offset: 0 }, { name: 'b', type: u64, offset: 8 }]);
      const codec = codecFor(readBtf(btf.bytes()), id);
      const view = new DataView(new ArrayBuffer(16));
      let last;
      for (let use = 0; use < ${uses}; use++) {
        codec.encode({ a: use, b: BigInt(use) }, view, 0);
        last = codec.decode(view, 0);
      }
      let allowed = true;
      try { Function(''); } catch { allowed = false; }
      console.log(allowed, last.a, last.b);
    `;
    const [output] = buildSync({
      stdin: { contents: script, resolveDir: packageRoot(), sourcefile: join(packageRoot(), 'forbidden.ts') },
      bundle: true,
      platform: 'node',
      format: 'esm',
      write: false,
    }).outputFiles;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '--input-type=module', '-'],
      { input: output?.text ?? '', encoding: 'utf8' },
    );
    expect([stdout, stderr]).toEqual([`false ${uses - 1} ${uses - 1}n\n`, '']);
  });
});
