/** What the kernel tells of a link beside its program: something else for each kind. */
import { attachTypes, linkTypes } from '../base/kernel-words.js';
import type { Block } from '../sys/block.js';
import { infoBlock, readInfo } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { uapi } from '../sys/uapi.js';
import { type NetfilterFamily, type NetfilterStage, netfilterWords } from './attach/netfilter-words.js';

type InfoBlock = ReturnType<typeof readInfo<'linkInfo'>>;
type InfoField = InfoBlock extends Block<infer F> ? F : never;

/** What a perf event is: details of links of kind `perf_event`, where the kernel tells (6.6). */
export type PerfDetails =
  | {
      readonly event: 'uprobe' | 'uretprobe';
      readonly path: string;
      readonly offset: number;
      readonly cookie: bigint;
    }
  | {
      readonly event: 'kprobe' | 'kretprobe';
      /** Empty when it was given as an address. */
      readonly function: string;
      readonly offset: number;
      /** In memory; 0 when the kernel keeps addresses from this user. */
      readonly address: bigint;
      /** How often the kernel could not call it. Minimum kernel 6.7. */
      readonly missed: bigint;
      readonly cookie: bigint;
    }
  | { readonly event: 'tracepoint'; readonly name: string; readonly cookie: bigint }
  /** `PERF_TYPE_…` and its configuration, of linux/perf_event.h. */
  | { readonly event: 'counter'; readonly type: number; readonly config: bigint; readonly cookie: bigint }
  | { readonly event: 'unknown' };

/** What the kernel tells of a link of one kind. Ids and inodes of what is gone meanwhile are 0. */
export type LinkDetails =
  | { readonly kind: 'xdp'; readonly ifindex: number }
  | { readonly kind: 'tcx' | 'netkit'; readonly ifindex: number; readonly attachType: string }
  /** `cgroupId`: the inode of its directory. */
  | { readonly kind: 'cgroup'; readonly cgroupId: bigint; readonly attachType: string }
  | { readonly kind: 'netns'; readonly netnsInode: number; readonly attachType: string }
  | {
      readonly kind: 'netfilter';
      readonly family: NetfilterFamily | undefined;
      readonly stage: NetfilterStage | undefined;
      readonly priority: number;
      readonly defrag: boolean;
    }
  | {
      readonly kind: 'tracing';
      readonly attachType: string;
      /** The id of the target program, or of the BTF that has the target function: 1 is the kernel's own. Minimum kernel 5.12. */
      readonly targetObjectId: number;
      /** The function in that BTF. */
      readonly targetBtfId: number;
      readonly cookie: bigint;
    }
  | { readonly kind: 'raw_tracepoint'; readonly name: string; readonly cookie: bigint }
  | ({ readonly kind: 'perf_event' } & PerfDetails)
  | {
      readonly kind: 'kprobe_multi';
      readonly count: number;
      readonly returns: boolean;
      /** How often the kernel could not call it. Minimum kernel 6.7. */
      readonly missed: bigint;
    }
  | {
      readonly kind: 'uprobe_multi';
      readonly path: string;
      readonly count: number;
      readonly returns: boolean;
      /** 0 for all processes. */
      readonly pid: number;
    }
  | {
      readonly kind: 'iter';
      /** What it goes over: `task`, `bpf_map_elem`. */
      readonly target: string;
      readonly mapId: number | undefined;
      readonly cgroupId: bigint | undefined;
      readonly pid: number | undefined;
    }
  | { readonly kind: 'struct_ops'; readonly mapId: number }
  | { readonly kind: 'sockmap'; readonly mapId: number; readonly attachType: string }
  /** A kind that netkit does not know, or that has nothing of its own. */
  | { readonly kind: 'other' };

const attachTypeWord = (number: number): string => attachTypes[number] ?? `attach type ${number}`;

/** @internal @param block the link's info, read without room for texts */
export function readLinkDetails(fd: Fd, block: InfoBlock): LinkDetails {
  const kind = linkTypes[block.get('type')];
  const attachType = (name: InfoField): string => attachTypeWord(block.get(name));
  switch (kind) {
    case 'xdp':
      return { kind, ifindex: block.get('xdp.ifindex') };
    case 'tcx':
    case 'netkit':
      return { kind, ifindex: block.get(`${kind}.ifindex`), attachType: attachType(`${kind}.attach_type`) };
    case 'cgroup':
      return { kind, cgroupId: block.big('cgroup.cgroup_id'), attachType: attachType('cgroup.attach_type') };
    case 'netns':
      return { kind, netnsInode: block.get('netns.netns_ino'), attachType: attachType('netns.attach_type') };
    case 'netfilter':
      return {
        kind,
        ...netfilterWords(block.get('netfilter.pf'), block.get('netfilter.hooknum')),
        priority: block.get('netfilter.priority') | 0,
        defrag: (block.get('netfilter.flags') & uapi.BPF_F_NETFILTER_IP_DEFRAG) !== 0,
      };
    case 'tracing':
      return {
        kind,
        attachType: attachType('tracing.attach_type'),
        targetObjectId: block.get('tracing.target_obj_id'),
        targetBtfId: block.get('tracing.target_btf_id'),
        cookie: block.big('tracing.cookie'),
      };
    case 'raw_tracepoint':
      return {
        kind,
        name: textOf(fd, 'raw_tracepoint.tp_name', 'raw_tracepoint.tp_name_len'),
        cookie: block.big('raw_tracepoint.cookie'),
      };
    case 'struct_ops':
      return { kind, mapId: block.get('struct_ops.map_id') };
    case 'sockmap':
      return { kind, mapId: block.get('sockmap.map_id'), attachType: attachType('sockmap.attach_type') };
    default:
      return readTracingDetails(fd, block, kind);
  }
}

