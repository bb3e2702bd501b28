import { describe, expect, it } from 'vitest';
import { codecOfType, hexOfText, refusal, valueOfHex } from './support.js';

/** struct entry { enum action action; __u8 flag; (padding) struct { __u32 rate; __u64 burst; } limits[2]; char note[4]; } */
const entry = () =>
  codecOfType(
    (btf, c) => {
      const action = btf.enum('action', { pass: 0, drop: 1 });
      const limit = btf.struct('limit', 16, [
        { name: 'rate', type: c.u32, offset: 0 },
        { name: 'burst', type: c.u64, offset: 8 },
      ]);
      return btf.struct('entry', 48, [
        { name: 'action', type: action, offset: 0 },
        { name: 'flag', type: c.u8, offset: 4 },
        { name: 'limits', type: btf.array(limit, 2), offset: 8 },
        { name: 'note', type: btf.array(c.char, 4), offset: 40 },
      ]);
    },
    { role: 'value' },
  );

const full = {
  action: 'drop',
  flag: 7,
  limits: [
    { rate: 1, burst: 2n },
    { rate: 3, burst: 18446744073709551615n },
  ],
  note: 'hi',
};
const fullHex =
  '01000000' +
  '07000000' +
  '01000000' +
  '00000000' +
  '0200000000000000' +
  '03000000' +
  '00000000' +
  'ffffffffffffffff' +
  '68690000' +
  '00000000';

describe('structs', () => {
  it('are objects by member name, padding zero', () => {
    const text =
      '{"action":"drop","flag":7,"limits":[{"rate":1,"burst":2},{"rate":3,"burst":18446744073709551615}],"note":"hi"}';
    expect(entry().parse(text)).toEqual(full);
    expect(hexOfText(entry(), text)).toBe(fullHex);
    expect(valueOfHex(entry(), fullHex)).toEqual(full);
    expect(entry().format(full)).toBe(text);
  });

  it('write zero into padding and into members left out, whatever was there', () => {
    const view = new DataView(new ArrayBuffer(50));
    new Uint8Array(view.buffer).fill(0xff);
    entry().encode({ flag: 1 }, view, 1);
    expect(Buffer.from(view.buffer).toString('hex')).toBe(`ff00000000010000${'00'.repeat(41)}ff`);
  });

  it('have a short form', () => {
    const nested = codecOfType((btf, c) => {
      const inner = btf.struct('inner', 4, [
        { name: 'b', type: c.u16, offset: 0 },
        { name: 'd', type: c.u16, offset: 2 },
      ]);
      return btf.struct('outer', 16, [
        { name: 'a', type: inner, offset: 0 },
        { name: 'c', type: c.u32, offset: 4 },
        { name: 'list', type: btf.array(c.u16, 2), offset: 8 },
        { name: 'note', type: btf.array(c.char, 4), offset: 12 },
      ]);
    });
    expect(nested.parse('a.b=1,c=2')).toEqual({ a: { b: 1, d: 0 }, c: 2, list: [0, 0], note: '' });
    expect(nested.parse(' a.d = 0x10 , a.b=1, list=[3, 4],note="a,b" ')).toEqual({
      a: { b: 1, d: 16 },
      c: 0,
      list: [3, 4],
      note: 'a,b',
    });
    expect(nested.parse('a={"b":5},note=x=y')).toEqual({
      a: { b: 5, d: 0 },
      c: 0,
      list: [0, 0],
      note: 'x=y',
    });
    expect(refusal(() => nested.parse('a.b=1,a.b=2'))).toBe('a.b is given twice');
    expect(refusal(() => nested.parse('a=1,a.b=2'))).toBe('a.b is given as a whole and by member');
    expect(refusal(() => nested.parse('c=1,'))).toMatch("'' is not an assignment");
    expect(refusal(() => nested.parse('c=1,2'))).toMatch("'2' is not an assignment");
    expect(refusal(() => nested.parse('c='))).toBe("value.c: '' is not an integer (u32)");
    expect(refusal(() => nested.parse('e=1'))).toMatch("struct outer has no member 'e'");
    expect(refusal(() => nested.parse('a.x=1'))).toMatch("value.a: struct inner has no member 'x'");
    expect(refusal(() => nested.parse('c.x=1'))).toBe('value.c: an object is not an integer (u32)');
  });

  it('take a bare value for their first member, as deep as that goes', () => {
    expect(entry().parse('drop')).toEqual({
      action: 'drop',
      flag: 0,
      limits: [
        { rate: 0, burst: 0n },
        { rate: 0, burst: 0n },
      ],
      note: '',
    });
    expect(entry().parse('{"limits":[5]}')).toMatchObject({
      limits: [
        { rate: 5, burst: 0n },
        { rate: 0, burst: 0n },
      ],
    });
    const deep = codecOfType((btf, c) => {
      const inner = btf.struct('inner', 4, [{ name: 'addr', type: c.be32, offset: 0 }]);
      return btf.struct('outer', 4, [{ name: 'peer', type: inner, offset: 0 }]);
    });
    expect(deep.parse('10.0.0.1')).toEqual({ peer: { addr: '10.0.0.1' } });
    expect(refusal(() => deep.parse('10.0.0'))).toMatch(
      /^value\.peer\.addr: '10\.0\.0' is not an IPv4 address/,
    );
  });

  it('name the member that is wrong', () => {
    expect(refusal(() => entry().parse('{"limits":[1,{"rate":-1}]}'))).toBe(
      'value.limits[1].rate: -1 does not fit u32 (0 to 4294967295)',
    );
    expect(refusal(() => entry().parse('{"limits":[1,2,3]}'))).toBe(
      'value.limits: an array of 3 elements does not fit struct limit[2]',
    );
    expect(refusal(() => entry().parse('{"acton":"drop"}'))).toBe(
      "value: struct entry has no member 'acton' | did you mean 'action'?",
    );
    expect(refusal(() => entry().parse('{"note":1}'))).toBe('value.note: 1 is not text (char[4])');
    expect(refusal(() => entry().parse('{"action":null}'))).toMatch('value.action: null is not an integer');
    expect(refusal(() => entry().parse('null,'))).toMatch("value.action: 'null,' is not in enum action");
    expect(refusal(() => entry().parse('{"a" 1}'))).toBe(`value: line 1, column 6: expected ':', found "1"`);
    expect(refusal(() => entry().parse('{"limits":7}'))).toBe(
      'value.limits: 7 is not an array (struct limit[2])',
    );
    expect(refusal(() => entry().parse('{"limits":["hex:00"]}'))).toBe(
      'value.limits[0]: hex:00 has 1 byte, struct limit has 16',
    );
  });

  it('are hex when wanted, padding included', () => {
    const raw = 'ab'.repeat(48);
    expect(hexOfText(entry(), `hex:${raw}`)).toBe(raw);
    expect(hexOfText(entry(), '{"flag":"hex:09","note":"hex:ff000000"}').slice(8, 10)).toBe('09');
  });

  it('know members whose names every object has', () => {
    const codec = codecOfType((btf, c) =>
      btf.struct('odd', 8, [
        { name: 'constructor', type: c.u32, offset: 0 },
        { name: 'toString', type: c.u32, offset: 4 },
      ]),
    );
    expect(codec.parse('{"toString":1}')).toEqual({ constructor: 0, toString: 1 });
    expect(refusal(() => entry().parse('{"__proto__":{"flag":1}}'))).toMatch("has no member '__proto__'");
    expect(refusal(() => entry().parse('__proto__.flag=1'))).toMatch("has no member '__proto__'");
    expect(
      refusal(
        () => codecOfType((btf, c) => btf.struct('evil', 4, [{ name: '__proto__', type: c.u32, offset: 0 }])),
        'bad-object',
      ),
    ).toMatch('evil');
  });

  it('treat a member that is undefined as left out', () => {
    const view = new DataView(new ArrayBuffer(48));
    const value = JSON.parse('{"flag":3}');
    value.action = undefined;
    entry().encode(value, view, 0);
    expect(view.getUint8(4)).toBe(3);
  });

  it('describe the form that is expected', () => {
    expect(entry().describe()).toBe(
      '{"action": pass|drop, "flag": u8, "limits": [{"rate": u32, "burst": u64}, … × 2], "note": text (4 bytes)}',
    );
  });

  it('refuse bytes that are too few', () => {
    expect(refusal(() => valueOfHex(entry(), '00'))).toBe('1 byte given, the value (struct entry) has 48');
    expect(refusal(() => entry().encode({}, new DataView(new ArrayBuffer(48)), 1))).toMatch('47 bytes given');
  });
});

