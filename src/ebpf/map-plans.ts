/** What the kernel prescribes for a new map, by its type. */
import type { MapTypeWord } from '../obj/map-definition.js';
import type { MapFlagWord } from './map-flags.js';

export interface MapPlan {
  /** The Linux version that brought the type. */
  readonly since: readonly [major: number, minor: number];
  /** Undefined where any will do; several where there is a choice, the first one being what is taken without one. */
  readonly keySize: number | readonly number[] | undefined;
  readonly valueSize: number | readonly number[] | undefined;
  /** Undefined where it must be given; 0 where there is none. */
  readonly maxEntries: number | undefined;
  /** What maxEntries counts. */
  readonly entriesAre: string;
  /** Flags that it always has. */
  readonly flags: readonly MapFlagWord[];
  readonly inner: boolean;
  /** Whether the kernel takes types of keys and values for it. */
  readonly btf: 'none' | 'taken' | 'needed';
}

type Since = MapPlan['since'];

/** What the size of a ring buffer is. */
export const byteCount = 'its bytes, a power of two and whole pages';

const hash: MapPlan = {
  since: [3, 19],
  keySize: undefined,
  valueSize: undefined,
  maxEntries: undefined,
  entriesAre: 'how many entries fit',
  flags: [],
  inner: false,
  btf: 'taken',
};
const array: MapPlan = { ...hash, keySize: 4 };
/** Arrays of what is open in a process. */
const files: MapPlan = { ...array, valueSize: 4, btf: 'none' };
const queue: MapPlan = { ...hash, keySize: 0, btf: 'none' };
const stream: MapPlan = {
  ...queue,
  valueSize: 0,
  entriesAre: byteCount,
};
const storage: MapPlan = { ...hash, keySize: 4, maxEntries: 0, flags: ['no_prealloc'], btf: 'needed' };
const cgroupStorage: MapPlan = { ...hash, keySize: [16, 8], maxEntries: 0 };

const plan = (base: MapPlan, since: Since, more: Partial<MapPlan> = {}): MapPlan => ({
  ...base,
  since,
  ...more,
});

const plans: Readonly<Record<MapTypeWord, MapPlan>> = {
  unspec: hash,
  hash,
  array: plan(array, [3, 19]),
  prog_array: plan(files, [4, 2]),
  perf_event_array: plan(files, [4, 3]),
  percpu_hash: plan(hash, [4, 6]),
  percpu_array: plan(array, [4, 6]),
  stack_trace: plan(array, [4, 6], { btf: 'none' }),
  cgroup_array: plan(files, [4, 8]),
  lru_hash: plan(hash, [4, 10]),
  lru_percpu_hash: plan(hash, [4, 10]),
  lpm_trie: plan(hash, [4, 11], { flags: ['no_prealloc'] }),
  array_of_maps: plan(files, [4, 12], { inner: true }),
  hash_of_maps: plan(hash, [4, 12], { valueSize: 4, inner: true, btf: 'none' }),
  devmap: plan(array, [4, 14], { valueSize: [4, 8], btf: 'none' }),
  sockmap: plan(array, [4, 14], { valueSize: [8, 4], btf: 'none' }),
  cpumap: plan(array, [4, 15], { valueSize: [4, 8], btf: 'none' }),
  xskmap: plan(files, [4, 18]),
  sockhash: plan(hash, [4, 18], { valueSize: [8, 4], btf: 'none' }),
  cgroup_storage: plan(cgroupStorage, [4, 19]),
  reuseport_sockarray: plan(array, [4, 19], { valueSize: [8, 4], btf: 'none' }),
  percpu_cgroup_storage: plan(cgroupStorage, [4, 20]),
  queue: plan(queue, [4, 20]),
  stack: plan(queue, [4, 20]),
  sk_storage: plan(storage, [5, 2]),
  devmap_hash: plan(hash, [5, 4], { keySize: 4, valueSize: [4, 8], btf: 'none' }),
  struct_ops: plan(array, [5, 6], { maxEntries: 1, btf: 'none' }),
  ringbuf: plan(stream, [5, 8]),
  inode_storage: plan(storage, [5, 10]),
  task_storage: plan(storage, [5, 11]),
  bloom_filter: plan(queue, [5, 16], { btf: 'taken' }),
  user_ringbuf: plan(stream, [6, 1]),
  cgrp_storage: plan(storage, [6, 2]),
  arena: plan(stream, [6, 9], { entriesAre: 'its pages', flags: ['mmapable'] }),
};

export function mapPlan(type: MapTypeWord): MapPlan {
  return plans[type];
}
