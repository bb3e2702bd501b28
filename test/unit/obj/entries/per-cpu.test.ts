import { describe, expect, test } from 'vitest';
import { sumOverCpus, typeHasSum } from '../../../../src/obj/entries/sum.js';
import { codecOfType } from '../codec/support.js';
import { batchOf, entriesOf, fileOf, type MakeType, problemIn, shapeOf } from './support.js';

const counts = shapeOf('u32', 'u64', 2);
const batch = batchOf(counts, [
  [1, 5n, 7n],
  [2, 0n, 18446744073709551615n],
]);
const both = [
  { key: '01000000', value: '05000000000000000700000000000000' },
  { key: '02000000', value: '0000000000000000ffffffffffffffff' },
];
const withoutLines = (entries: readonly { key: string; value: string }[]) =>
  entries.map(({ key, value }) => ({ key, value }));
const action: MakeType = (btf) => btf.enum('action', { pass: 0, drop: 1 });
const actions = shapeOf('u32', action, 2);
const pairs: MakeType = (btf, c) => btf.array(c.u16, 2);

describe('values of per-CPU maps', () => {
  test('JSON has an array with one value a CPU, which is read back', () => {
    const text = fileOf('ndjson', counts, [batch]).toString();
    expect(text).toBe('{"key":1,"value":[5,7]}\n{"key":2,"value":[0,18446744073709551615]}\n');
    expect(withoutLines(entriesOf('ndjson', counts, text))).toEqual(both);
    expect(withoutLines(entriesOf('ndjson', counts, '{"key":1,"value":[ "5" , 7 ]}'))).toEqual([both[0]]);
  });

  test('CSV has a row a CPU, in any order within an entry', () => {
    const text = fileOf('csv', counts, [batch]).toString();
    expect(text).toBe('key,cpu,value\n1,0,5\n1,1,7\n2,0,0\n2,1,18446744073709551615\n');
    expect(entriesOf('csv', counts, text)).toEqual([
      { ...both[0], line: 2 },
      { ...both[1], line: 4 },
    ]);
    expect(withoutLines(entriesOf('csv', counts, 'key,value,cpu\n1,7,1\n1,5,0\n'))).toEqual([both[0]]);
  });

  test('a sum is read back to the first CPU, the others being zero', () => {
    const json = fileOf('ndjson', counts, [batch], { sumOverCpus: true }).toString();
    expect(json).toBe('{"key":1,"value":12}\n{"key":2,"value":18446744073709551615}\n');
    const summed = [
      { key: '01000000', value: '0c000000000000000000000000000000' },
      { key: '02000000', value: 'ffffffffffffffff0000000000000000' },
    ];
    expect(withoutLines(entriesOf('ndjson', counts, json))).toEqual(summed);
    const csv = fileOf('csv', counts, [batch], { sumOverCpus: true }).toString();
    expect(csv).toBe('key,value\n1,12\n2,18446744073709551615\n');
    expect(withoutLines(entriesOf('csv', counts, csv))).toEqual(summed);
    expect(
      fileOf('ndjson', counts, [batchOf(counts, [[1, 12n, 0n]])], { sumOverCpus: true }).toString(),
    ).toBe('{"key":1,"value":12}\n');
  });

  test('a sum beyond the type keeps all its digits, quoted where that is asked for', () => {
    const full = batchOf(counts, [[1, 18446744073709551615n, 1n]]);
    expect(fileOf('json', counts, [full], { sumOverCpus: true, wideAsText: true }).toString()).toBe(
      '[\n{"key":1,"value":"18446744073709551616"}\n]\n',
    );
    expect(fileOf('csv', counts, [full], { sumOverCpus: true }).toString()).toBe(
      'key,value\n1,18446744073709551616\n',
    );
  });

  test('what has no sum is written CPU by CPU, and given once it goes to each CPU', () => {
    const mixed = batchOf(actions, [[1, 'drop', 'pass']]);
    expect(fileOf('ndjson', actions, [mixed], { sumOverCpus: true }).toString()).toBe(
      '{"key":1,"value":["drop","pass"]}\n',
    );
    expect(fileOf('csv', actions, [mixed], { sumOverCpus: true }).toString()).toBe(
      'key,cpu,value\n1,0,drop\n1,1,pass\n',
    );
    const everywhere = { key: '01000000', value: '01000000000000000100000000000000' };
    expect(withoutLines(entriesOf('ndjson', actions, '{"key":1,"value":"drop"}'))).toEqual([everywhere]);
    expect(withoutLines(entriesOf('csv', actions, 'key,value\n1,drop'))).toEqual([everywhere]);
    expect(withoutLines(entriesOf('csv', actions, 'key,cpu,value\n1,,drop'))).toEqual([everywhere]);
  });

  test('arrays as values are told from arrays of values', () => {
    const shape = shapeOf('u32', pairs, 2);
    const each = batchOf(shape, [[1, [1, 2], [3, 4]]]);
    expect(fileOf('ndjson', shape, [each]).toString()).toBe('{"key":1,"value":[[1,2],[3,4]]}\n');
    const read = '01000200000000000300040000000000';
    expect(entriesOf('ndjson', shape, '{"key":1,"value":[[1,2],[3,4]]}')[0]?.value).toBe(read);
    expect(entriesOf('ndjson', shape, '{"key":1,"value":[["1",2],[3,4]]}')[0]?.value).toBe(read);
    const sum = fileOf('ndjson', shape, [each], { sumOverCpus: true }).toString();
    expect(sum).toBe('{"key":1,"value":[4,6]}\n');
    expect(entriesOf('ndjson', shape, sum)[0]?.value).toBe('04000600000000000000000000000000');
  });

  test('wrong numbers of CPUs are refused', () => {
    expect(problemIn('ndjson', counts, '{"key":1,"value":[1,2,3]}')).toBe(
      'f: line 1, column 18: value: 3 values are given, one a CPU, and there are 2 possible CPUs | a single value is taken as the sum over all CPUs',
    );
    expect(problemIn('csv', counts, 'key,cpu,value\n1,0,1\n2,0,1\n')).toBe(
      'f: line 3, column 1: an entry ends here, and the entry that begins in line 2 has no row for CPU 1',
    );
    expect(problemIn('csv', counts, 'key,cpu,value\n1,1,1\n')).toBe(
      'f: line 3, column 1: the file ends early: the entry that begins in line 2 has no row for CPU 0',
    );
    expect(problemIn('csv', counts, 'key,cpu,value\n1,0,1\n1,0,1\n')).toBe(
      'f: line 3, column 1: a second row for CPU 0 of one entry',
    );
    expect(problemIn('csv', counts, 'key,cpu,value\n1,2,1\n')).toBe(
      "f: line 2, column 3: cpu: '2' is not a CPU: there are 0 to 1",
    );
    expect(problemIn('csv', shapeOf('u32', 'u64'), 'key,cpu,value\n1,0,1\n')).toBe(
      "f: line 1, column 5: a column 'cpu', which these entries do not have | expected key,value",
    );
  });
});

