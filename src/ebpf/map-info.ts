import { mapTypes } from '../base/kernel-words.js';
import { readInfo } from '../sys/bpf.js';
import type { Fd } from '../sys/fd.js';

/** What the kernel tells of a map (`struct bpf_map_info` of linux/bpf.h). */
export interface MapInfo {
  /** The kernel's id, which `BpfMap.fromId` takes. */
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer names. */
  readonly name: string;
  /** The kernel's word, such as `lpm_trie`. */
  readonly type: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes, of one CPU's value where the map is per-CPU. */
  readonly valueSize: number;
  /** How many entries fit; of a ring buffer its bytes. */
  readonly maxEntries: number;
  /** BPF_F_* bits of linux/bpf.h. */
  readonly flags: number;
  /** The id of the kernel's copy of the object's BTF, which the type ids below refer to; 0 without BTF. */
  readonly btfId: number;
  /** 0 without BTF. */
  readonly keyTypeId: number;
  /** 0 without BTF. */
  readonly valueTypeId: number;
  /** The id of the kernel's own BTF where the values are of one of its types, as those of struct_ops maps are; else 0. */
  readonly kernelBtfId: number;
  /** The id of that type; else 0. */
  readonly kernelValueTypeId: number;
}

/** @internal */
export function readMapInfo(fd: Fd): MapInfo {
  const block = readInfo(fd, 'mapInfo');
  return {
    id: block.get('id'),
    name: block.text('name'),
    type: mapTypes[block.get('type')] ?? `type ${block.get('type')}`,
    keySize: block.get('key_size'),
    valueSize: block.get('value_size'),
    maxEntries: block.get('max_entries'),
    flags: block.get('map_flags'),
    btfId: block.get('btf_id'),
    keyTypeId: block.get('btf_key_type_id'),
    valueTypeId: block.get('btf_value_type_id'),
    kernelBtfId: block.get('btf_vmlinux_id'),
    kernelValueTypeId: block.get('btf_vmlinux_value_type_id'),
  };
}
