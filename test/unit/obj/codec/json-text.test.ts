import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../../src/base/errors.js';
import { type JsonValue, parseJson, toJson } from '../../../../src/base/json.js';
import {
  bytesCodec,
  type Codec,
  codecForWord,
  TextSink,
  TextSource,
  type Value,
} from '../../../../src/obj/codec/index.js';
import { codecOfType } from './support.js';
import { typedBytes } from './typed-values.js';

const filler = 0xa5;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What `writeJson` appends, behind something else and with no more room than it asks for. */
function written(codec: Codec, bytes: Uint8Array, wideAsText: boolean): string {
  const sink = new TextSink(7 + codec.jsonLimit + 64, { wideAsText });
  sink.bytes.fill(filler);
  sink.at = 7;
  codec.writeJson(viewOf(bytes), 0, sink);
  const untouched = [...sink.bytes.subarray(0, 7), ...sink.bytes.subarray(7 + codec.jsonLimit)];
  expect(untouched.every((byte) => byte === filler)).toBe(true);
  expect(sink.at).toBeLessThanOrEqual(7 + codec.jsonLimit);
  return Buffer.from(sink.view().subarray(7)).toString();
}

interface Taken {
  readonly bytes: Uint8Array;
  /** What was read of the text. */
  readonly text: string;
  /** The byte behind it, empty at the end. */
  readonly next: string;
}

/** What `readJson` makes of a text that stands between other text; undefined when it takes the slow way. */
function taken(codec: Codec, text: string): Taken | undefined {
  const all = Buffer.from(`xx${text}`);
  const source = new TextSource(all);
  source.at = 2;
  const bytes = new Uint8Array(codec.size + 2).fill(filler);
  if (!codec.readJson(source, viewOf(bytes), 1)) return undefined;
  expect([bytes[0], bytes[codec.size + 1]]).toEqual([filler, filler]);
  return {
    bytes: bytes.slice(1, -1),
    text: all.subarray(2, source.at).toString(),
    next: all.subarray(source.at, source.at + 1).toString('latin1'),
  };
}

/** A parsed document is a value as far as types can tell: the codec decides. */
function asValue(json: JsonValue): Value {
  const value: unknown = json;
  return value as Value;
}

/** The slow way; undefined when it refuses. */
function encoded(codec: Codec, text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(codec.size).fill(filler);
  try {
    codec.encode(asValue(parseJson(text)), viewOf(bytes), 0);
    return bytes;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}

const hex = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? 'refused' : Buffer.from(bytes).toString('hex');

describe('JSON text straight from bytes', () => {
  it('is what toJson(decode()) gives, in as much room as was asked for', () => {
    fc.assert(
      fc.property(typedBytes, fc.boolean(), ({ codec, bytes }, wideAsText) => {
        const value = codec.decode(viewOf(bytes), 0);
        const bigints = wideAsText ? 'string' : 'number';
        expect(written(codec, bytes, wideAsText)).toBe(toJson(value, { bigints }));
      }),
      { numRuns: 4000 },
    );
  });

  it('is read back to the bytes that the slow way gives, padding zero, by the fast way wherever there is a slow one', () => {
    let fast = 0;
    let all = 0;
    fc.assert(
      fc.property(
        typedBytes,
        fc.boolean(),
        fc.constantFrom(0, 0, 1, 2),
        fc.constantFrom('', ',', '}', ' ', '\n', ']'),
        ({ codec, bytes }, wideAsText, indent, behind) => {
          const value = codec.decode(viewOf(bytes), 0);
          const text = toJson(value, { bigints: wideAsText ? 'string' : 'number', indent });
          const slow = encoded(codec, text);
          const read = taken(codec, `${indent > 0 ? ' \n' : ''}${text}${behind}`);
          all++;
          if (read === undefined) {
            // Pointers that are not null and prefixes with host bits are shown and not written.
            expect(slow, text).toBeUndefined();
            return;
          }
          fast++;
          expect(hex(read.bytes)).toBe(hex(slow));
          expect(read.text.trim()).toBe(text);
        },
      ),
      { numRuns: 4000 },
    );
    expect(fast / all).toBeGreaterThan(0.7);
  });

  it('is never read where the slow way refuses, nor to other bytes, however it is changed', () => {
    const pieces = [
      '',
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '.',
      '-',
      '+',
      '0',
      '00',
      '9',
      'e1',
      'E',
      ' ',
      '\n',
      '\t',
    ];
    const more = [
      'null',
      'true',
      '/',
      'hex:',
      '\\',
      '\\u0041',
      '\u00e9',
      '\u0001',
      '\u007f',
      '::',
      'n1',
      'é',
      '\ud83d',
    ];
    const edit = fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...pieces, ...more));
    let fast = 0;
    fc.assert(
      fc.property(typedBytes, fc.array(edit, { minLength: 1, maxLength: 2 }), ({ codec, bytes }, edits) => {
        let text = written(codec, bytes, false);
        for (const [place, cut, piece] of edits) {
          const at = place % (text.length + 1);
          text = text.slice(0, at) + piece + text.slice(at + cut);
        }
        const read = taken(codec, text);
        if (read === undefined) return;
        fast++;
        expect(hex(read.bytes), read.text).toBe(hex(encoded(codec, read.text)));
        if (/[0-9]$/.test(read.text)) expect(read.next, text).not.toMatch(/[0-9.eE+-]/);
      }),
      { numRuns: 8000 },
    );
    expect(fast).toBeGreaterThan(300);
  });

  it('stops at the end of the source, whatever stands behind it', () => {
    const codec = codecForWord('u32');
    const source = new TextSource(Buffer.from('12345'));
    source.end = 3;
    const view = new DataView(new ArrayBuffer(4));
    expect(codec.readJson(source, view, 0)).toBe(true);
    expect([view.getUint32(0, true), source.at]).toEqual([123, 3]);
    const pair = codecOfType((btf, c) => btf.struct('s', 4, [{ name: 'a', type: c.u32, offset: 0 }]));
    for (let end = 0; end < 8; end++) {
      const cut = new TextSource(Buffer.from('{"a":12}'));
      cut.end = end;
      expect(pair.readJson(cut, view, 0), String(end)).toBe(false);
    }
  });
});

