import { programTypes } from '../base/kernel-words.js';
import { infoBlock, readInfo } from '../sys/bpf.js';
import type { Fd } from '../sys/fd.js';

/** What the kernel tells of a loaded program. */
export interface ProgramInfo {
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer names. */
  readonly name: string;
  /** The kernel's word, such as `xdp` or `sched_cls`. */
  readonly type: string;
  /** Hash of the instructions, 16 hex digits. */
  readonly tag: string;
  readonly gplCompatible: boolean;
  /** Bytes of verified instructions. */
  readonly translatedBytes: number;
  /** Bytes of native code, 0 when it is interpreted. */
  readonly jitedBytes: number;
  readonly mapIds: readonly number[];
  /** 0 without BTF. */
  readonly btfId: number;
  /** When it was loaded, in nanoseconds since boot. */
  readonly loadTimeNs: bigint;
  readonly loadedByUid: number;
  /** Instructions that the verifier walked; 0 before kernel 5.16. */
  readonly verifiedInstructions: number;
  /** Counted only while BPF statistics are on (`sysctl kernel.bpf_stats_enabled`). */
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
}

export function readProgramInfo(fd: Fd): ProgramInfo {
  const block = readInfo(fd, 'progInfo');
  return {
    id: block.get('id'),
    name: block.text('name'),
    type: programTypes[block.get('type')] ?? `type ${block.get('type')}`,
    tag: Buffer.from(block.bytesOf('tag')).toString('hex'),
    gplCompatible: (block.get('gpl_compatible') & 1) === 1,
    translatedBytes: block.get('xlated_prog_len'),
    jitedBytes: block.get('jited_prog_len'),
    mapIds: mapIds(fd, block.get('nr_map_ids')),
    btfId: block.get('btf_id'),
    loadTimeNs: block.big('load_time'),
    loadedByUid: block.get('created_by_uid'),
    verifiedInstructions: block.get('verified_insns'),
    runCount: block.big('run_cnt'),
    runTimeNs: block.big('run_time_ns'),
  };
}

function mapIds(fd: Fd, count: number): number[] {
  if (count === 0) return [];
  const ids = new Uint32Array(count);
  readInfo(
    fd,
    'progInfo',
    infoBlock('progInfo').set('nr_map_ids', count).point('map_ids', new Uint8Array(ids.buffer)),
  );
  return [...ids];
}
