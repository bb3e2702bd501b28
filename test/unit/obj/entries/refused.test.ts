import { describe, expect, test } from 'vitest';
import { recordLimit } from '../../../../src/obj/entries/intake.js';
import { counters, entriesOf, fileOf, flow, outcomeOf, problemIn, shapeOf } from './support.js';

const counts = shapeOf('u32', 'u64');
const flows = shapeOf(flow, counters);
const queue = shapeOf(undefined, 'u32');
const one = { key: '01000000', value: '0200000000000000' };

describe('JSON, NDJSON and CSV accept', () => {
  test('members in any order, white space and line ends of any kind', () => {
    expect(entriesOf('ndjson', counts, ' { "value" :\t2 , "key": 1 } \r\n\n\t\n{"key":1,"value":2}')).toEqual(
      [
        { ...one, line: 1 },
        { ...one, line: 4 },
      ],
    );
  });

  test('pretty-printed JSON, with the line of each entry', () => {
    const text = JSON.stringify(
      [
        { key: 1, value: 2 },
        { value: 2, key: 1 },
      ],
      undefined,
      2,
    );
    expect(entriesOf('json', counts, text)).toEqual([
      { ...one, line: 2 },
      { ...one, line: 6 },
    ]);
    const pretty = JSON.stringify(
      { entries: [{ key: { saddr: '0.0.0.1' }, value: { packets: 1 } }] },
      undefined,
      '\t',
    );
    expect(entriesOf('json', flows, `${pretty}\r\n`).map(({ line }) => line)).toEqual([3]);
    expect(problemIn('json', flows, pretty.replace('"packets"', '"pakets"'))).toMatch(
      /^f: line 8, column 5: /,
    );
  });

  test('the document of map dump --json, whatever else is in it', () => {
    const text =
      '{"schemaVersion":1,"map":{"id":3,"name":"a\\"]"},"entries":[{"key":1,"value":2}],"more":[1,{}]}\n';
    expect(entriesOf('json', counts, text)).toEqual([{ ...one, line: 1 }]);
  });

  test('a byte order mark', () => {
    expect(entriesOf('json', counts, '\ufeff[{"key":1,"value":2}]')).toHaveLength(1);
    expect(entriesOf('ndjson', counts, '\ufeff{"key":1,"value":2}')).toHaveLength(1);
    expect(entriesOf('csv', counts, '\ufeffkey,value\r\n1,2\r\n')).toEqual([{ ...one, line: 2 }]);
    expect(problemIn('ndjson', counts, '\ufeff{"key":1}')).toMatch(/^f: line 1, column 1: /);
  });

  test('no entries at all', () => {
    expect(entriesOf('json', counts, '[]')).toEqual([]);
    expect(entriesOf('ndjson', counts, '')).toEqual([]);
    expect(entriesOf('csv', counts, 'key,value\n')).toEqual([]);
  });

  test('values in every spelling that the command line takes', () => {
    expect(
      entriesOf('ndjson', counts, '{"key":"0x1","value":"2"}\n{"key":"hex:01000000","value":2}'),
    ).toHaveLength(2);
    expect(entriesOf('csv', counts, 'key,value\n0x1, 2\n"1","2"\nhex:01000000,2')).toEqual([
      { ...one, line: 2 },
      { ...one, line: 3 },
      { ...one, line: 4 },
    ]);
    expect(entriesOf('ndjson', flows, '{"key":"sport=1","value":"packets=3"}')).toHaveLength(1);
  });

  test('CSV with its columns in another order', () => {
    expect(entriesOf('csv', counts, 'value,key\n2,1')).toEqual([{ ...one, line: 2 }]);
  });

  test('CSV without columns for some members of a value: they are zero, whatever stood in the rows before', () => {
    const [whole, part] = [
      'key,value.packets,value.bytes\nsport=1,1,2\n',
      'key,value.bytes\nsport=1,2\nsport=2,"3"\n',
    ];
    expect(entriesOf('csv', flows, whole).map(({ value }) => value)).toEqual([`${le64(1)}${le64(2)}`]);
    expect(entriesOf('csv', flows, part).map(({ value }) => value)).toEqual([
      `${le64(0)}${le64(2)}`,
      `${le64(0)}${le64(3)}`,
    ]);
  });

  test('CSV with a struct in one column, as the command line takes it', () => {
    expect(
      entriesOf('csv', flows, 'key,value\nsport=1,"packets=3,bytes=4"\n"{""sport"":1}",5\n'),
    ).toMatchObject([{ value: `${le64(3)}${le64(4)}` }, { value: `${le64(5)}${le64(0)}` }]);
  });

  test('values alone for a map without keys', () => {
    expect(entriesOf('ndjson', queue, '{"value":7}')).toEqual([{ key: '', value: '07000000', line: 1 }]);
    expect(entriesOf('csv', queue, 'value\n7')).toHaveLength(1);
    expect(problemIn('ndjson', queue, '{"key":1,"value":7}')).toBe(
      'f: line 1, column 2: the record has a key, and this map has none',
    );
  });

  test('an empty text as the only field of a row', () => {
    const names = shapeOf(undefined, 'string:4');
    const batch = { count: 2, keys: new Uint8Array(0), values: new Uint8Array(8) };
    expect(entriesOf('csv', names, fileOf('csv', names, [batch]))).toHaveLength(2);
  });
});