describe('numbers', () => {
  const edges = [0n, 1n, 9n, 10n, 99n, 100n, 999_999_999n, 1_000_000_000n, 4_294_967_295n, 4_294_967_296n];
  const wide = [2n ** 53n, 10n ** 15n, 10n ** 16n, 10n ** 18n, 10n ** 19n, 2n ** 63n, 2n ** 64n - 1n];
  const near = [...edges, ...wide].flatMap((edge) => [edge - 1n, edge, edge + 1n]);
  const unsigned = fc.oneof(
    fc.constantFrom(...near.filter((value) => value >= 0n && value < 2n ** 64n)),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    fc.nat(64).chain((bits) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - (bits === 0 ? 0n : 1n) })),
  );

  it.each([
    ['u64', true],
    ['u64', false],
    ['s64', true],
    ['s64', false],
  ] as const)(
    'of 64 bits (%s, little endian %s) keep every digit in both directions',
    (word, littleEndian) => {
      const codec = codecForWord(word, { littleEndian });
      const bytes = new Uint8Array(8);
      fc.assert(
        fc.property(unsigned, (bits) => {
          viewOf(bytes).setBigUint64(0, bits, littleEndian);
          const text = String(word === 'u64' ? bits : BigInt.asIntN(64, bits));
          expect(written(codec, bytes, false)).toBe(text);
          expect(written(codec, bytes, true)).toBe(`"${text}"`);
          expect(hex(taken(codec, text)?.bytes)).toBe(hex(bytes));
          expect(hex(taken(codec, `"${text}"`)?.bytes)).toBe(hex(bytes));
        }),
        { numRuns: 3000 },
      );
    },
  );

  it('of up to 32 bits too', () => {
    for (const word of ['u8', 's8', 'u16', 's16', 'u32', 's32'] as const) {
      const codec = codecForWord(word, { littleEndian: true });
      fc.assert(
        fc.property(unsigned, (bits) => {
          const bytes = new Uint8Array(8);
          viewOf(bytes).setBigUint64(0, bits, true);
          const own = bytes.subarray(0, codec.size);
          const text = String(codec.decode(viewOf(bytes), 0));
          expect(written(codec, own, false)).toBe(text);
          expect(hex(taken(codec, text)?.bytes)).toBe(hex(own));
        }),
        { numRuns: 1000 },
      );
    }
  });

  it.each([
    ['u8', '256'],
    ['u8', '-1'],
    ['s8', '128'],
    ['s8', '-129'],
    ['u32', '4294967296'],
    ['u32', '99999999999'],
    ['s32', '-2147483649'],
    ['u64', '18446744073709551616'],
    ['u64', '99999999999999999999'],
    ['u64', '100000000000000000000'],
    ['s64', '9223372036854775808'],
    ['s64', '-9223372036854775809'],
    ['u64', '-0'],
    ['s64', '-0'],
    ['u32', '-0'],
    ['u32', '00'],
    ['u64', '01'],
    ['u32', '1.0'],
    ['u32', '1e2'],
    ['u64', '1E2'],
    ['u64', '"1'],
    ['u64', '"1 "'],
    ['u64', '""'],
    ['u32', ''],
    ['s32', '-'],
  ])('of %s in another form are left to the slow way: %s', (word, text) => {
    expect(taken(codecForWord(word), text)).toBeUndefined();
  });
});

