import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codecFor } from '../../../../src/obj/codec/index.js';
import { checksum } from '../../../../src/obj/entries/checksum.js';
import { type SnapshotTypes, snapshotHeader, snapshotShape } from '../../../../src/obj/entries/index.js';
import { objectSpec } from '../fixtures.js';
import { damaged, damages } from '../mutations.js';
import { batchOf, counters, entriesOf, fileOf, flow, outcomeOf, problemIn, shapeOf } from './support.js';

const counts = shapeOf('u32', 'u64');
const batch = batchOf(counts, [
  [1, 2n],
  [3, 4n],
]);
const types: SnapshotTypes = {
  mapType: 'hash',
  name: 'counts',
  maxEntries: 100,
  mapFlags: 1,
  key: { word: 'u32' },
  value: { word: 'u64' },
};
const file = fileOf('snapshot', counts, [batch, batch], { snapshot: types });

describe('the header of a snapshot', () => {
  test('tells the map, and the types of keys and values', () => {
    const header = snapshotHeader(file);
    expect(header).toMatchObject({
      mapType: 'hash',
      name: 'counts',
      keySize: 4,
      valueSize: 8,
      cpus: 1,
      maxEntries: 100,
      mapFlags: 1,
    });
    expect(header.key?.btf.nameOf(header.key.id)).toBe('__u32');
    expect(header.value?.btf.nameOf(header.value.id)).toBe('__u64');
    expect(snapshotShape(header).value.typeName).toBe('__u64');
  });

  test('has types of an object, whole and readable without it', () => {
    const { btf, maps } = objectSpec('maps');
    const map = maps.find(({ name }) => name === 'flows');
    if (btf === undefined || map?.keyType === undefined || map.valueType === undefined)
      throw new Error('no flows');
    const shape = {
      key: codecFor(btf, map.keyType, { role: 'key' }),
      value: codecFor(btf, map.valueType, { role: 'value' }),
      keySize: map.keySize,
      valueStride: map.valueSize,
      cpus: 1,
      cpuStride: map.valueSize,
    };
    const flows = batchOf(shape, [
      [shape.key.parse('saddr=10.0.0.1,dport=53'), shape.value.parse('packets=7')],
    ]);
    const snapshot = fileOf('snapshot', shape, [flows], {
      snapshot: { ...types, key: { btf, id: map.keyType }, value: { btf, id: map.valueType } },
    });
    const own = snapshotShape(snapshotHeader(snapshot));
    expect(own.key?.describe()).toBe(shape.key.describe());
    expect(own.value.describe()).toBe(shape.value.describe());
    const text = (made: typeof own) => fileOf('ndjson', made, [flows]).toString();
    expect(text(own)).toBe(text(shape));
    expect(snapshot.length).toBeLessThan(1500);
  });

  test('tells of which boot its references are, where it is said', () => {
    expect(snapshotHeader(file).bootId).toBeUndefined();
    const bootId = '12345678-1234-1234-1234-123456789abc';
    const snapshot = fileOf('snapshot', counts, [batch], { snapshot: { ...types, bootId } });
    expect(snapshotHeader(snapshot)).toMatchObject({ bootId, mapType: 'hash', name: 'counts' });
    expect(entriesOf('snapshot', counts, snapshot)).toHaveLength(2);
  });

  test('is there without types too', () => {
    const bare = snapshotHeader(fileOf('snapshot', counts, []));
    expect(bare).toMatchObject({ mapType: '', name: '', key: undefined, value: undefined, cpus: 1 });
    expect(entriesOf('snapshot', counts, fileOf('snapshot', counts, [batch]))).toHaveLength(2);
  });

  test('reaches whoever reads the entries before the first of them, and may be refused', () => {
    let seen = '';
    outcomeOf('snapshot', counts, file, [], { onSnapshot: (header) => (seen = header.name) });
    expect(seen).toBe('counts');
    const refuse = () => {
      throw new RangeError('not this one');
    };
    expect(() => outcomeOf('snapshot', counts, file, [], { onSnapshot: refuse })).toThrow('not this one');
  });
});

