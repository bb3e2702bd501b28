import { uapi } from '../sys/uapi.js';

/** The bits of a map's flags by the kernel's words for them, `BPF_F_` left out. */
export const mapFlags = {
  no_prealloc: uapi.BPF_F_NO_PREALLOC,
  no_common_lru: uapi.BPF_F_NO_COMMON_LRU,
  numa_node: uapi.BPF_F_NUMA_NODE,
  rdonly: uapi.BPF_F_RDONLY,
  wronly: uapi.BPF_F_WRONLY,
  zero_seed: uapi.BPF_F_ZERO_SEED,
  rdonly_prog: uapi.BPF_F_RDONLY_PROG,
  wronly_prog: uapi.BPF_F_WRONLY_PROG,
  clone: uapi.BPF_F_CLONE,
  mmapable: uapi.BPF_F_MMAPABLE,
  preserve_elems: uapi.BPF_F_PRESERVE_ELEMS,
  inner_map: uapi.BPF_F_INNER_MAP,
} as const;

/** A flag of a map, such as `no_prealloc`. */
export type MapFlagWord = keyof typeof mapFlags;

/** The kernel's words for a map's flags; bits without a name as one hexadecimal number. */
export function flagWords(flags: number): string[] {
  const named = Object.entries(mapFlags).filter(([, flag]) => (flags & flag) !== 0);
  const rest = named.reduce((left, [, flag]) => left & ~flag, flags) >>> 0;
  return [...named.map(([word]) => word), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])];
}
