import { describe, expect, it } from 'vitest';
import { EntryTable, type TableEntry } from '../../../src/cli/entry-table.js';
import { codecForWord, type Value } from '../../../src/obj/codec/index.js';

const codec = codecForWord('u32');
const shape = { key: codec, value: codec, keySize: 4, valueStride: 4, cpus: 1, cpuStride: 4 };

function tableOf(entry: TableEntry, keys = true): string[] {
  const table = new EntryTable([entry], keys ? shape : { ...shape, key: undefined });
  return table
    .head(table.rows([entry]))
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

const entry = (key: Value, value: Value, perCpu = false): TableEntry => ({ key, value, perCpu });

describe('a table of entries', () => {
  it('has a column a member of keys and of values, one where there are none', () => {
    expect(tableOf(entry(7, 9))).toEqual(['KEY VALUE', '7 9']);
    expect(tableOf(entry({ saddr: '10.0.0.1', pad: [0, 0] }, { packets: 5 }))).toEqual([
      'SADDR PAD PACKETS',
      '10.0.0.1 [0,0] 5',
    ]);
    expect(tableOf(entry({ net: { id: 1 }, port: 2 }, 9))).toEqual(['NET PORT VALUE', '{"id":1} 2 9']);
    expect(tableOf(entry('', 9), false)).toEqual(['KEY VALUE', ' 9']);
  });

  it('tells members of keys from columns of the same name', () => {
    expect(tableOf(entry({ port: 1, cpu: 2 }, { port: 3 }))).toEqual(['KEY.PORT CPU PORT', '1 2 3']);
    expect(tableOf(entry({ cpu: 1, value: 2 }, [5, 6], true))).toEqual([
      'KEY.CPU KEY.VALUE CPU VALUE',
      '1 2 0 5',
      '1 2 1 6',
    ]);
  });
});
