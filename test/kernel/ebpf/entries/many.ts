/** Maps and sources for the tests of entries in bulk. */
import { BatchCopy, type EntrySource } from '../../../../src/ebpf/entries/source.js';
import { BpfMap, type CreateMapOptions } from '../../../../src/ebpf/map.js';
import { btfForMap } from '../../../../src/obj/btf/map-types.js';
import type { Value } from '../../../../src/obj/codec/index.js';

/** A map typed by words: `u32` keys (none for `''`) and `u64` values unless said otherwise. */
export function create(options: Omit<CreateMapOptions, 'btf'>, key = 'u32', value = 'u64'): BpfMap {
  const made = btfForMap({ key: key === '' ? undefined : { word: key }, value: { word: value } });
  if (made === undefined) throw new Error('no types');
  return BpfMap.create({
    ...options,
    btf: { blob: made.bytes, keyTypeId: made.key, valueTypeId: made.value },
  });
}

export type Entries = readonly (readonly [key: Value, value: Value])[];

/** Entries as if they came from a file, one a line. Of a per-CPU map a value is for all CPUs. */
export function sourceOf(map: BpfMap, entries: Entries, batchSize = 4096): EntrySource {
  const { shape } = map;
  const [keys, values] = [new Uint8Array(shape.keySize), new Uint8Array(shape.valueStride)];
  return {
    name: 'entries.test',
    repeatable: true,
    unit: 'line',
    async *read() {
      const batch = new BatchCopy(shape);
      for (const [index, [key, value]] of entries.entries()) {
        keys.fill(0);
        values.fill(0);
        shape.key?.encode(key, new DataView(keys.buffer), 0);
        for (let cpu = 0; cpu < shape.cpus; cpu++)
          shape.value.encode(value, new DataView(values.buffer), cpu * shape.cpuStride);
        batch.append({ count: 1, keys, values, lines: Float64Array.of(index + 1) }, 0, 1);
        if (batch.count < batchSize) continue;
        yield batch;
        batch.clear();
      }
      if (batch.count > 0) yield batch;
    },
  };
}

/** A source that ends with an error after its entries. */
export function failing(source: EntrySource, error: Error): EntrySource {
  return {
    ...source,
    async *read() {
      yield* source.read();
      throw error;
    },
  };
}

/** What a map holds, sorted by key. */
export function held(map: BpfMap): [Value, Value][] {
  return [...map.entries()].sort(([a], [b]) =>
    typeof a === 'number' && typeof b === 'number' ? a - b : `${a}` < `${b}` ? -1 : 1,
  );
}

/** `[from, value], [from + 1, value + 1], …` */
export function numbered(count: number, from = 0, value = from): [number, bigint][] {
  return Array.from({ length: count }, (_, index) => [from + index, BigInt(value + index)]);
}

/** What an asynchronous call throws. */
export async function rejection(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