describe('arrays', () => {
  it('take as many elements or fewer, never more', () => {
    const codec = codecOfType((btf, c) => btf.array(c.be16, 3));
    expect(hexOfText(codec, '[1,2]')).toBe('000100020000');
    expect(valueOfHex(codec, '000100020003')).toEqual([1, 2, 3]);
    expect(refusal(() => codec.parse('[1,2,3,4]'))).toBe('an array of 4 elements does not fit __be16[3]');
    expect(refusal(() => codec.parse('1'))).toBe("'1' is not an array (__be16[3])");
    expect(refusal(() => codec.parse('[1,"x"]'))).toBe("value[1]: 'x' is not an integer (be16)");
  });

  it('may have several dimensions', () => {
    const codec = codecOfType((btf, c) => btf.array(btf.array(c.char, 4), 2));
    expect(valueOfHex(codec, '6100000062630000')).toEqual(['a', 'bc']);
    expect(hexOfText(codec, '["a","bc"]')).toBe('6100000062630000');
  });

  it('without elements or without bytes are empty', () => {
    expect(codecOfType((btf) => btf.array(btf.struct('none', 0, []), 0xffffffff)).parse('[]')).toEqual([]);
    expect(
      codecOfType((btf, c) =>
        btf.struct('s', 4, [
          { name: 'mark', type: btf.array(c.u32, 0), offset: 0 },
          { name: 'x', type: c.u32, offset: 0 },
        ]),
      ).parse('x=1'),
    ).toEqual({ mark: [], x: 1 });
  });
});

describe('data sections and variables', () => {
  it('are their variables by name', () => {
    const build = (pick: 'section' | 'variable') =>
      codecOfType((btf, c) => {
        const limit = btf.var('limit', btf.const(c.u32));
        const server = btf.var('server_ip', c.be32);
        const again = btf.var('limit', c.u16);
        const section = btf.datasec('.rodata', 12, [
          { type: limit, offset: 0, size: 4 },
          { type: server, offset: 4, size: 4 },
          { type: again, offset: 8, size: 2 },
        ]);
        return pick === 'section' ? section : server;
      });
    expect(valueOfHex(build('section'), '010000000a00000102000000')).toEqual({
      limit: 1,
      server_ip: '10.0.0.1',
      'limit@8': 2,
    });
    expect(hexOfText(build('variable'), '10.0.0.1')).toBe('0a000001');
  });
});