describe('records that are no entries are refused with line and column', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['no value', '{"key":1}', '1, column 1: this record has no value: it must be {"key":…,"value":…}'],
    ['no key', '\n {"value":1}', '2, column 2: this record has no key: it must be {"key":…,"value":…}'],
    [
      'another member',
      '{"key":1,"valu":1}',
      '1, column 10: a record has no member \'valu\': it is {"key":…,"value":…} | did you mean \'value\'?',
    ],
    ['a member twice', '{"key":1,"key":1}', '1, column 10: member "key" stands here twice'],
    ['no object', '1', '1, column 1: an entry must be an object such as {"key":…,"value":…}'],
    ['null', '{"key":null,"value":1}', '1, column 8: key: null is not a value'],
    [
      'out of range',
      '{"key":1,"value":18446744073709551616}',
      '1, column 18: value: 18446744073709551616 does not fit u64 (0 to 18446744073709551615)',
    ],
    ['wrong width', '{"key":"hex:01","value":1}', '1, column 8: hex:01 has 1 byte, the key (u32) has 4'],
    ['a line that was cut', '{"key":1,"value":1}\n{"key":2,"val', '2, column 10: this string has no end'],
    ['a number that was cut', '{"key":1,"value":1', "1, column 19: expected ',' or '}', found the end"],
    [
      'an entry over two lines',
      '{"key":1,\n"value":1}',
      '1, column 10: expected a member name in double quotes, found the end',
    ],
    [
      'two entries in a line',
      '{"key":1,"value":1}{"key":2,"value":1}',
      '1, column 20: expected the end, found "{"',
    ],
    [
      'an array of entries',
      '[{"key":1,"value":1}]',
      '1, column 1: an array stands here: NDJSON has one entry, {"key":…,"value":…}, a line | a JSON array of entries is read from a file named .json',
    ],
  ];
  for (const [what, text, problem] of cases) {
    test(`NDJSON: ${what}`, () => {
      expect(problemIn('ndjson', counts, text)).toBe(`f: line ${problem}`);
    });
  }

  test('the place is that of the member which is wrong, deep in a value and behind other characters', () => {
    const line = '{"key":{"saddr":"10.0.0.1","sport":1},"value":{"packets":1,"bytes":-1}}';
    expect(problemIn('ndjson', flows, `${line.replace('-1', '1')}\n${line}`)).toBe(
      'f: line 2, column 68: value.bytes: -1 does not fit u64 (0 to 18446744073709551615)',
    );
    const names = shapeOf('string:16', (btf, c) => btf.array(c.u8, 3));
    const { error } = outcomeOf('ndjson', names, Buffer.from('{"key":"é😀","value":[1,2,300]}'));
    expect(error?.message).toBe('f: line 1, column 27: value[2]: 300 does not fit u8 (0 to 255)');
    expect(error?.details).toEqual({ line: 1, column: 27, path: 'value[2]' });
  });

  test('bytes that are not UTF-8', () => {
    const text = Buffer.from('{"key":1,"value":2}\n{"key":1,"value":"é\xff"}', 'latin1');
    expect(problemIn('ndjson', counts, text)).toBe('f: line 2, column 19: the byte 0xe9 is not UTF-8 text');
    const names = shapeOf('u32', 'string:8');
    const long = Buffer.concat([Buffer.from('{"key":1,"value":"é'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(problemIn('ndjson', names, long)).toBe('f: line 1, column 20: the byte 0xff is not UTF-8 text');
    expect(problemIn('json', names, Buffer.concat([Buffer.from('['), long, Buffer.from(']')]))).toBe(
      'f: line 1, column 21: the byte 0xff is not UTF-8 text',
    );
    expect(problemIn('csv', names, Buffer.concat([Buffer.from('key,value\n1,a'), Buffer.from([0xff])]))).toBe(
      'f: line 2, column 4: the byte 0xff is not UTF-8 text',
    );
  });

  test('a line without end', { timeout: 60_000 }, () => {
    const piece = Buffer.alloc(1 << 20, 'x');
    const endless = Buffer.concat([
      Buffer.from('{"key":1,"value":"'),
      ...Array.from({ length: 17 }, () => piece),
    ]);
    const cuts = Array.from({ length: 17 * 16 }, (_, at) => at * (1 << 16));
    for (const [format, before, what] of [
      ['ndjson', '\n\n', 'this line'],
      ['json', '[\n\n', 'what begins here'],
      ['csv', 'key,value\n\n', 'this row'],
    ] as const) {
      const file = Buffer.concat([Buffer.from(before), endless]);
      expect(outcomeOf(format, counts, file, cuts).error?.message).toBe(
        `f: line 3, column 1: ${what} is longer than ${recordLimit / 1024 / 1024} MB`,
      );
    }
  });

  test('a place in a line of which the beginning is long gone', () => {
    const names = shapeOf('string:8', 'u8');
    const entry = '{"key":"é😀","value":2},';
    const text = `[${entry.repeat(20_000)}{"key":"é😀"}]`;
    const cuts = Array.from({ length: 200 }, (_, index) => index * 4093);
    const column = 2 + entry.length * 20_000;
    expect(outcomeOf('json', names, Buffer.from(text), cuts).error?.message).toBe(
      `f: line 1, column ${column}: this record has no value: it must be {"key":…,"value":…}`,
    );
  });
});

describe('JSON that is no array of entries is refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['an empty file', '', '1, column 1: the file is empty'],
    ['only white space', ' \n ', '2, column 2: the file is empty'],
    [
      'a number',
      '5',
      '1, column 1: expected an array of entries, or an object with one under "entries", found "5"',
    ],
    [
      'an array that was cut',
      '[{"key":1,"value":1}',
      "1, column 21: the file ends where ',' or ']' must follow: it was cut",
    ],
    [
      'an entry that was cut',
      '[\n{"key":1,\n"val',
      '3, column 5: the file ends in the middle of what begins in line 2: it was cut',
    ],
    ['text behind the end', '[]\n[]', '2, column 1: expected the end of the file, found "["'],
    [
      'entries side by side',
      '[{"key":1,"value":1} {"key":1,"value":1}]',
      `1, column 22: expected ',' or ']', found "{"`,
    ],
    [
      'a comma too many',
      '[{"key":1,"value":1},]',
      '1, column 22: expected an entry such as {"key":…,"value":…}, found "]"',
    ],
    [
      'an entry that is none',
      '[1]',
      `1, column 2: expected an entry such as {"key":…,"value":…}, or ']', found "1"`,
    ],
    [
      'an entry with a wrong bracket',
      '[{"key":[1},{"key":1,"value":1}]',
      `1, column 11: expected ',' or ']', found "}"`,
    ],
    ['no entries', '{"map":{}}', '1, column 10: this object has no member "entries", an array of entries'],
    [
      'NDJSON',
      '{"key":1,"value":1}\n{"key":1,"value":1}\n',
      '1, column 19: this object has no member "entries", an array of entries | one entry a line is read from a file named .ndjson',
    ],
    ['entries twice', '{"entries":[],"entries":[]}', '1, column 15: member "entries" stands here twice'],
    ['entries that are none', '{"entries":{}}', '1, column 12: "entries" must be an array of entries'],
    ['nesting without end', `[{"key":${'['.repeat(200)}`, '1, column 136: nested deeper than 128 levels'],
  ];
  for (const [what, text, problem] of cases) {
    test(what, () => {
      expect(problemIn('json', counts, text)).toBe(`f: line ${problem}`);
    });
  }
});