function readTracingDetails(fd: Fd, block: InfoBlock, kind: string | undefined): LinkDetails {
  switch (kind) {
    case 'perf_event':
      return { kind, ...perfDetails(fd, block) };
    case 'kprobe_multi':
      return {
        kind,
        count: block.get('kprobe_multi.count'),
        returns: (block.get('kprobe_multi.flags') & uapi.BPF_F_KPROBE_MULTI_RETURN) !== 0,
        missed: block.big('kprobe_multi.missed'),
      };
    case 'uprobe_multi':
      return {
        kind,
        path: textOf(fd, 'uprobe_multi.path', 'uprobe_multi.path_size'),
        count: block.get('uprobe_multi.count'),
        returns: (block.get('uprobe_multi.flags') & uapi.BPF_F_UPROBE_MULTI_RETURN) !== 0,
        pid: block.get('uprobe_multi.pid'),
      };
    case 'iter':
      return { kind, ...iteratorDetails(fd, block) };
    default:
      return { kind: 'other' };
  }
}

function iteratorDetails(fd: Fd, block: InfoBlock): Omit<Extract<LinkDetails, { kind: 'iter' }>, 'kind'> {
  const target = textOf(fd, 'iter.target_name', 'iter.target_name_len');
  const isOfTask = /^task/.test(target);
  const isOfMap = /^bpf_(map_elem|sk_storage_map)$|^sockmap$/.test(target);
  return {
    target,
    mapId: isOfMap ? block.get('iter.map.map_id') : undefined,
    cgroupId: target === 'cgroup' ? block.big('iter.cgroup.cgroup_id') : undefined,
    pid: isOfTask && block.get('iter.task.pid') !== 0 ? block.get('iter.task.pid') : undefined,
  };
}

// enum bpf_perf_event_type of linux/bpf.h
const perfKinds = [undefined, 'uprobe', 'uretprobe', 'kprobe', 'kretprobe', 'tracepoint', 'counter'] as const;

function perfDetails(fd: Fd, block: InfoBlock): PerfDetails {
  const event = perfKinds[block.get('perf_event.type')];
  switch (event) {
    case 'uprobe':
    case 'uretprobe':
      return {
        event,
        path: textOf(fd, 'perf_event.uprobe.file_name', 'perf_event.uprobe.name_len'),
        offset: block.get('perf_event.uprobe.offset'),
        cookie: block.big('perf_event.uprobe.cookie'),
      };
    case 'kprobe':
    case 'kretprobe':
      return {
        event,
        function: textOf(fd, 'perf_event.kprobe.func_name', 'perf_event.kprobe.name_len'),
        offset: block.get('perf_event.kprobe.offset'),
        address: block.big('perf_event.kprobe.addr'),
        missed: block.big('perf_event.kprobe.missed'),
        cookie: block.big('perf_event.kprobe.cookie'),
      };
    case 'tracepoint':
      return {
        event,
        name: textOf(fd, 'perf_event.tracepoint.tp_name', 'perf_event.tracepoint.name_len'),
        cookie: block.big('perf_event.tracepoint.cookie'),
      };
    case 'counter':
      return {
        event,
        type: block.get('perf_event.event.type'),
        config: block.big('perf_event.event.config'),
        cookie: block.big('perf_event.event.cookie'),
      };
    default:
      return { event: 'unknown' };
  }
}

/** Longer than any name in the kernel; paths are cut at PATH_MAX. */
const longestText = 4096;

/** A text that the kernel writes into a buffer of ours; empty where it tells none. */
function textOf(fd: Fd, pointer: InfoField, length: InfoField): string {
  const text = new Uint8Array(longestText);
  const block = infoBlock('linkInfo').set(length, text.length).point(pointer, text);
  try {
    readInfo(fd, 'linkInfo', block);
  } catch (error) {
    // Some kernels call a buffer too large for the name, or a link without a name, invalid.
    if (isErrno(error, 'EINVAL', 'ENOSPC')) return '';
    throw error;
  }
  const end = text.indexOf(0);
  return Buffer.from(text.subarray(0, end < 0 ? text.length : end)).toString('utf8');
}