describe('the fast way', () => {
  it('takes what programs write with spaces after commas and colons', () => {
    const codec = codecOfType((btf, c) =>
      btf.struct('s', 16, [
        { name: 'saddr', type: c.be32, offset: 0 },
        { name: 'ports', type: btf.array(c.be16, 2), offset: 4 },
        { name: 'packets', type: c.u64, offset: 8 },
      ]),
    );
    const text = '{"saddr": "10.0.0.1", "ports": [80, 443], "packets": 7}';
    expect(hex(taken(codec, text)?.bytes)).toBe('0a000001005001bb0700000000000000');
  });

  it.each([
    ['ipv4', '"10.0.0.1"', '0a000001'],
    ['ipv6', '"2001:db8::1"', '20010db8000000000000000000000001'],
    ['ipv6', '"::"', '0'.repeat(32)],
    ['ipv6', '"1:2:3:4:5:6:7:8"', '00010002000300040005000600070008'],
    ['mac', '"02:00:0A:00:00:01"', '02000a000001'],
    ['prefix4', '"10.0.0.0/8"', '080000000a000000'],
    ['prefix6', '"2001:db8::/32"', '2000000020010db8000000000000000000000000'],
    ['string:4', '"ab"', '61620000'],
    ['string:4', '"é"', 'c3a90000'],
    ['bytes:2', '"hex:0A0b"', '0a0b'],
  ])('takes %s as %s', (word, text, bytes) => {
    expect(hex(taken(codecForWord(word), text)?.bytes)).toBe(bytes);
  });

  it.each([
    ['ipv4', ['10.0.0', '10.0.0.0.1', '256.0.0.1', '01.0.0.1', '1..0.1', '10.0.0.1 ', ' 10.0.0.1', '']],
    ['ipv6', [':', ':::', '1::2::3', '12345::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::']],
    ['ipv6', ['::1:2:3:4:5:6:7:8', ':1', '1:', '::g', '1:2:3:4:5:6:7:']],
    ['mac', ['02:00:00:00:00', '02-00-00-00-00-01', '2:0:0:0:0:1', '02:00:00:00:00:01:02']],
    ['prefix4', ['10.0.0.1/8', '10.0.0.0/33', '10.0.0.0', '10.0.0.0/08', '10.0.0.0/']],
    ['prefix6', ['2001:db8::1/32', '::/129', '10.0.0.0/8']],
    ['string:4', ['hex:616200', ' hex:6162', 'abcde', '\u00a0hex:']],
    ['bytes:2', ['0a0b', 'hex:0a', 'hex:0a0b0c', 'hex:0a0g']],
  ] as const)('leaves to the slow way, which reads them or knows what is wrong: %s %j', (word, texts) => {
    for (const text of texts) expect(taken(codecForWord(word), JSON.stringify(text)), text).toBeUndefined();
  });

  it('does not trim character arrays', () => {
    const codec = codecForWord('string:6');
    for (const text of [' a', 'a ', '  ']) {
      const bytes = Buffer.from(text.padEnd(6, '\0'));
      expect(hex(taken(codec, JSON.stringify(text))?.bytes)).toBe(bytes.toString('hex'));
      expect(codec.parse(text)).toBe(text);
    }
    const named = codecOfType((btf, c) =>
      btf.struct('s', 4, [{ name: 'name', type: btf.array(c.char, 4), offset: 0 }]),
    );
    expect(named.parse(' a ')).toEqual({ name: ' a ' });
  });

  it('takes no text that the type has other words for', () => {
    expect(taken(bytesCodec(0), '"hex:"')).toBeDefined();
    const flag = codecOfType((_, c) => c.bool);
    expect(['true', 'false', '1', '"true"', 'truer'].map((text) => taken(flag, text) !== undefined)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