describe('sums', () => {
  test('numbers are added, member by member and element by element', () => {
    expect(
      sumOverCpus([
        { a: 1, b: [2n, 3n] },
        { a: 4, b: [5n, 6n] },
      ]),
    ).toEqual({ a: 5, b: [7n, 9n] });
    expect(sumOverCpus([{ a: 1 }, { a: 'drop' }])).toBeUndefined();
    expect(sumOverCpus([[1], [1, 2]])).toEqual([2]);
    expect(sumOverCpus([])).toBeUndefined();
  });

  test('a type has sums when it consists of numbers', () => {
    const has = (make: Exclude<MakeType, string>): boolean => typeHasSum(codecOfType(make));
    expect(has((_, c) => c.u64)).toBe(true);
    expect(has((_, c) => c.f64)).toBe(true);
    expect(has((_, c) => c.be16)).toBe(true);
    expect(has((_, c) => c.bool)).toBe(false);
    expect(has((btf) => btf.enum('e', { a: 0 }))).toBe(false);
    expect(has((btf, c) => btf.array(c.char, 4))).toBe(false);
    expect(
      has((btf, c) =>
        btf.struct('s', 16, [
          { name: 'u32: x', type: c.u32, offset: 0 },
          { name: 'bits', type: c.u32, bitOffset: 32, bitSize: 3 },
          { name: 'list', type: btf.array(c.s16, 2), offset: 8 },
        ]),
      ),
    ).toBe(true);
    expect(has((btf, c) => btf.struct('s', 4, [{ name: 'addr', type: c.u32, offset: 0 }]))).toBe(false);
  });
});