describe('CSV that does not fit is refused with line, column and the name of the column', () => {
  const expected =
    'expected key.saddr,key.daddr,key.sport,key.dport,key.protocol,key.pad,value.packets,value.bytes';
  const cases: readonly (readonly [string, string, string])[] = [
    ['an empty file', '', '1, column 1: the file is empty: a header must be there'],
    [
      'a header that is a row',
      '1,2\n',
      "1, column 1: a column '1', which these entries do not have | expected key,value",
    ],
    [
      'another column',
      'key,val\n',
      "1, column 5: a column 'val', which these entries do not have | expected key,value",
    ],
    [
      'a column that is another one but for a letter',
      'key,values\n',
      "1, column 5: a column 'values', which these entries do not have | did you mean 'value'? expected key,value",
    ],
    ['a column that is missing', 'key\n1', "1, column 1: the column 'value' is missing | expected key,value"],
    [
      'a column that is there twice',
      'key,value,key\n',
      "1, column 11: the column 'key' stands here twice | expected key,value",
    ],
    ['a row with more fields', 'key,value\n1,2,3\n', '2, column 5: this row has 3 fields, the header has 2'],
    ['a row with fewer fields', 'key,value\n1\n', '2, column 2: this row has 1 field, the header has 2'],
    [
      'a field out of range',
      'key,value\n1,2\n4294967296,1\n',
      '3, column 1: key: 4294967296 does not fit u32 (0 to 4294967295)',
    ],
    [
      'a field of the wrong width',
      'key,value\n1,hex:00\n',
      '2, column 3: value: hex:00 has 1 byte, u64 has 8',
    ],
    ['an empty field', 'key,value\n1,\n', "2, column 3: value: '' is not an integer (u64)"],
    [
      'a quote that has no end',
      'key,value\n1,2\n1,"2\n',
      '3, column 3: a field begins with a double quote, and no other one ends it',
    ],
    [
      'text behind a quote',
      'key,value\n1,"2"3\n',
      '2, column 6: text behind the double quote that ends a field',
    ],
    [
      'a quote within a field',
      'key,value\n1,2"\n',
      '2, column 4: a double quote within a field: the whole field must stand in quotes, and this one twice',
    ],
    [
      'a row behind a field of several lines',
      'key,value\n"1\n",2\nx,2',
      "4, column 1: key: 'x' is not an integer (u32)",
    ],
  ];
  for (const [what, text, problem] of cases) {
    test(what, () => {
      expect(problemIn('csv', counts, text)).toBe(`f: line ${problem}`);
    });
  }

  test('a column by its last word alone, which is told in full', () => {
    expect(problemIn('csv', flows, 'key.saddr,packets\n')).toBe(
      `f: line 1, column 11: a column 'packets', which these entries do not have | did you mean 'value.packets'? ${expected}`,
    );
  });

  test('columns of structs', () => {
    expect(problemIn('csv', flows, 'value,key.saddr\n')).toBe(
      `f: line 1, column 1: the columns 'key.daddr', 'key.sport', 'key.dport', 'key.protocol', 'key.pad' are missing | ${expected}`,
    );
    expect(problemIn('csv', flows, 'key,value,value.bytes\n')).toBe(
      `f: line 1, column 11: the column 'value.bytes' stands here beside 'value' | ${expected}`,
    );
    expect(problemIn('csv', flows, 'key,value.bytes,value\n')).toBe(
      `f: line 1, column 17: the column 'value' stands here beside 'value.bytes' | ${expected}`,
    );
    expect(problemIn('csv', flows, 'key\n')).toBe(
      `f: line 1, column 1: the columns 'value.packets', 'value.bytes' are missing | ${expected}`,
    );
    const { error } = outcomeOf('csv', flows, Buffer.from(`${expected.slice(9)}\n1.2.3,0,0,0,0,[],0,0`));
    expect(error?.details).toEqual({ line: 2, column: 1, name: 'key.saddr', path: 'key.saddr' });
  });
});

function le64(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.toString('hex');
}
