import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { HookAvailability } from '../../ebpf/feature.js';
import { type Capability, capabilityHint, effectiveCapabilities } from '../../host/capabilities.js';
import { cgroupRoot } from '../../host/cgroup.js';
import { defaultBpffs, findBpffs, inFirstMountNamespace, isBpffs } from '../../host/mounts.js';
import type { Paths } from '../context.js';
import { type Check, check } from './check.js';

/** What this user may do, and the file systems for it. `xdp` is what a try at loading an XDP program gave. */
export function accessChecks(paths: Paths, xdp: HookAvailability | undefined): Check[] {
  const held = effectiveCapabilities();
  return [
    user(),
    ...userNamespace(),
    ...capabilities.map((row) => capability(row, held)),
    loading(xdp),
    bpffs(paths),
    cgroups(),
  ];
}

function user(): Check {
  if (process.geteuid?.() === 0) return check('user', 'ok', 'root');
  const { username, uid } = userInfo();
  return check('user', 'warning', `${username} (uid ${uid}), not root`, 'run as root: some answers need it');
}

/** Root of a user namespace holds capabilities that mean nothing to bpf(2). */
function userNamespace(): Check[] {
  const map = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  if (map.join(' ') === '0 0 4294967295') return [];
  return [
    check(
      'user namespace',
      'warning',
      'not the first one: capabilities held here do not count for loading programs',
      'run netkit outside of it, or delegate a BPF token to it',
    ),
  ];
}

interface CapabilityRow {
  readonly name: Capability;
  /** What it allows, after «held: » and «missing: ». */
  readonly allows: string;
  readonly required: boolean;
  /** CAP_SYS_ADMIN stands in for it. */
  readonly within?: true;
}

const capabilities: readonly CapabilityRow[] = [
  { name: 'bpf', allows: 'load programs, make maps', required: true, within: true },
  { name: 'net_admin', allows: 'load networking programs, attach them', required: true },
  {
    name: 'perfmon',
    allows: 'load tracing programs, and networking programs that use kernel pointers',
    required: false,
    within: true,
  },
  {
    name: 'sys_admin',
    allows: 'open objects by id or name, see all of them, enter namespaces, mount bpffs, count run time',
    required: false,
  },
];

function capability({ name, allows, required, within }: CapabilityRow, held: ReadonlySet<Capability>): Check {
  const title = `CAP_${name.toUpperCase()}`;
  if (held.has(name)) return check(title, 'ok', `held: ${allows}`);
  if (within && held.has('sys_admin')) return check(title, 'ok', `within CAP_SYS_ADMIN: ${allows}`);
  return check(title, required ? 'missing' : 'warning', `not held: ${allows}`, 'run as root');
}

function loading(xdp: HookAvailability | undefined): Check {
  if (xdp?.available === true) return check('loading', 'ok', 'an XDP program was loaded, and is gone again');
  return check('loading', 'missing', xdp?.reason ?? 'not tried', capabilityHint('load'));
}

/** The mounted bpf file system, or how to get one. */
export function bpffs({ bpffs: path, bpffsGiven }: Paths): Check {
  const name = 'bpffs';
  if (isBpffs(path)) return check(name, 'ok', `mounted at ${path}`);
  if (bpffsGiven) {
    return check(
      name,
      'missing',
      `'${path}' is not in a bpf file system`,
      `mount one there: mount -t bpf bpf ${path}`,
    );
  }
  const elsewhere = findBpffs();
  const other = elsewhere === undefined ? '' : `, but at ${elsewhere}`;
  const message = `not mounted at ${defaultBpffs}${other}`;
  if (capabilityHint('mount') !== undefined) {
    return check(
      name,
      'missing',
      message,
      elsewhere === undefined ? 'root can mount it' : `use --bpffs ${elsewhere}`,
    );
  }
  if (!firstMountNamespace()) {
    return check(
      name,
      'missing',
      `${message}; mounted in this mount namespace it would vanish with it`,
      "instead of 'ip netns exec' use --netns NAME, or name a mounted bpf file system with --bpffs DIR",
    );
  }
  return check(name, 'ok', `${message}: the first command that pins mounts it`);
}

function firstMountNamespace(): boolean {
  try {
    return inFirstMountNamespace();
  } catch {
    return false;
  }
}

function cgroups(): Check {
  const root = cgroupRoot();
  if (root !== undefined) return check('cgroup v2', 'ok', `mounted at ${root}`);
  return check(
    'cgroup v2',
    'warning',
    'not mounted: programs cannot be attached to cgroups',
    'mount -t cgroup2 none /sys/fs/cgroup',
  );
}