describe('a snapshot', () => {
  test('gives the entries of all its blocks, numbered', () => {
    expect(entriesOf('snapshot', counts, file).map(({ line }) => line)).toEqual([1, 2, 3, 4]);
  });

  test('of a batch that is more than one block is read back', () => {
    const wide = shapeOf('u32', 'bytes:4000');
    const count = 700;
    const many = {
      count,
      keys: Uint8Array.from({ length: count * 4 }, (_, at) => at * 7),
      values: Uint8Array.from({ length: count * 4000 }, (_, at) => at * 13),
    };
    const snapshot = fileOf('snapshot', wide, [many]);
    const entries = entriesOf('snapshot', wide, snapshot);
    expect(entries).toHaveLength(count);
    expect(Buffer.from(entries.map(({ value }) => value).join(''), 'hex').equals(many.values)).toBe(true);
  });

  test('of per-CPU values keeps each, and is refused where there are other CPUs', () => {
    const perCpu = shapeOf('u32', 'u32', 3);
    const snapshot = fileOf('snapshot', perCpu, [batchOf(perCpu, [[1, 2, 3, 4]])], { sumOverCpus: true });
    expect(entriesOf('snapshot', perCpu, snapshot)[0]?.value).toBe(
      '020000000000000003000000000000000400000000000000',
    );
    expect(problemIn('snapshot', shapeOf('u32', 'u32', 2), snapshot)).toBe(
      'f: the entries of the snapshot have values for 3 CPUs, those of this map for 2',
    );
  });

  test('of a per-CPU map on a machine with one CPU keeps its values eight bytes apart', () => {
    const plain = shapeOf('u32', 'u32');
    const one = { ...plain, cpuStride: 8, valueStride: 8 };
    const entries = batchOf(one, [
      [1, 2],
      [3, 4],
    ]);
    for (const format of ['snapshot', 'json', 'ndjson', 'csv'] as const) {
      const read = entriesOf(format, one, fileOf(format, one, [entries]));
      expect(read.map(({ value }) => value)).toEqual(['0200000000000000', '0400000000000000']);
    }
    const snapshot = fileOf('snapshot', one, [entries]);
    expect(snapshotShape(snapshotHeader(snapshot))).toMatchObject({ cpus: 1, cpuStride: 8, valueStride: 8 });
    expect(problemIn('snapshot', plain, snapshot)).toBe(
      'f: the values of the snapshot lie 8 bytes apart, those of this map 4',
    );
  });

  test('of other widths is refused', () => {
    expect(problemIn('snapshot', shapeOf('u64', 'u64'), file)).toBe(
      'f: the keys of the snapshot have 4 bytes, those of this map 8',
    );
    expect(problemIn('snapshot', shapeOf('u32', 'u32'), file)).toBe(
      'f: the values of the snapshot have 8 bytes, those of this map 4',
    );
  });

  test('that was cut anywhere is noticed, and every entry given before is right', () => {
    const whole = entriesOf('snapshot', counts, file);
    for (let length = 0; length < file.length; length++) {
      const { entries, error } = outcomeOf('snapshot', counts, file.subarray(0, length));
      expect(error?.message).toMatch(
        length === 0 ? 'f: the file is empty' : length < 9 ? 'f: this is not a snapshot' : /it was cut$/,
      );
      expect(whole.slice(0, entries.length)).toEqual(entries);
    }
  });

  test('that goes on behind its end is refused', () => {
    expect(problemIn('snapshot', counts, Buffer.concat([file, file]))).toBe(
      'f: more bytes follow behind the end of the snapshot',
    );
  });

  test('with a block taken out, or two exchanged, is refused', () => {
    const { length } = snapshotHeader(file);
    const block = (file.length - length - 24) / 2;
    const [first, second] = [
      file.subarray(length, length + block),
      file.subarray(length + block, length + 2 * block),
    ];
    const [head, tail] = [file.subarray(0, length), file.subarray(-24)];
    for (const blocks of [[first], [second], [second, first], []]) {
      expect(problemIn('snapshot', counts, Buffer.concat([head, ...blocks, tail]))).toMatch(
        /is damaged after/,
      );
    }
  });

  test('of another version, another byte order, or that is none is refused', () => {
    const changed = (at: number, value: number): Buffer => {
      const copy = Buffer.from(file);
      copy[at] = value;
      return copy;
    };
    expect(problemIn('snapshot', counts, changed(12, 2))).toBe(
      'f: the snapshot is of version 2, which this netkit does not know',
    );
    expect(problemIn('snapshot', counts, changed(8, 1))).toBe(
      'f: the snapshot is damaged, or was made on a machine of the other byte order',
    );
    expect(problemIn('snapshot', counts, changed(0, 0x7b))).toBe('f: this is not a snapshot of a map');
    expect(problemIn('snapshot', counts, changed(36, 9))).toBe('f: the header of the snapshot is damaged');
  });
});

