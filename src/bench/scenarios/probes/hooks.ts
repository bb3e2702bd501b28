/** Every way to observe that netkit can attach, and the place where it is tried. */
import {
  type AttachOptions,
  kprobe,
  kprobeMulti,
  ksyscall,
  perfEvent,
  rawTracepoint,
  tracepoint,
  tracing,
  uprobe,
  uprobeMulti,
} from '../../../ebpf/attach/index.js';

/** Hooks that are compared with one another. */
export type HookGroup = 'call' | 'library' | 'clock' | 'packet';

export interface Hook {
  readonly name: string;
  readonly title: string;
  /** Where exactly. */
  readonly place: string;
  readonly group: HookGroup;
  /** What the names of the two programs in bpf/bench/probes.bpf.c begin with. */
  readonly program: string;
  /** The function or the event that the programs are loaded for. */
  readonly target?: string;
  /** How often a program runs for an operation; where others pass the same place, at least so often. */
  readonly runs: { readonly times: number; readonly isExact: boolean } | 'by the clock';
  options(where: Where): AttachOptions;
}

/** What hooks need to know of this process. */
export interface Where {
  /** Where it does what is measured. */
  readonly cpu: number;
}

/** Nanoseconds between two runs by the clock. */
export const clockPeriod = 100_000;

const syscall = 'umask';
const symbol = ksyscall({ syscall }).symbol;
const inLibrary = { binary: 'libc.so.6', symbol: syscall } as const;

const once = { times: 1, isExact: true } as const;
const twice = { times: 2, isExact: true } as const;
const shared = { times: 1, isExact: false } as const;

type Ungrouped = Omit<Hook, 'group'>;

/** At every system call of the machine. */
const atEntry: readonly Ungrouped[] = [
  {
    name: 'raw-tracepoint',
    title: 'raw tracepoint',
    place: 'sys_enter, at every system call',
    program: 'raw_tracepoint',
    runs: shared,
    options: () => rawTracepoint({ event: 'sys_enter' }),
  },
  {
    name: 'tp-btf',
    title: 'tp_btf',
    place: 'sys_enter, at every system call',
    program: 'tp_btf',
    target: 'sys_enter',
    runs: shared,
    options: () => tracing(),
  },
  {
    name: 'tracepoint',
    title: 'tracepoint',
    place: 'raw_syscalls/sys_enter, at every system call',
    program: 'tracepoint',
    runs: shared,
    options: () => tracepoint({ category: 'raw_syscalls', event: 'sys_enter' }),
  },
  {
    name: 'syscall-tracepoint',
    title: 'tracepoint of one system call',
    place: `syscalls/sys_enter_${syscall}, which every system call is asked for`,
    program: 'tracepoint',
    runs: once,
    options: () => tracepoint({ category: 'syscalls', event: `sys_enter_${syscall}` }),
  },
];

const atFunction: readonly Ungrouped[] = [
  {
    name: 'fentry',
    title: 'fentry',
    place: `the beginning of ${symbol}`,
    program: 'fentry',
    target: symbol,
    runs: once,
    options: () => tracing(),
  },
  {
    name: 'fexit',
    title: 'fexit',
    place: `the end of ${symbol}`,
    program: 'fexit',
    target: symbol,
    runs: once,
    options: () => tracing(),
  },
  {
    name: 'kprobe',
    title: 'kprobe',
    place: `the beginning of ${symbol}`,
    program: 'kprobe',
    runs: once,
    options: () => kprobe({ symbol }),
  },
  {
    name: 'kretprobe',
    title: 'kretprobe',
    place: `the return of ${symbol}`,
    program: 'kprobe',
    runs: once,
    options: () => kprobe({ symbol, returns: true }),
  },
  {
    name: 'kprobe-multi',
    title: 'kprobe.multi',
    place: `the beginning of ${symbol}, through a link for many functions`,
    program: 'kprobe_multi',
    runs: once,
    options: () => kprobeMulti({ symbols: [symbol] }),
  },
  {
    name: 'kretprobe-multi',
    title: 'kretprobe.multi',
    place: `the return of ${symbol}, through a link for many functions`,
    program: 'kprobe_multi',
    runs: once,
    options: () => kprobeMulti({ symbols: [symbol], returns: true }),
  },
  {
    name: 'kprobe-session',
    title: 'kprobe.session',
    place: `the beginning and the return of ${symbol}: two runs`,
    program: 'kprobe_session',
    runs: twice,
    options: () => kprobeMulti({ symbols: [symbol], session: true }),
  },
];

