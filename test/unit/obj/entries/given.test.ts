import { join } from 'node:path';
import { expect, test } from 'vitest';
import { shapeOfMap } from '../../../../src/cnf/entries/declarable.js';
import type { EntryShape } from '../../../../src/obj/entries/batch.js';
import { type EntryFormat, type EntryReaderOptions, entryReader } from '../../../../src/obj/entries/index.js';
import { ObjectSpec } from '../../../../src/obj/spec.js';
import { slowShape } from './support.js';

const spec = ObjectSpec.readSync(join(import.meta.dirname, '../../../fixtures/objects/declared.bpf.o'));
const rules = shapeOfMap(spec, 'rules');
const onCpus = (cpus: number): EntryShape => ({
  ...shapeOfMap(spec, 'cpu_rules'),
  cpus,
  valueStride: cpus * 24,
});

const action = 'ffffffff';
const tag = '00000000ff';
const full = `ffffffffff000000${'ff'.repeat(16)}`;
const padded = (bits: string) => bits.padEnd(48, '0');

/** The given bits of each entry, when the file comes in pieces of so many bytes. */
function given(
  format: EntryFormat,
  shape: EntryShape,
  text: string,
  piece: number,
  options: EntryReaderOptions = { given: true },
): (string | undefined)[] {
  const reader = entryReader(format, shape, options);
  const bytes = Buffer.from(text);
  const found: (string | undefined)[] = [];
  const take = (batches: ReturnType<typeof reader.push>): void => {
    for (const batch of batches)
      for (let index = 0; index < batch.count; index++) {
        const [from, to] = [index * shape.valueStride, (index + 1) * shape.valueStride];
        found.push(
          batch.given === undefined ? undefined : Buffer.from(batch.given.subarray(from, to)).toString('hex'),
        );
      }
  };
  for (let at = 0; at < bytes.length; at += piece) take(reader.push(bytes.subarray(at, at + piece)));
  take(reader.end());
  return found;
}

const whole = '{"action":"DROP","tag":1,"packets":2,"bytes":3}';
const files: readonly (readonly [
  name: string,
  format: EntryFormat,
  shape: EntryShape,
  text: string,
  wanted: string[],
])[] = [
  ['columns', 'csv', rules, 'key,value.action\n1,DROP\n"2","PASS"\n', [padded(action), padded(action)]],
  [
    'a whole value',
    'csv',
    rules,
    'key,value\n1,DROP\n2,tag=4\n3,"{""tag"":4}"\n',
    [padded(action), padded(tag), padded(tag)],
  ],
  [
    'all columns',
    'csv',
    rules,
    'key,value.action,value.tag,value.packets,value.bytes\n1,DROP,1,2,3\n',
    [full],
  ],
  ['a row for all CPUs', 'csv', onCpus(2), 'key,value.action\n1,DROP\n', [padded(action) + padded(action)]],
  ['a row a CPU', 'csv', onCpus(2), 'key,cpu,value.tag\n1,1,3\n1,0,4\n', [padded(tag) + padded(tag)]],
  [
    'a whole value a CPU',
    'csv',
    onCpus(2),
    'key,cpu,value\n1,1,tag=3\n1,0,DROP\n',
    [padded(action) + padded(tag)],
  ],
  [
    'lines',
    'ndjson',
    rules,
    `{"key":1,"value":${whole}}\n{"key":2,"value":{"tag":4}}\n{"value":"DROP","key":3}`,
    [full, padded(tag), padded(action)],
  ],
  [
    'an array',
    'json',
    rules,
    `[{"key":1,"value":{"tag":4}},\n{"key":2,"value":${whole}}]`,
    [padded(tag), full],
  ],
  [
    'one for all CPUs',
    'ndjson',
    onCpus(3),
    `{"key":1,"value":{"tag":1}}\n{"key":2,"value":${whole}}\n`,
    [padded(tag).repeat(3), full.repeat(3)],
  ],
  [
    'one a CPU',
    'ndjson',
    onCpus(2),
    `{"key":1,"value":[${whole},{"tag":1}]}\n{"key":2,"value":[${whole},${whole}]}\n`,
    [full + padded(tag), full.repeat(2)],
  ],
];

test.each(files)(
  'readers tell which bits of values a file gives: %s in %s',
  (_, format, shape, text, wanted) => {
    for (const piece of [1, 2, 3, 7, 10_000]) {
      expect(given(format, shape, text, piece), `pieces of ${piece}`).toEqual(wanted);
      expect(given(format, slowShape(shape), text, piece), `the slow way, pieces of ${piece}`).toEqual(
        wanted,
      );
      expect(given(format, shape, text, piece, {}), 'unless they are asked').toEqual(
        wanted.map(() => undefined),
      );
    }
  },
);

test('batches that follow each other do not mix what they give', () => {
  const lines = Array.from(
    { length: 20 },
    (_, index) => `{"key":${index},"value":${index % 3 === 0 ? whole : '{"tag":1}'}}`,
  );
  const wanted = lines.map((_, index) => (index % 3 === 0 ? full : padded(tag)));
  expect(given('ndjson', rules, lines.join('\n'), 50, { given: true, batchSize: 4 })).toEqual(wanted);
});

test('a single value for all CPUs is a sum, or that of each, as is wanted', () => {
  const shape = shapeOfMap(spec, 'cpu_settings');
  const two: EntryShape = { ...shape, cpus: 2, valueStride: 16 };
  const values = (format: EntryFormat, text: string, single?: 'sum' | 'each'): number[] => {
    const reader = entryReader(format, two, single === undefined ? {} : { single });
    const batches = [...reader.push(Buffer.from(text))].concat([...reader.end()]);
    const bytes = batches[0]?.values ?? new Uint8Array(0);
    return [bytes[0] ?? -1, bytes[8] ?? -1];
  };
  for (const [format, text] of [
    ['csv', 'key,value\n1,5\n'],
    ['ndjson', '{"key":1,"value":5}\n'],
    ['json', '[{"key":"1","value":"5"}]'],
  ] as const) {
    expect(values(format, text)).toEqual([5, 0]);
    expect(values(format, text, 'sum')).toEqual([5, 0]);
    expect(values(format, text, 'each')).toEqual([5, 5]);
  }
});
