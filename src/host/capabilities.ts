import { readFileSync } from 'node:fs';

/** Capability names in the order of their numbers in the kernel (linux/capability.h), without `CAP_`. */
export const capabilityNames = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
] as const;

export type Capability = (typeof capabilityNames)[number];

const tasks = {
  /** Networking programs and maps. */
  load: ['bpf', 'net_admin'],
  /** Programs that look into the kernel: tracepoints, uprobes, iterators. */
  'load-tracing': ['bpf', 'perfmon'],
  attach: ['bpf', 'net_admin'],
  /** Opening programs, maps, links and BTF by id. */
  enumerate: ['sys_admin'],
  /** Counting run time and runs of programs. */
  statistics: ['sys_admin'],
  mount: ['sys_admin'],
  /** Entering another network namespace. */
  netns: ['sys_admin'],
} as const satisfies Record<string, readonly Capability[]>;

/** What netkit does that the kernel allows only with certain capabilities. */
export type PrivilegedTask = keyof typeof tasks;

/** Reads the effective set from the text of /proc/PID/status; bits without a known name are left out. */
export function parseCapabilities(status: string): ReadonlySet<Capability> {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const bits = digits === undefined ? 0n : BigInt(`0x${digits}`);
  return new Set(capabilityNames.filter((_, number) => (bits >> BigInt(number)) & 1n));
}

/** The effective capabilities of this thread. */
export function effectiveCapabilities(): ReadonlySet<Capability> {
  return parseCapabilities(readFileSync('/proc/thread-self/status', 'utf8'));
}

/** The capabilities that `task` needs and that are not in `held`; CAP_SYS_ADMIN stands in for CAP_BPF and CAP_PERFMON. */
export function missingFor(
  task: PrivilegedTask,
  held: ReadonlySet<Capability> = effectiveCapabilities(),
): readonly Capability[] {
  const needed: readonly Capability[] = tasks[task];
  return needed.filter((name) => {
    if (held.has(name)) return false;
    return !((name === 'bpf' || name === 'perfmon') && held.has('sys_admin'));
  });
}

/** A hint such as «run as root, or with CAP_BPF and CAP_NET_ADMIN», or `undefined` when nothing is missing for `task`. */
export function capabilityHint(
  task: PrivilegedTask,
  held: ReadonlySet<Capability> = effectiveCapabilities(),
): string | undefined {
  const missing = missingFor(task, held).map((name) => `CAP_${name.toUpperCase()}`);
  return missing.length === 0 ? undefined : `run as root, or with ${missing.join(' and ')}`;
}
