import { describe, expect, test } from 'vitest';
import { type EntryFormat, entryReader, entryWriter, formatOf } from '../../../../src/obj/entries/index.js';
import { counters, flow, outcomeOf, shapeOf } from './support.js';

const formats: readonly EntryFormat[] = ['json', 'ndjson', 'csv', 'snapshot'];
const flows = shapeOf(flow, counters);

/** A batch of entries that are all different. */
function batchFrom(first: number, count: number) {
  const keys = new Uint8Array(count * 16);
  const values = new Uint8Array(count * 16);
  const keyView = new DataView(keys.buffer);
  const valueView = new DataView(values.buffer);
  for (let index = 0; index < count; index++) {
    keyView.setUint32(index * 16, Math.imul(first + index, 0x9e3779b1), true);
    keyView.setUint16(index * 16 + 8, first + index);
    valueView.setBigUint64(index * 16, BigInt(first + index) ** 4n, true);
  }
  return { count, keys, values };
}

describe('files longer than what is kept of them', () => {
  for (const format of formats) {
    test(`${format}: entries and lines are right whatever the chunks`, { timeout: 60_000 }, () => {
      const writer = entryWriter(format, flows);
      const parts = [Buffer.from(writer.head())];
      for (let first = 0; first < 9000; first += 1000)
        parts.push(Buffer.from(writer.batch(batchFrom(first, 1000))));
      const file = Buffer.concat([...parts, Buffer.from(writer.tail())]);
      const expected = batchFrom(0, 9000);
      for (const size of [1009, 65_536, 300_007, file.length]) {
        const cuts = Array.from({ length: Math.ceil(file.length / size) }, (_, index) => index * size);
        const { entries, error } = outcomeOf(format, flows, file, cuts);
        expect(error).toBeUndefined();
        expect(Buffer.from(entries.map(({ key }) => key).join(''), 'hex').equals(expected.keys)).toBe(true);
        expect(Buffer.from(entries.map(({ value }) => value).join(''), 'hex').equals(expected.values)).toBe(
          true,
        );
        const first = format === 'json' || format === 'csv' ? 2 : 1;
        expect(entries.every(({ line }, index) => line === first + index)).toBe(true);
      }
    });

    test(`${format}: 60 MB pass through a few`, { timeout: 60_000 }, () => {
      const writer = entryWriter(format, flows);
      const reader = entryReader(format, flows, { file: 'f' });
      const batch = batchFrom(0, 4096);
      let read = 0;
      let bytes = 0;
      let batches = 0;
      const pass = (chunk: Uint8Array): void => {
        bytes += chunk.length;
        for (const each of reader.push(chunk)) read += each.count;
      };
      pass(writer.head());
      pass(writer.batch(batch));
      const before = process.memoryUsage().arrayBuffers;
      for (batches = 1; bytes < 60_000_000; batches++) pass(writer.batch(batch));
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8_000_000);
      pass(writer.tail());
      for (const each of reader.end()) read += each.count;
      expect(read).toBe(batches * 4096);
    });
  }
});

describe('the name of a file tells its format', () => {
  test('by its ending, in any case', () => {
    expect(['a.json', 'b.NDJSON', 'c.jsonl', '/x.y/d.csv', 'e.nkmap'].map(formatOf)).toEqual([
      'json',
      'ndjson',
      'ndjson',
      'csv',
      'snapshot',
    ]);
    expect(['json', 'a.json.gz', 'a.txt', '', '-'].map(formatOf)).toEqual(Array(5).fill(undefined));
  });
});
