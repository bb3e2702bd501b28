import { describe, expect, it } from 'vitest';
import { bytesCodec, codecForWord, decodeText, encodeText } from '../../../../src/obj/codec/index.js';
import { codecOfType, hexOfText, refusal, valueOfHex } from './support.js';

describe('integers', () => {
  it.each([
    ['u8', '255', 'ff', 255],
    ['u8', '0xFe', 'fe', 254],
    ['s8', '-128', '80', -128],
    ['u16', '4660', '3412', 0x1234],
    ['s16', '-2', 'feff', -2],
    ['u32', '0x12345678', '78563412', 0x12345678],
    ['u32', '4294967295', 'ffffffff', 4294967295],
    ['s32', '-0x10', 'f0ffffff', -16],
    ['u64', '18446744073709551615', 'ffffffffffffffff', 18446744073709551615n],
    ['u64', '9007199254740993', '0100000000002000', 9007199254740993n],
    ['s64', '-1', 'ffffffffffffffff', -1n],
    ['be16', '443', '01bb', 443],
    ['be32', '1', '00000001', 1],
    ['be64', '258', '0000000000000102', 258n],
    [
      'u128',
      '0x0102030405060708090a0b0c0d0e0f10',
      '100f0e0d0c0b0a090807060504030201',
      0x0102030405060708090a0b0c0d0e0f10n,
    ],
    ['s128', '-2', `fe${'ff'.repeat(15)}`, -2n],
  ] as const)('%s %s is %s', (type, text, hex, value) => {
    const codec = codecOfType((_, c) => c[type]);
    expect(hexOfText(codec, text)).toBe(hex);
    expect(valueOfHex(codec, hex)).toBe(value);
    expect(codec.parse(text)).toBe(value);
    expect(codec.parse(codec.format(value))).toBe(value);
    expect(codec.parse(`hex:${hex}`)).toBe(value);
  });

  it('say their range when a value does not fit', () => {
    expect(refusal(() => codecOfType((_, c) => c.u8).parse('300'))).toBe('300 does not fit u8 (0 to 255)');
    expect(refusal(() => codecOfType((_, c) => c.u8, { role: 'key' }).parse('-1'))).toBe(
      'key: -1 does not fit u8 (0 to 255)',
    );
    expect(refusal(() => codecOfType((_, c) => c.be16, { name: 'port' }).parse('65536'))).toBe(
      'port: 65536 does not fit be16 (0 to 65535)',
    );
    expect(refusal(() => codecOfType((_, c) => c.s64).parse('9223372036854775808'))).toMatch(
      '(-9223372036854775808 to 9223372036854775807)',
    );
    const view = new DataView(new ArrayBuffer(16));
    for (const [type, value] of [
      ['u32', -1],
      ['u32', 2 ** 32],
      ['s32', 2 ** 31],
      ['u64', -1n],
      ['u64', 1n << 64n],
      ['s64', 1n << 63n],
      ['s128', 1n << 127n],
    ] as const) {
      expect(refusal(() => codecOfType((_, c) => c[type]).encode(value, view, 0))).toMatch('does not fit');
    }
  });

  it.each([
    '',
    ' ',
    '1.5',
    '1e3',
    '0x',
    '0xg',
    'ten',
    '1 2',
    '--1',
    '010',
    '0b1',
    '0o7',
    '1n',
    '１',
    'true',
    'null',
    '"5"',
    '9'.repeat(100_000),
  ])('refuse %.20j', (text) => {
    expect(refusal(() => codecOfType((_, c) => c.u32).parse(text))).toMatch(/is not an integer \(u32\)/);
  });

  it('refuse numbers that JavaScript has rounded already', () => {
    const view = new DataView(new ArrayBuffer(8));
    const codec = codecOfType((_, c) => c.u64);
    codec.encode(2 ** 53 - 1, view, 0);
    expect(view.getBigUint64(0, true)).toBe(9007199254740991n);
    expect(refusal(() => codec.encode(2 ** 53, view, 0))).toMatch('beyond 2^53 write all its digits');
    expect(refusal(() => codec.encode(1.5, view, 0))).toMatch('1.5 is not an integer');
    expect(refusal(() => codec.encode(Number.NaN, view, 0))).toMatch('NaN is not an integer');
  });

  it('take the byte order of the machine that the bytes are for', () => {
    const codec = codecOfType((_, c) => c.u32, { littleEndian: false });
    expect(hexOfText(codec, '1')).toBe('00000001');
    expect(
      hexOfText(
        codecOfType((_, c) => c.be32, { littleEndian: false }),
        '1',
      ),
    ).toBe('00000001');
  });
});

