import { closeSync, openSync, statfsSync } from 'node:fs';
import { messageOf, NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { capabilityHint } from '../../host/capabilities.js';
import { cgroupRoot } from '../../host/cgroup.js';
import { fileErrorCode } from '../../host/file-errors.js';
import type { AttachTypeWord } from '../../obj/sections.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import type { HookName } from '../feature.js';
import { Link } from '../link.js';
import { type Position, type PositionChooser, placed } from '../order.js';
import type { Program } from '../program.js';
import { attempting } from './failure.js';

/** Where to attach to a cgroup; made by {@link cgroup}. */
export interface CgroupOptions {
  readonly hook: 'cgroup';
  /** A directory of the cgroup v2 tree. */
  readonly path: string;
  /** What the program is to see, such as `cgroup_inet4_connect`; by default what its section says. */
  readonly attachType?: AttachTypeWord | undefined;
  /** Behind all others when left out. Minimum kernel 6.17. */
  readonly position?: Position | PositionChooser | undefined;
}

/**
 * Where to attach to a cgroup: the program then sees what the processes in it and below it do. For programs of the types
 * `cgroup_skb`, `cgroup_sock`, `cgroup_sock_addr`, `cgroup_sockopt`, `cgroup_sysctl`, `cgroup_device` and `sock_ops`.
 * Minimum kernel 5.7; UNIX sockets 6.7.
 */
export function cgroup(options: Omit<CgroupOptions, 'hook'>): CgroupOptions {
  return { hook: 'cgroup', ...options };
}

/** Where to attach an LSM program to a cgroup; made by {@link lsmCgroup}. */
export interface LsmCgroupOptions {
  readonly hook: 'lsm_cgroup';
  /** A directory of the cgroup v2 tree. */
  readonly path: string;
}

/**
 * Where to attach an LSM program that judges only the processes of a cgroup: `SEC("lsm_cgroup/HOOK")`. Minimum kernel
 * 6.0, with the security module `bpf` active.
 */
export function lsmCgroup(options: Omit<LsmCgroupOptions, 'hook'>): LsmCgroupOptions {
  return { hook: 'lsm_cgroup', ...options };
}

/** For types of programs with one place in a cgroup. */
const onlyPlaces: Readonly<Record<string, AttachTypeWord>> = {
  sock_ops: 'cgroup_sock_ops',
  cgroup_sysctl: 'cgroup_sysctl',
  cgroup_device: 'cgroup_device',
};

/** @internal */
export function attachCgroup(program: Program, options: CgroupOptions): Link {
  const { path, position } = options;
  const { name, type } = program.info();
  const attachType = options.attachType ?? program.attachType ?? onlyPlaces[type];
  if (attachType === undefined) {
    throw new NetkitError(
      'usage',
      `which events of cgroup ${path} program '${name}' (${type}) is to see is not said`,
      { hint: "give an attach type, such as 'cgroup_inet_ingress'" },
    );
  }
  const about = `${attachType} of cgroup ${path}`;
  return withCgroup(path, (target) =>
    attempting({ program, where: about, hook: hookOf(attachType), unless: mismatch(type) }, () => {
      try {
        const hook = { kind: 'cgroup', target, attachType, about } as const;
        return new Link(placed({ program, hook, position }));
      } catch (error) {
        throw barredByOthers(error, about);
      }
    }),
  );
}

/** @internal */
export function attachLsmCgroup(program: Program, { path }: LsmCgroupOptions): Link {
  const where = `LSM hook of cgroup ${path}`;
  return withCgroup(path, (target) =>
    attempting({ program, where, hook: 'lsm_cgroup' }, () => {
      const values = {
        prog_fd: program.fd.value,
        target_fd: target,
        attach_type: attachTypes.indexOf('lsm_cgroup'),
      };
      return new Link(createLink(values, `attach to ${where}`));
    }),
  );
}

function mismatch(type: string): string | undefined {
  return type.startsWith('cgroup_') && type !== 'cgroup_skb'
    ? 'programs of that type take the place only that they were loaded for'
    : undefined;
}

/** EPERM with all rights: somebody put a program there, or above, that lets nobody else in. */
function barredByOthers(error: unknown, about: string): unknown {
  if (!isErrno(error, 'EPERM') || capabilityHint('attach') !== undefined) return error;
  return new NetkitError(
    'conflict',
    `${about}, or a cgroup above it, has a program that allows no others beside it`,
    { cause: error },
  );
}

const hookPatterns: readonly (readonly [RegExp, HookName])[] = [
  [/^cgroup_inet_(in|e)gress$/, 'cgroup/skb'],
  [/^cgroup_(inet_sock|inet._post_bind)/, 'cgroup/sock'],
  [/^cgroup_unix_/, 'cgroup/connect_unix'],
  [/^cgroup_[gs]etsockopt$/, 'cgroup/sockopt'],
  [/^cgroup_sysctl$/, 'cgroup/sysctl'],
  [/^cgroup_device$/, 'cgroup/dev'],
  [/^cgroup_sock_ops$/, 'sockops'],
];

function hookOf(attachType: AttachTypeWord): HookName {
  return hookPatterns.find(([pattern]) => pattern.test(attachType))?.[1] ?? 'cgroup/connect';
}

/** linux/magic.h */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** Opens a cgroup directory for as long as `work` takes. @internal @throws NetkitError `not-found`, `usage` when it is no cgroup v2 */
export function withCgroup<T>(path: string, work: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    const code = fileErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new NetkitError('not-found', `there is no cgroup ${path}`, { hint: treeHint(), cause: error });
    throw new NetkitError('not-permitted', `cannot open cgroup ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    if (statfsSync(path).type !== CGROUP2_SUPER_MAGIC) {
      throw new NetkitError('usage', `${path} is no directory of the cgroup v2 tree`, { hint: treeHint() });
    }
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

function treeHint(): string {
  const root = cgroupRoot();
  return root === undefined ? 'no cgroup v2 tree is mounted' : `the cgroup v2 tree is at ${root}`;
}
