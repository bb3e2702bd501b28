import { type HookName, hookAvailable } from '../../src/ebpf/feature.js';
import { atLeast, kernelRelease } from '../../src/host/kernel.js';

interface KernelCapability {
  /** The Linux version that brought it, as [major, minor]. */
  readonly since: readonly [number, number];
  /** What it is, to be read after «needs». */
  readonly what: string;
  /** A hook that a kernel of that age can have been built without, which is known as well. */
  readonly hook?: HookName;
  /** The kernels of `npm run test:vm` have it: what is missing there is a fault. */
  readonly emulatedHas?: true;
}

/**
 * What tests need of a kernel beyond the oldest that netkit supports, 5.10. A test that needs one of these is left out on
 * older kernels, with CI=true too: that a kernel of that age lacks it is known, and not a fault of the machine.
 */
export const kernelCapabilities = {
  'bloom-filter': { since: [5, 16], what: 'bloom filters' },
  'bpf-cookie': { since: [5, 15], what: 'cookies of perf links' },
  'bpf-loop': { since: [5, 17], what: 'bpf_loop()' },
  'cgroup-anchors': { since: [6, 17], what: 'anchors for the order of cgroup programs' },
  freplace: {
    since: [5, 10],
    what: 'replacing functions of programs (freplace)',
    hook: 'freplace',
    emulatedHas: true,
  },
  'iterator-targets': { since: [6, 1], what: 'iterators over a cgroup or one process' },
  'cpu-v4': { since: [6, 6], what: 'the fourth version of the instruction set' },
  'kprobe-multi': { since: [5, 18], what: 'kprobes on many functions at once' },
  'napi-threads': { since: [5, 12], what: 'threads that take packets off an interface' },
  'live-frames': { since: [5, 18], what: 'XDP test runs with live frames' },
  'memory-by-cgroup': { since: [5, 11], what: 'BPF memory counted by cgroup, not by RLIMIT_MEMLOCK' },
  'netfilter-links': { since: [6, 4], what: 'netfilter links' },
  'netkit-device': { since: [6, 7], what: 'the device type netkit', hook: 'netkit-dev' },
  'perf-links': { since: [5, 15], what: 'links for perf events' },
  'perf-lost-count': { since: [6, 0], what: 'the number of lost records of a perf event' },
  'sockmap-links': { since: [6, 10], what: 'sockmap links' },
  'sockmap-query': { since: [5, 18], what: 'maps of sockets that tell their programs' },
  'struct-ops-links': { since: [6, 4], what: 'links for tables of callbacks' },
  tcx: { since: [6, 6], what: 'tcx' },
  'uprobe-multi': { since: [6, 6], what: 'uprobes on many places at once' },
  'user-ringbuf': { since: [6, 1], what: 'user ring buffers' },
  'verified-instructions': {
    since: [5, 16],
    what: 'the number of instructions that the verifier went through',
  },
  'xdp-frags': { since: [5, 18], what: 'XDP programs for packets in fragments' },
} as const satisfies Record<string, KernelCapability>;

export type KernelCapabilityName = keyof typeof kernelCapabilities;

/** Whether the running kernel is too old for it: then the reason, to be read after «needs». */
export function kernelLacks(name: KernelCapabilityName): string | undefined {
  const { since, what, hook, emulatedHas }: KernelCapability = kernelCapabilities[name];
  const [major, minor] = since;
  if (atLeast(major, minor)) {
    if (emulated && emulatedHas === true) return undefined;
    const asked = hook === undefined ? undefined : hookAvailable(hook);
    return asked?.available === false ? `${what} (${asked.reason})` : undefined;
  }
  return `${what}, which came with Linux ${major}.${minor} (this is ${kernelRelease()})`;
}

/**
 * Whether this is a machine in a machine without hardware support (`npm run test:vm`): times mean nothing there, and
 * work for the processor takes many times as long.
 */
export const emulated = process.env.NETKIT_TEST_EMULATED === '1';