describe('enums', () => {
  const action = () =>
    codecOfType((btf) => btf.enum('action', { pass: 0, drop: 1, also_drop: 1 }), { role: 'value' });

  it('are enumerator names both ways, the first of equals', () => {
    expect(hexOfText(action(), 'drop')).toBe('01000000');
    expect(hexOfText(action(), 'also_drop')).toBe('01000000');
    expect(valueOfHex(action(), '01000000')).toBe('drop');
    expect(action().describe()).toBe('pass|drop|also_drop');
  });

  it('keep numbers that have no name, and accept any number that fits', () => {
    expect(valueOfHex(action(), '07000000')).toBe(7);
    expect(hexOfText(action(), '7')).toBe('07000000');
    expect(action().parse('1')).toBe('drop');
    expect(refusal(() => action().parse('4294967296'))).toMatch('does not fit enum action');
  });

  it('say the names there are, and the one that was meant', () => {
    expect(refusal(() => action().parse('dorp'))).toBe(
      "value: 'dorp' is not in enum action (pass, drop, also_drop) | did you mean 'drop'?",
    );
    expect(refusal(() => action().parse('constructor'))).toBe(
      "value: 'constructor' is not in enum action (pass, drop, also_drop)",
    );
  });

  it('may be signed, small, or 64 bits wide', () => {
    const signed = codecOfType((btf) => btf.enum('e', { none: -1, one: 1 }, { signed: true }));
    expect(hexOfText(signed, 'none')).toBe('ffffffff');
    expect(valueOfHex(signed, 'feffffff')).toBe(-2);
    const small = codecOfType((btf) => btf.enum('e', { a: 200 }, { size: 1 }));
    expect(hexOfText(small, 'a')).toBe('c8');
    const wide = codecOfType((btf) => btf.enum64('w', { big: 1n << 40n }));
    expect(hexOfText(wide, 'big')).toBe('0000000000010000');
    expect(valueOfHex(wide, '0000000000010000')).toBe('big');
    expect(valueOfHex(wide, '0100000000000000')).toBe(1n);
  });
});

describe('bool, floats, pointers', () => {
  it('bool is true or false, 0 or 1', () => {
    const codec = codecOfType((_, c) => c.bool);
    expect(['true', 'false', '1', '0'].map((text) => hexOfText(codec, text))).toEqual([
      '01',
      '00',
      '01',
      '00',
    ]);
    expect(valueOfHex(codec, '01')).toBe(true);
    expect(refusal(() => codec.parse('2'))).toBe("'2' is not true or false");
    expect(refusal(() => codec.parse('yes'))).toBe("'yes' is not true or false");
  });

  it('floats keep their value', () => {
    const f64 = codecOfType((_, c) => c.f64);
    for (const value of [0, -0, 1.5, -1e300, 5e-324, 2 ** 60, 1e21, Number.NaN, Infinity, -Infinity]) {
      expect(Object.is(f64.parse(f64.format(value)), value), String(value)).toBe(true);
    }
    expect(
      hexOfText(
        codecOfType((_, c) => c.f32),
        '1.5',
      ),
    ).toBe('0000c03f');
    expect(refusal(() => codecOfType((_, c) => c.f32).parse('1e39'))).toMatch('does not fit f32');
    expect(refusal(() => f64.parse('1e999'))).toMatch('is not a number');
    expect(refusal(() => f64.parse('abc'))).toMatch('is not a number (f64)');
  });

  it('pointers are shown and never written', () => {
    const codec = codecOfType((btf, c) => btf.ptr(c.u32));
    expect(valueOfHex(codec, '00112233445566ff')).toBe('0xff66554433221100');
    expect(hexOfText(codec, '0x0')).toBe('0000000000000000');
    expect(refusal(() => codec.parse('0xff66554433221100'))).toMatch('is shown, not written');
  });
});

