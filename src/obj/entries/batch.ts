/** Entries of a map as bytes, side by side as the kernel's batch calls lay them out. */
import type { Codec } from '../codec/index.js';

/** A batch belongs to whoever gave it and is overwritten by the next one: copy what has to last. */
export interface EntryBatch {
  readonly count: number;
  /** Entry `i` has its key at `i * keySize`. */
  readonly keys: Uint8Array;
  /** Entry `i` has its value at `i * valueStride`; of a per-CPU map one a CPU, `cpuStride` bytes apart. */
  readonly values: Uint8Array;
}

/** How the bytes of a map's entries are laid out and typed. */
export interface EntryShape {
  /** Undefined for maps whose entries have no keys: queues, stacks, bloom filters. */
  readonly key: Codec | undefined;
  /** One CPU's value where the map is per-CPU. */
  readonly value: Codec;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes from one entry's value to the next one's. */
  readonly valueStride: number;
  /** How many values an entry has: one a possible CPU in a per-CPU map, else 1. */
  readonly cpus: number;
  /** Bytes from one CPU's value to the next one's, within an entry. */
  readonly cpuStride: number;
}