const inUserSpace: readonly Ungrouped[] = [
  {
    name: 'uprobe',
    title: 'uprobe',
    place: `the beginning of ${syscall} in libc.so.6, of this process alone`,
    program: 'uprobe',
    runs: once,
    options: () => uprobe({ ...inLibrary, pid: 0 }),
  },
  {
    name: 'uretprobe',
    title: 'uretprobe',
    place: `the return of ${syscall} in libc.so.6, of this process alone`,
    program: 'uprobe',
    runs: once,
    options: () => uprobe({ ...inLibrary, pid: 0, returns: true }),
  },
  {
    name: 'uprobe-multi',
    title: 'uprobe.multi',
    place: `the beginning of ${syscall} in libc.so.6, of this process alone, through a link for many places`,
    program: 'uprobe_multi',
    runs: once,
    options: () => uprobeMulti({ binary: inLibrary.binary, places: [{ symbol: syscall }], pid: 0 }),
  },
  {
    name: 'uretprobe-multi',
    title: 'uretprobe.multi',
    place: `the return of ${syscall} in libc.so.6, of this process alone, through a link for many places`,
    program: 'uprobe_multi',
    runs: once,
    options: () =>
      uprobeMulti({ binary: inLibrary.binary, places: [{ symbol: syscall }], pid: 0, returns: true }),
  },
];

const byTheClock: Ungrouped = {
  name: 'perf-event',
  title: 'perf event',
  place: `the clock of the CPU, every ${clockPeriod / 1000} µs`,
  program: 'perf_event',
  runs: 'by the clock',
  options: ({ cpu }) => perfEvent({ clock: 'cpu-clock', cpu, every: { period: BigInt(clockPeriod) } }),
};

/** On the way of a packet. */
const atPackets: readonly Ungrouped[] = [
  {
    name: 'packet-raw-tracepoint',
    title: 'raw tracepoint at packets',
    place: 'netif_receive_skb',
    program: 'raw_tracepoint',
    runs: shared,
    options: () => rawTracepoint({ event: 'netif_receive_skb' }),
  },
  {
    name: 'packet-tracepoint',
    title: 'tracepoint at packets',
    place: 'net/netif_receive_skb',
    program: 'tracepoint',
    runs: shared,
    options: () => tracepoint({ category: 'net', event: 'netif_receive_skb' }),
  },
  {
    name: 'packet-kprobe',
    title: 'kprobe at packets',
    place: 'the beginning of udp_rcv',
    program: 'kprobe',
    runs: shared,
    options: () => kprobe({ symbol: 'udp_rcv' }),
  },
  {
    name: 'packet-fentry',
    title: 'fentry at packets',
    place: 'the beginning of udp_rcv',
    program: 'fentry',
    target: 'udp_rcv',
    runs: shared,
    options: () => tracing(),
  },
];

function grouped(group: HookGroup, hooks: readonly Ungrouped[]): Hook[] {
  return hooks.map((hook) => ({ ...hook, group }));
}

export const hooks: readonly Hook[] = [
  ...grouped('call', [...atEntry, ...atFunction]),
  ...grouped('library', inUserSpace),
  ...grouped('clock', [byTheClock]),
  ...grouped('packet', atPackets),
];

export const hookNames: readonly string[] = hooks.map(({ name }) => name);
