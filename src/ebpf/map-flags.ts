import { uapi } from '../sys/uapi.js';

const words: readonly (readonly [flag: number, word: string])[] = [
  [uapi.BPF_F_NO_PREALLOC, 'no_prealloc'],
  [uapi.BPF_F_NO_COMMON_LRU, 'no_common_lru'],
  [uapi.BPF_F_NUMA_NODE, 'numa_node'],
  [uapi.BPF_F_RDONLY, 'rdonly'],
  [uapi.BPF_F_WRONLY, 'wronly'],
  [uapi.BPF_F_ZERO_SEED, 'zero_seed'],
  [uapi.BPF_F_RDONLY_PROG, 'rdonly_prog'],
  [uapi.BPF_F_WRONLY_PROG, 'wronly_prog'],
  [uapi.BPF_F_CLONE, 'clone'],
  [uapi.BPF_F_MMAPABLE, 'mmapable'],
  [uapi.BPF_F_PRESERVE_ELEMS, 'preserve_elems'],
  [uapi.BPF_F_INNER_MAP, 'inner_map'],
];

/** The kernel's words for a map's flags, `BPF_F_` left out; bits without a name as one hexadecimal number. */
export function flagWords(flags: number): string[] {
  const named = words.filter(([flag]) => (flags & flag) !== 0);
  const rest = named.reduce((left, [flag]) => left & ~flag, flags) >>> 0;
  return [...named.map(([, word]) => word), ...(rest === 0 ? [] : [`0x${rest.toString(16)}`])];
}
