/** Maps as they are measured: of one type and size, full of entries with known values. */
import type { Scope } from '../../../base/scope.js';
import { BpfMap } from '../../../ebpf/map.js';
import { possibleCpus } from '../../../ebpf/possible-cpus.js';
import type { EntryBatch } from '../../../obj/entries/batch.js';
import { Random } from '../../statistics/random.js';

/** The types that are measured: those that hold state by key, for packets. */
export const measuredTypes = [
  'hash',
  'lru_hash',
  'percpu_hash',
  'array',
  'percpu_array',
  'lpm_trie',
] as const;
export type MeasuredType = (typeof measuredTypes)[number];

const valueSize = 8;

export function isArray(type: MeasuredType): boolean {
  return type === 'array' || type === 'percpu_array';
}

/** An LRU map that is full evicts some: those with keys have twice the room. */
export function roomFor(type: MeasuredType, entries: number): number {
  return isArray(type) ? entries : entries * 2;
}

/** Bytes of one entry's value, of all CPUs where each has its own. */
export function valueStride(type: MeasuredType): number {
  return valueSize * (type.startsWith('percpu_') ? possibleCpus() : 1);
}

/** Every entry once, in random order; the value of each is its number plus one. */
export function entriesOf(type: MeasuredType, count: number, seed: number): EntryBatch {
  const numbers = new Random(seed, `${type} ${count}`).shuffled(Array.from({ length: count }, (_, at) => at));
  const keySize = keySizeOf(type);
  const stride = valueStride(type);
  const keys = new DataView(new ArrayBuffer(count * keySize));
  const values = new DataView(new ArrayBuffer(count * stride));
  for (const [at, number] of numbers.entries()) {
    if (type === 'lpm_trie') keys.setUint32(at * keySize, 32, true);
    keys.setUint32(at * keySize + keySize - 4, number, true);
    for (let cpu = 0; cpu < stride; cpu += valueSize) values.setUint32(at * stride + cpu, number + 1, true);
  }
  return { count, keys: new Uint8Array(keys.buffer), values: new Uint8Array(values.buffer) };
}

export function keySizeOf(type: MeasuredType): number {
  return type === 'lpm_trie' ? 8 : 4;
}

/** A map of the process alone, with `entries` in it. @throws NetkitError when the kernel refuses it */
export function filledMap(type: MeasuredType, entries: EntryBatch, scope: Scope): BpfMap {
  const map = scope.use(
    BpfMap.create({
      type,
      name: 'netkit_bench',
      keySize: keySizeOf(type),
      valueSize,
      maxEntries: roomFor(type, entries.count),
    }),
  );
  map.writeBatch(entries);
  return map;
}
