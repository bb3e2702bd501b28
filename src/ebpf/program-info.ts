import { programTypes } from '../base/kernel-words.js';
import { infoBlock, readInfo } from '../sys/bpf.js';
import type { Fd } from '../sys/fd.js';

/** What the kernel tells of a loaded program (`struct bpf_prog_info` of linux/bpf.h). */
export interface ProgramInfo {
  /** The kernel's id, which `Program.fromId` takes. */
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer names. */
  readonly name: string;
  /** The kernel's word, such as `xdp` or `sched_cls`. */
  readonly type: string;
  /** Hash of the instructions, 16 hex digits. */
  readonly tag: string;
  /** Whether its licence lets it call the helpers that the kernel keeps for GPL programs. */
  readonly gplCompatible: boolean;
  /** Bytes of verified instructions. */
  readonly translatedBytes: number;
  /** Bytes of native code, 0 when it is interpreted. */
  readonly jitedBytes: number;
  /** The maps that it uses, those of its global variables included. */
  readonly mapIds: readonly number[];
  /** 0 without BTF. */
  readonly btfId: number;
  /** When it was loaded, in nanoseconds since boot. */
  readonly loadTimeNs: bigint;
  /** The user id of whoever loaded it. */
  readonly loadedByUid: number;
  /** Instructions that the verifier walked; kernels before 5.16 do not tell. */
  readonly verifiedInstructions: number | undefined;
  /** How often it ran, counted only while BPF statistics are on (`sysctl kernel.bpf_stats_enabled`). */
  readonly runCount: bigint;
  /** Nanoseconds in all, counted like the runs. */
  readonly runTimeNs: bigint;
}

/** @internal */
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
    // Kernels that do not tell leave it 0, which no program has.
    verifiedInstructions: block.get('verified_insns') || undefined,
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
