/**
 * perf_event_open(2): the events that BPF programs run on, and those that they output to, which are software events that
 * nothing but bpf_perf_event_output() feeds.
 */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { Block, type Layout } from './block.js';
import { declare, declareAs, invoke } from './call.js';
import { isErrno } from './errno.js';
import { Fd } from './fd.js';
import { checked } from './status.js';
import { uapi } from './uapi.js';

declareAs(
  'perf_event_open',
  'libc',
  'long syscall(long number, void *attr, int pid, int cpu, int group, unsigned long flags)',
);
declare('libc', [
  'int ioctl(int fd, unsigned long request, long argument)',
  'long read(int fd, void *bytes, size_t size)',
]);

/** arch/…/include/asm/unistd.h */
const syscallNumber = process.arch === 'arm64' ? 241 : 298;

// linux/perf_event.h
const PERF_COUNT_SW_BPF_OUTPUT = 10;
const PERF_SAMPLE_RAW = 1 << 10;
const PERF_FORMAT_LOST = 1 << 4;
/** Among the bit fields of struct perf_event_attr: sample_period is a frequency. */
const isFrequency = 1n << 10n;

/** struct perf_event_attr, as far as PERF_ATTR_SIZE_VER1. */
const attrLayout = {
  size: 72,
  fields: {
    type: [0, 4],
    size: [4, 4],
    config: [8, 8],
    sample_period: [16, 8],
    sample_type: [24, 8],
    read_format: [32, 8],
    flags: [40, 8],
    wakeup_events: [48, 4],
    config1: [56, 8],
    config2: [64, 8],
  },
} as const satisfies Layout<string>;

/** An event that a program is to run on. */
export interface PerfEvent {
  readonly type: number;
  readonly config: number | bigint;
  /** A number, or what it is to point to. */
  readonly config1?: bigint | Uint8Array | undefined;
  readonly config2?: bigint | undefined;
  /** One sample in so many events, or so many a second. */
  readonly sample?: { readonly period: bigint } | { readonly frequency: bigint } | undefined;
  /** -1 for all processes; then `cpu` is a CPU. */
  readonly pid: number;
  /** -1 for all CPUs; then `pid` is a process. */
  readonly cpu: number;
}

/** Opens an event, which is off. @throws SysError EACCES without CAP_PERFMON, ENODEV when that CPU is off, ENOENT when the machine cannot count such */
export function openPerfEvent(event: PerfEvent, operation: string): Fd {
  const { type, config, config1, config2 = 0n, sample, pid, cpu } = event;
  const isRate = sample !== undefined && 'frequency' in sample;
  const attr = new Block(attrLayout, { type, size: attrLayout.size, config, config2 });
  if (sample !== undefined) {
    attr.set('sample_period', isRate ? sample.frequency : sample.period);
    attr.set('flags', isRate ? isFrequency : 0n);
  }
  if (typeof config1 === 'bigint') attr.set('config1', config1);
  else if (config1 !== undefined) attr.point('config1', config1);
  const args = [syscallNumber, attr.bytes, pid, cpu, -1, uapi.PERF_FLAG_FD_CLOEXEC];
  const fd = Number(invoke('perf_event_open', args));
  // The kernel follows pointers in it during the call: until here nothing may be collected.
  attr.set('config1', 0);
  return new Fd(checked(operation, fd));
}

/** Has a program run on each of an event's samples, until the event is closed. @throws SysError EINVAL, EEXIST */
export function setEventProgram(event: Fd, programFd: number): void {
  checked(
    'run a program on a perf event',
    invoke('ioctl', [event.value, uapi.PERF_EVENT_IOC_SET_BPF, programFd]),
  );
}

/** An event to put in a slot of a perf event array. */
export interface OutputEvent {
  readonly fd: Fd;
  /** Whether `lostSamples` can tell: Linux 6.0. */
  readonly countsLost: boolean;
}

/** Opens the event of one CPU, which wakes its reader for each record. @throws SysError ENODEV when that CPU is off, EACCES without CAP_PERFMON */
export function openOutputEvent(cpu: number): OutputEvent {
  const open = (readFormat: number): Fd => {
    const attr = new Block(attrLayout, {
      type: uapi.PERF_TYPE_SOFTWARE,
      size: attrLayout.size,
      config: PERF_COUNT_SW_BPF_OUTPUT,
      sample_period: 1,
      sample_type: PERF_SAMPLE_RAW,
      read_format: readFormat,
      wakeup_events: 1,
    });
    const args = [syscallNumber, attr.bytes, -1, cpu, -1, uapi.PERF_FLAG_FD_CLOEXEC];
    return new Fd(checked('open a perf event', invoke('perf_event_open', args)));
  };
  try {
    return { fd: open(PERF_FORMAT_LOST), countsLost: true };
  } catch (error) {
    if (!isErrno(error, 'EINVAL')) throw error;
    return { fd: open(0), countsLost: false };
  }
}

/** Lets records in. @throws SysError */
export function enableEvent(event: Fd): void {
  checked('enable a perf event', invoke('ioctl', [event.value, uapi.PERF_EVENT_IOC_ENABLE, 0]));
}

/** How many records found no room since the event was opened. Only where it counts them. @throws SysError */
export function lostSamples(event: Fd): bigint {
  // struct { u64 value; u64 lost; }
  const counts = new Uint8Array(16);
  checked('read a perf event', invoke('read', [event.value, counts, counts.length]));
  return new DataView(counts.buffer).getBigUint64(8, littleEndian);
}
