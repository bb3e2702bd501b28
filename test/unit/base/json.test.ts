import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NetkitError } from '../../../src/base/errors.js';
import { type JsonValue, parseJson, toJson } from '../../../src/base/json.js';

function problem(text: string): string {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'bad-value') return error.message;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe('parseJson', () => {
  it('keeps every digit of large integers and leaves small ones numbers', () => {
    expect(
      parseJson('[1, -1, 0, 9007199254740991, 9007199254740992, 18446744073709551615, -9223372036854775808]'),
    ).toEqual([1, -1, 0, 9007199254740991, 9007199254740992n, 18446744073709551615n, -9223372036854775808n]);
  });

  it('reads fractions, exponents, words, escapes and empty containers', () => {
    expect(
      parseJson(
        ' {"a" : [ ] , "b":{ }, "c":[1.5,-2e3,1E+2,true,false,null],"d":"\\u00e9\\n\\"\\\\\\/\\ud83d\\ude00é"} ',
      ),
    ).toEqual({
      a: [],
      b: {},
      c: [1.5, -2000, 100, true, false, null],
      d: 'é\n"\\/😀é',
    });
    expect(Object.is(parseJson('-0'), -0)).toBe(true);
  });

  it('names line and column of what is wrong', () => {
    expect(problem('{\n  "a": 1,\n  "b" 2\n}')).toBe(`line 3, column 7: expected ':', found "2"`);
    expect(problem('[1,\n2,]')).toBe('line 2, column 3: expected a value, found "]"');
    expect(problem('')).toBe('line 1, column 1: expected a value, found the end');
    expect(problem('[1] x')).toBe('line 1, column 5: expected the end, found "x"');
    expect(problem('{"a":1')).toBe(`line 1, column 7: expected ',' or '}', found the end`);
    expect(problem('"abc')).toBe('line 1, column 1: this string has no end');
    expect(problem('"a\nb"')).toBe('line 1, column 3: a control character in a string must be escaped');
    expect(problem('"\\x"')).toBe('line 1, column 2: unknown escape in a string');
    expect(problem('"\\u12g4"')).toBe('line 1, column 2: \\u needs four hex digits');
  });

  it('counts lines from where the text stands in its file', () => {
    expect(() => parseJson('{]', { firstLine: 700 })).toThrow(/^line 700, column 2:/);
    try {
      parseJson('[\n\n}', { firstLine: 5 });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'bad-value', details: { line: 7, column: 1 } });
    }
  });

  it.each([
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    '0x10',
    'NaN',
    'Infinity',
    '1_0',
    "'a'",
    '[1 2]',
    '{a:1}',
    'tru',
    '\ufeff1',
    '1e999',
    '[1,]',
    '{"a":1,}',
  ])('refuses %s', (text) => {
    expect(problem(text)).toMatch(/^line 1, column \d+: /);
  });

  it('refuses a member that stands twice, at its second place', () => {
    expect(problem('{"a":1,\n"a":2}')).toBe('line 2, column 1: member "a" stands here twice');
    expect(problem('{"__proto__":1,"__proto__":2}')).toMatch(/twice/);
  });

  it('refuses endless nesting and endless numbers without running out of stack', () => {
    expect(problem('['.repeat(1_000_000))).toMatch(/nested deeper than 128 levels/);
    expect(problem('{"a":'.repeat(100_000))).toMatch(/nested deeper/);
    expect(problem('9'.repeat(1_000_000))).toMatch(/more than 1000 digits/);
    expect(parseJson('['.repeat(128) + ']'.repeat(128))).toBeInstanceOf(Array);
  });

  it('makes __proto__ an ordinary member', () => {
    const value = parseJson('{"__proto__":{"polluted":1}}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value ?? {})).toEqual(['__proto__']);
  });

  it('agrees with JSON.parse on what is JSON and what it means', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), mutated()), (text) => {
        let expected: { value: unknown } | undefined;
        try {
          expected = { value: JSON.parse(text) };
        } catch {
          expected = undefined;
        }
        let actual: { value: unknown } | undefined;
        try {
          actual = { value: rounded(parseJson(text)) };
        } catch (error) {
          expect(error).toBeInstanceOf(NetkitError);
          // The two refusals beyond the grammar.
          if (error instanceof NetkitError && /twice|too large/.test(error.message)) return;
        }
        expect(actual).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });
});

/** JSON texts with one character changed. */
function mutated(): fc.Arbitrary<string> {
  return fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', ':', '"', '{', ']', '0', '-', '.', 'e', '\\', ' '))
    .map(([text, at, piece]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + piece + text.slice(place + 1);
    });
}

function rounded(value: JsonValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  const out: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(out, name, {
      value: rounded(member),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}

describe('toJson', () => {
  it('prints bigint with all digits, as number or as string', () => {
    expect(toJson({ a: 18446744073709551615n, b: 1 })).toBe('{"a":18446744073709551615,"b":1}');
    expect(toJson({ a: 18446744073709551615n, b: 1 }, { bigints: 'string' })).toBe(
      '{"a":"18446744073709551615","b":1}',
    );
  });

  it('indents as JSON.stringify does', () => {
    const value = { a: [1, { b: [] }], c: {}, d: 'x"y', e: [[]], f: null, g: undefined };
    expect(toJson(value, { indent: 2 })).toBe(JSON.stringify(value, null, 2));
    expect(toJson(value)).toBe(JSON.stringify(value));
  });

  it('prints bytes as lower-case hex and floats without a JSON form as strings', () => {
    expect(toJson([new Uint8Array([0, 171]), Buffer.from('A'), Number.NaN, -Infinity, -0])).toBe(
      '["00ab","41","NaN","-Infinity",-0]',
    );
  });

  it('refuses what is not plain data', () => {
    expect(() => toJson({ f: () => 1 })).toThrow(TypeError);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => toJson(loop)).toThrow(TypeError);
  });

  it('writes what parseJson reads back', () => {
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constant(null),
        fc.boolean(),
        fc.string({ unit: 'binary' }),
        fc
          .double({ noNaN: true, noDefaultInfinity: true })
          .filter((number) => !Number.isInteger(number) || Number.isSafeInteger(number)),
        fc.bigInt().filter((big) => !Number.isSafeInteger(Number(big))),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (json, indent) => {
        expect(parseJson(toJson(json, { indent }))).toEqual(json);
      }),
      { numRuns: 3000 },
    );
  });
});
