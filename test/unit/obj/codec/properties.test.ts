import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { readBtf } from '../../../../src/obj/btf/read.js';
import { codecFor, codecForWord, encodeText, type Value } from '../../../../src/obj/codec/index.js';
import { BtfBuilder } from '../../../support/btf-builder.js';
import { basics, layOut, type Shape } from './shapes.js';
import { type CTypes, cTypes } from './support.js';
import { bytesOf, compile, typed } from './typed-values.js';

describe('for random types and values', () => {
  it('decode(encode(v)) = v and parse(format(v)) = v', () => {
    let seen = 0;
    fc.assert(
      fc.property(typed, ([built, littleEndian, bytes]) => {
        const codec = compile(built, littleEndian);
        if (codec === undefined) return;
        seen++;
        expect(codec.size).toBe(built.size);
        const value = codec.decode(new DataView(bytes.buffer), 0);
        const again = new DataView(new ArrayBuffer(built.size + 2));
        new Uint8Array(again.buffer).fill(0xa5);
        codec.encode(value, again, 1);
        expect(codec.decode(again, 1)).toStrictEqual(value);
        expect([again.getUint8(0), again.getUint8(built.size + 1)]).toEqual([0xa5, 0xa5]);
        const text = codec.format(value);
        expect(text).not.toMatch(/[\n\r]/);
        expect(codec.parse(text)).toStrictEqual(value);
        const parsed = Buffer.from(encodeText(codec, text)).toString('hex');
        // JavaScript has one NaN, memory many.
        if (!text.includes('NaN'))
          expect(parsed).toBe(Buffer.from(again.buffer, 1, built.size).toString('hex'));
        expect(codec.parse(`hex:${Buffer.from(bytes).toString('hex')}`)).toStrictEqual(value);
      }),
      { numRuns: 3000 },
    );
    expect(seen).toBeGreaterThan(2000);
  });

  it('bytes without padding, unions and booleans come back as they were', () => {
    const whole = fc.constantFrom<keyof CTypes>(
      'u8',
      'u16',
      'u32',
      'u64',
      's8',
      's16',
      's32',
      's64',
      'u128',
      'be16',
      'be32',
      'be64',
    );
    const types = fc.array(whole, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        types.chain((list) => fc.tuple(fc.constant(list), bytesOf(list.length * 16))),
        ([list, bytes]) => {
          const sizes = new Map(basics);
          const parts = list.map((name): Shape => {
            const size = sizes.get(name) ?? 0;
            return { size, align: size, build: (_, c) => c[name] };
          });
          const built = layOut(parts, false, true);
          const codec = compile(built, true);
          if (codec === undefined) throw new Error('not compiled');
          const view = new DataView(new ArrayBuffer(built.size));
          codec.encode(codec.decode(new DataView(bytes.buffer), 0), view, 0);
          expect(Buffer.from(view.buffer).toString('hex')).toBe(
            Buffer.from(bytes)
              .toString('hex')
              .slice(0, built.size * 2),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('random and nearly right texts give a value or a NetkitError of one line, and a value that was accepted reads back', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.constantFrom(
        '',
        '{',
        '}',
        '"',
        ',',
        '=',
        '.',
        '0',
        '-1',
        'x',
        '/',
        ':',
        'hex:',
        '\n',
        '\0',
        '[',
        ']',
        'null',
      ),
    );
    const soup = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.stringMatching(/^[a-z.=,0-9{}"[\]: ]{0,40}$/),
    );
    let accepted = 0;
    let refused = 0;
    fc.assert(
      fc.property(typed, fc.option(soup), edit, ([built, littleEndian, bytes], random, [at, piece]) => {
        const codec = compile(built, littleEndian);
        if (codec === undefined) return;
        const right = codec.format(codec.decode(new DataView(bytes.buffer), 0));
        const place = at % (right.length + 1);
        const text = random ?? right.slice(0, place) + piece + right.slice(place + 1);
        let value: Value;
        try {
          value = codec.parse(text);
        } catch (error) {
          refused++;
          if (!(error instanceof NetkitError)) throw error;
          expect(error.code).toBe('bad-value');
          expect(error.message).not.toMatch(/[\n\r\0]/);
          return;
        }
        accepted++;
        expect(codec.parse(codec.format(value))).toStrictEqual(value);
      }),
      { numRuns: 5000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });
});

describe('for type words', () => {
  const words = [
    'u8',
    's64',
    'be16',
    'be64',
    'ipv4',
    'ipv6',
    'prefix4',
    'prefix6',
    'mac',
    'string:9',
    'bytes:5',
  ];
  it('random text never throws anything but NetkitError, and what is accepted reads back', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.ipV4(),
      fc.ipV6(),
      fc
        .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: -1, max: 130 }))
        .map(([address, length]) => `${address}/${length}`),
      fc.bigInt({ min: -(1n << 66n), max: 1n << 66n }).map(String),
    );
    fc.assert(
      fc.property(fc.constantFrom(...words), text, (word, given) => {
        const codec = codecForWord(word);
        try {
          const value = codec.parse(given);
          expect(codec.parse(codec.format(value))).toStrictEqual(value);
        } catch (error) {
          if (!(error instanceof NetkitError)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('for damaged BTF', () => {
  it('every type gives a codec or a NetkitError, and a codec that reads its bytes', () => {
    const btf = new BtfBuilder();
    const c = cTypes(btf);
    const inner = btf.struct('inner', 12, [
      { name: 'addr', type: c.be32, bitOffset: 0 },
      { name: 'flags', type: c.u32, bitOffset: 32, bitSize: 5 },
      { name: 'rest', type: c.s32, bitOffset: 37, bitSize: 27 },
      { name: 'e', type: btf.enum('e', { a: 0, b: 1 }), bitOffset: 64 },
    ]);
    const union = btf.union('', 24, [
      { name: 'list', type: btf.array(inner, 2), offset: 0 },
      { name: 'p', type: btf.ptr(inner), offset: 0 },
    ]);
    btf.struct('outer', 48, [
      { name: 'name', type: btf.array(c.char, 16), offset: 0 },
      { type: union, offset: 16 },
      { name: 'f', type: c.f64, offset: 40 },
    ]);
    btf.datasec('.data', 12, [{ type: btf.var('v', inner), offset: 0, size: 12 }]);
    const good = btf.bytes();
    let compiled = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (edits) => {
          const bytes = Uint8Array.from(good);
          for (const [at, value] of edits) bytes[at] = value;
          try {
            const graph = readBtf(bytes);
            for (let id = 0; id < graph.count; id++) {
              try {
                const codec = codecFor(graph, id);
                codec.describe();
                if (codec.size > 65536) continue;
                codec.decode(new DataView(new ArrayBuffer(codec.size)), 0);
                compiled++;
              } catch (error) {
                if (!(error instanceof NetkitError)) throw error;
              }
            }
          } catch (error) {
            if (!(error instanceof NetkitError)) throw error;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(compiled).toBeGreaterThan(10_000);
  });
});