describe('character arrays', () => {
  const text = (size: number) => codecOfType((btf, c) => btf.array(c.char, size), { role: 'value' });

  it('are text, zero to the end', () => {
    expect(hexOfText(text(8), 'eth0')).toBe('6574683000000000');
    expect(valueOfHex(text(8), '6574683000000000')).toBe('eth0');
    expect(hexOfText(text(4), 'eth0')).toBe('65746830');
    expect(valueOfHex(text(4), '65746830')).toBe('eth0');
    expect(text(4).parse('')).toBe('');
    expect(hexOfText(text(4), 'é')).toBe('c3a90000');
    expect(hexOfText(text(4), '{a')).toBe('7b610000');
  });

  it('are hex when not text', () => {
    for (const hex of ['ff000000', '61006200', '0a000000', '1b5b316d', 'c29b0000', 'e280a800', '6865783a']) {
      expect(valueOfHex(text(4), hex)).toBe(`hex:${hex}`);
      expect(hexOfText(text(4), `hex:${hex}`)).toBe(hex);
    }
  });

  it('refuse text that is too long or cannot be text', () => {
    expect(refusal(() => text(4).parse('eth10'))).toBe("value: 'eth10' has 5 bytes, char[4] takes at most 4");
    expect(refusal(() => text(4).parse('a\0b'))).toMatch('characters that text cannot have');
    expect(refusal(() => text(4).parse('\ud800'))).toMatch('characters that text cannot have');
  });
});

describe('hex', () => {
  it('goes in and out where there is no type, and only with its prefix', () => {
    const codec = bytesCodec(4, { role: 'key' });
    expect(codec.parse('hex:0A000001')).toBe('hex:0a000001');
    expect(decodeText(codec, encodeText(codec, 'hex:0a000001'))).toBe('hex:0a000001');
    expect(refusal(() => codec.parse('hex:0a00'))).toBe('hex:0a00 has 2 bytes, the key (4 bytes) has 4');
    expect(refusal(() => codec.parse('hex:0a0000010'))).toMatch('odd number of hex digits');
    for (const text of ['zz', '0a000001', '0a 00 00 01', '7'])
      expect(refusal(() => codec.parse(text))).toBe(`key: '${text}' is not hex:… (4 bytes)`);
    expect(refusal(() => codec.encode(7, new DataView(new ArrayBuffer(4)), 0))).toMatch('7 is not hex:');
    expect(refusal(() => codec.parse('hex:zz000000'))).toMatch("'hex:zz000000' is not hex");
  });

  it('of another width names both widths', () => {
    const codec = codecOfType(
      (btf, c) =>
        btf.struct('lpm_v4', 8, [
          { name: 'prefixlen', type: c.u32, offset: 0 },
          { name: 'addr', type: c.u32, offset: 4 },
        ]),
      { role: 'key' },
    );
    expect(refusal(() => codec.parse('hex:0a00'))).toBe(
      'hex:0a00 has 2 bytes, the key (struct lpm_v4) has 8',
    );
  });
});

describe('type words', () => {
  it.each([
    ['u8', '1', '01'],
    ['s64', '-1', 'ffffffffffffffff'],
    ['be16', '80', '0050'],
    ['ipv4', '10.0.0.1', '0a000001'],
    ['ipv6', '::1', '00000000000000000000000000000001'],
    ['prefix4', '10.0.0.0/8', '080000000a000000'],
    ['prefix6', '2001:db8::/32', '2000000020010db8000000000000000000000000'],
    ['mac', '02:00:00:00:00:01', '020000000001'],
    ['bytes:3', 'hex:010203', '010203'],
    ['string:4', 'ab', '61620000'],
  ])('%s reads %s', (word, text, hex) => {
    const codec = codecForWord(word);
    expect(hexOfText(codec, text)).toBe(hex);
    expect(codec.parse(codec.format(valueOfHex(codec, hex)))).toEqual(valueOfHex(codec, hex));
    expect(codec.size).toBe(hex.length / 2);
  });

  it('string takes its width from the map', () => {
    expect(hexOfText(codecForWord('string', { size: 4 }), 'ab')).toBe('61620000');
    expect(refusal(() => codecForWord('string'), 'usage')).toMatch('string needs its width');
  });

  it('that are unknown or of another width are wrong usage', () => {
    expect(refusal(() => codecForWord('ipv5'), 'usage')).toBe("'ipv5' is not a type | did you mean 'ipv4'?");
    expect(refusal(() => codecForWord('be8'), 'usage')).toMatch('is not a type');
    expect(refusal(() => codecForWord('bytes:0'), 'usage')).toMatch('is not a type');
    expect(refusal(() => codecForWord('bytes:999999999'), 'usage')).toMatch('is more than');
    expect(refusal(() => codecForWord('u32', { size: 8, role: 'key' }), 'usage')).toBe(
      "u32 has 4 bytes, the map's key has 8",
    );
  });
});
