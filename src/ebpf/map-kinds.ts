/** What the types of maps differ in. What they refuse stands in src/obj/map-operations.ts. */
import type { MapInfo } from './map-info.js';
import { possibleCpus } from './possible-cpus.js';

const perCpuTypes: ReadonlySet<string> = new Set([
  'percpu_hash',
  'percpu_array',
  'lru_percpu_hash',
  'percpu_cgroup_storage',
]);
/** Values of per-CPU maps are stored at multiples of this many bytes. */
const perCpuAlignment = 8;

/** Maps that hold open sockets: written as descriptors, read as cookies. */
export const socketTypes: ReadonlySet<string> = new Set([
  'sockmap',
  'sockhash',
  'reuseport_sockarray',
  'xskmap',
]);

/** Maps whose keys are descriptors of the calling process. */
export const storageTypes: ReadonlySet<string> = new Set([
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
]);

/** How the bytes of a map's entries lie in memory. */
export interface EntryLayout {
  /** Bytes. */
  readonly keySize: number;
  /** Bytes from one entry's value to the next one's. */
  readonly valueStride: number;
  /** How many values an entry has: one a possible CPU, or 1. */
  readonly cpus: number;
  /** Bytes from one CPU's value to the next one's. */
  readonly cpuStride: number;
}

export function layoutOf({
  type,
  keySize,
  valueSize,
}: Pick<MapInfo, 'type' | 'keySize' | 'valueSize'>): EntryLayout {
  if (!perCpuTypes.has(type)) return { keySize, valueStride: valueSize, cpus: 1, cpuStride: valueSize };
  const cpuStride = Math.ceil(valueSize / perCpuAlignment) * perCpuAlignment;
  const cpus = possibleCpus();
  return { keySize, valueStride: cpuStride * cpus, cpus, cpuStride };
}

/** Whether each CPU has a value of its own. */
export function isPerCpu(type: string): boolean {
  return perCpuTypes.has(type);
}
