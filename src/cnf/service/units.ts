import { NetkitError } from '../../base/errors.js';
import { unitCommand, unitWord } from './unit-words.js';

/** What the units are made for. All paths are absolute. */
export interface ServiceSetting {
  /** The program that runs netkit. */
  readonly node: string;
  /** `bin/netkit.js` of the package. */
  readonly script: string;
  /** Waits for the interfaces that are being found while the machine starts; undefined where there is none. */
  readonly udevadm: string | undefined;
  readonly stateDir: string;
  /** Undefined for the usual place of each, which the command line then does not name. */
  readonly given: { readonly stateDir: string | undefined; readonly bpffs: string | undefined };
}

export interface Unit {
  /** `netkit-watch.service` */
  readonly name: string;
  readonly text: string;
}

/** How the first line of each begins, by which netkit knows its own. */
export const unitMarker = "# Written by 'netkit service install'";

export const unitNames = ['netkit-reconcile.service', 'netkit-watch.service'] as const;

/** In whose `.wants` the units are. */
export const wantingTarget = 'multi-user.target';

/**
 * No option is here that gives the service mounts of its own (ProtectSystem, PrivateTmp, ProtectKernelTunables, …): netkit mounts
 * bpffs where process 1 sees it, or not at all, and namespaces that are mounted later under /run/netns are to be seen. None that
 * forbids memory that is written and run (MemoryDenyWriteExecute), which Node's compiler makes. No filter of system calls: those of Node and of
 * the kernel's newer hooks change from release to release.
 */
const hardening = [
  '# What bpf(2), network namespaces, other processes and kernel symbols need, and no more.',
  'CapabilityBoundingSet=CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_SYS_RESOURCE CAP_SYSLOG CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH',
  'NoNewPrivileges=yes',
  '# netkit enters network namespaces; checks of health may do so by ip netns exec, which needs mounts of its own.',
  'RestrictNamespaces=net mnt',
  'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6 AF_PACKET',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'LockPersonality=yes',
  'SystemCallArchitectures=native',
  'UMask=0077',
  '# Kernels before 5.11 count maps as locked memory.',
  'LimitMEMLOCK=infinity',
  '# A change that waits for its confirmation is taken back by a process of its own, which is to survive.',
  'KillMode=process',
];

/** The units' texts. The same setting gives the same texts. @throws NetkitError `failed` for a program that systemd would not start */
export function unitsFor(setting: ServiceSetting): Unit[] {
  const { node } = setting;
  if (/["'\\\p{Cc}]/u.test(node))
    throw new NetkitError('failed', `systemd starts no program of this path: '${node}'`, {
      details: { path: node },
    });
  return [reconcileUnit(setting), watchUnit(setting)];
}

function reconcileUnit(setting: ServiceSetting): Unit {
  const { udevadm } = setting;
  const [name] = unitNames;
  const settle =
    udevadm === undefined ? [] : [`ExecStartPre=-${unitCommand(udevadm, ['settle', '--timeout=10'])}`];
  return unit(name, 'Bring back network functions, before the network', [
    ...early(setting, []),
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    ...settle,
    `ExecStart=${command(setting, 'reconcile')}`,
    '# An interface that is not there yet: netkit-watch.service waits for it.',
    'SuccessExitStatus=3',
    '# The network waits for this, but not for ever.',
    'TimeoutStartSec=2min',
    ...hardening,
  ]);
}

function watchUnit(setting: ServiceSetting): Unit {
  const [reconcile, name] = unitNames;
  return unit(name, 'Keep network functions on interfaces that come and go', [
    ...early(setting, [reconcile]),
    '# It is tried again for ever.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=notify',
    `ExecStart=${command(setting, 'reconcile', '--watch')}`,
    '# When the machine is shut down, this is after the network.',
    `ExecStop=${command(setting, 'snapshot')}`,
    'Restart=on-failure',
    'RestartSec=5',
    '# A wrong command line stays wrong.',
    'RestartPreventExitStatus=2',
    '# How it ends when it is stopped.',
    'SuccessExitStatus=130 143',
    'TimeoutStartSec=30',
    'TimeoutStopSec=90',
    ...hardening,
  ]);
}

/** As firewalls have it: without waiting for the basic system, parts of which wait for the network on some machines. */
function early({ node, script, stateDir, given }: ServiceSetting, after: readonly string[]): string[] {
  const paths = [stateDir, given.bpffs, node, script].filter((path) => path !== undefined).map(unitWord);
  const first = [
    'local-fs.target',
    'sys-fs-bpf.mount',
    'systemd-modules-load.service',
    'systemd-sysctl.service',
    'systemd-udev-trigger.service',
  ];
  return [
    'DefaultDependencies=no',
    'Conflicts=shutdown.target',
    `RequiresMountsFor=${[...new Set(paths)].join(' ')}`,
    `After=${[...first, ...after].join(' ')}`,
    'Wants=network-pre.target',
    'Before=network-pre.target shutdown.target',
  ];
}

function unit(name: string, description: string, lines: readonly string[]): Unit {
  const text = [
    `${unitMarker}, which replaces it. For changes of your own: systemctl edit ${name}`,
    '[Unit]',
    `Description=${description} (netkit)`,
    ...lines,
    '',
    '[Install]',
    `WantedBy=${wantingTarget}`,
  ];
  return { name, text: `${text.join('\n')}\n` };
}

function command({ node, script, given }: ServiceSetting, ...words: readonly string[]): string {
  const options = [
    ...(given.stateDir === undefined ? [] : ['--state-dir', given.stateDir]),
    ...(given.bpffs === undefined ? [] : ['--bpffs', given.bpffs]),
  ];
  return unitCommand(node, [script, ...options, ...words]);
}