/** Puts the header's checksum right, so that damage to it is not noticed that way. */
function signed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 20 ? 0 : view.getUint32(16, true);
  if (length < 72 || length > bytes.length || length % 8 !== 0) return bytes;
  const words = new Uint32Array(Uint8Array.from(bytes.subarray(0, length)).buffer);
  view.setUint32(length - 8, checksum(words, 0, length / 4 - 2, 0), true);
  return bytes;
}

describe('a damaged snapshot', () => {
  const rich = shapeOf(flow, counters);
  const richFile = fileOf(
    'snapshot',
    rich,
    [batchOf(rich, [[rich.key?.parse('sport=1') ?? 0, { packets: 1n }]])],
    {
      snapshot: { ...types, key: { word: 'prefix6' }, value: { word: 'mac' } },
    },
  );

  for (const [what, keep] of [
    ['is refused', (bytes: Uint8Array) => bytes],
    ['is refused or read when its header is signed again, and nothing else', signed],
  ] as const) {
    test(what, { timeout: 60_000 }, () => {
      const before = process.memoryUsage().arrayBuffers;
      fc.assert(
        fc.property(damages, (steps) => {
          const bytes = keep(damaged(Uint8Array.from(richFile), steps));
          if (Buffer.from(bytes).equals(richFile)) return;
          const start = process.cpuUsage();
          const { error } = outcomeOf('snapshot', rich, bytes);
          const { user, system } = process.cpuUsage(start);
          expect((user + system) / 1000).toBeLessThan(2000);
          if (keep !== signed) expect(error).toBeDefined();
          if (error !== undefined) expect(error.message).not.toMatch(/undefined|NaN|\[object|\n/);
          try {
            snapshotShape(snapshotHeader(bytes));
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'bad-value' });
          }
        }),
        { numRuns: 4000 },
      );
      // No length in a file is believed: each reader begins with 64 KB.
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(600 * 1024 * 1024);
    });
  }
});

describe('checksums', () => {
  test('are those of MurmurHash3 (x86, 32 bits)', () => {
    const sum = (text: string, seed: number): number =>
      checksum(new Uint32Array(Uint8Array.from(Buffer.from(text)).buffer), 0, text.length / 4, seed);
    expect(sum('', 0)).toBe(0);
    expect(sum('', 1)).toBe(0x514e28b7);
    expect(sum('test', 0)).toBe(0xba6bd213);
    expect(sum('test', 0x9747b28c)).toBe(0x704b81dc);
  });

  test('notice every change of one bit', () => {
    const words = Uint32Array.from({ length: 64 }, (_, index) => Math.imul(index + 1, 0x9e3779b1));
    const right = checksum(words, 0, words.length, 7);
    for (let bit = 0; bit < words.length * 32; bit++) {
      const changed = words.slice();
      changed[bit >> 5] = (changed[bit >> 5] ?? 0) ^ (1 << (bit & 31));
      expect(checksum(changed, 0, changed.length, 7)).not.toBe(right);
    }
  });
});
