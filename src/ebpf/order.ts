/** The order of programs on hooks that run several: tcx, the device type netkit, and cgroups. */
import { closeSync, constants, openSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { attachTypes } from '../base/kernel-words.js';
import { Scope } from '../base/scope.js';
import { fileError } from '../host/file-errors.js';
import { findInterface } from '../host/interfaces.js';
import { type Netns, withNetns } from '../host/netns.js';
import type { AttachTypeWord } from '../obj/sections.js';
import { Block } from '../sys/block.js';
import { bpf, createLink } from '../sys/bpf.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { attr, uapi } from '../sys/uapi.js';
import { isNextToProgram, isOnCgroup, relativeToLink } from './cgroup-order.js';
import { Link } from './link.js';
import type { Program } from './program.js';

/**
 * What a place in an order is relative to: a program or a link on the same hook, whoever attached it. A program that is
 * attached through a link may be named by either.
 */
export type Anchor = Program | Link;

/** Where a new program goes among those on the hook: before or behind all of them, or next to one. */
export type Position = 'first' | 'last' | { readonly before: Anchor } | { readonly after: Anchor };

/**
 * Chooses a position from what is on the hook. It is asked again when somebody else changed the hook before the answer
 * was used. Undefined leaves it to the kernel, which puts the program behind all others.
 */
export type PositionChooser = (order: Order) => Position | undefined;

/** One program on a hook. */
export interface OrderEntry {
  readonly programId: number;
  /** Undefined when it was attached without a link; always undefined on cgroups, where the kernel does not tell. */
  readonly linkId: number | undefined;
}

/** What is on a hook. */
export interface Order {
  /** Counts the changes of the hook. 0 where the kernel keeps no count: on cgroups before Linux 6.17. */
  readonly revision: bigint;
  /** In the order in which they run; for a cgroup, within it, since cgroups above and below it have programs of their own. */
  readonly entries: readonly OrderEntry[];
  /** `BPF_F_ALLOW_…` flags with which the first program was put on a cgroup; 0 elsewhere. */
  readonly flags: number;
}

/** A hook that runs several programs. */
export type OrderPlace =
  | {
      readonly hook: 'tcx';
      readonly ifname: string;
      readonly direction: 'ingress' | 'egress';
      readonly netns?: Netns | undefined;
    }
  | {
      readonly hook: 'netkit-dev';
      /** The primary interface's name, for both ends. */
      readonly ifname: string;
      readonly end: 'primary' | 'peer';
      readonly netns?: Netns | undefined;
    }
  | {
      readonly hook: 'cgroup';
      /** A directory of the cgroup v2 tree. */
      readonly path: string;
      readonly attachType: AttachTypeWord;
    };

/** A hook as bpf(2) takes it; the network namespace is the current one. @internal */
export interface OrderedHook {
  /** What the kernel calls this kind of link. */
  readonly kind: 'tcx' | 'netkit' | 'cgroup';
  /** An ifindex, or the descriptor of a cgroup. */
  readonly target: number;
  readonly attachType: AttachTypeWord;
  /** For messages: `tcx ingress of eth0`. */
  readonly about: string;
}

/** The kernel takes 63 programs on an interface's hook (BPF_MPROG_MAX) and 64 on a cgroup's (BPF_CGROUP_MAX_PROGS). */
const mostPrograms = { tcx: 63, netkit: 63, cgroup: 64 } as const;
const capacity = Math.max(...Object.values(mostPrograms));

/** How often a hook that others keep changing is looked at again. */
const mostLooks = 32;

/**
 * What is on a hook, in the order in which it runs. Minimum kernel: tcx 6.6, netkit-dev 6.7, cgroups 4.15.
 * @throws NetkitError `not-found` (interface, cgroup), `unsupported` (hook), `not-permitted`
 */
export function queryOrder(place: OrderPlace): Order {
  if (place.hook === 'cgroup') return orderOnCgroup(place.path, place.attachType);
  const { ifname, netns } = place;
  const { ifindex } = findInterface(ifname, netns);
  const hook = interfaceHook(place, ifindex);
  return withNetns(netns, () => readOrder(hook));
}

type OnInterface = Exclude<OrderPlace, { readonly hook: 'cgroup' }>;

/** @internal */
export function interfaceHook(place: OnInterface, target: number): OrderedHook {
  const { ifname } = place;
  if (place.hook === 'tcx') {
    const { direction } = place;
    return { kind: 'tcx', target, attachType: `tcx_${direction}`, about: `tcx ${direction} of ${ifname}` };
  }
  const { end } = place;
  return { kind: 'netkit', target, attachType: `netkit_${end}`, about: `netkit-dev ${end} of ${ifname}` };
}

function orderOnCgroup(path: string, attachType: AttachTypeWord): Order {
  let target: number;
  try {
    target = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw fileError(error, 'open the cgroup', path);
  }
  try {
    return readOrder({ kind: 'cgroup', target, attachType, about: `${attachType} of cgroup ${path}` });
  } catch (error) {
    if (!isErrno(error, 'EBADF')) throw error;
    throw new NetkitError('usage', `${path} is no directory of the cgroup v2 tree`, { cause: error });
  } finally {
    closeSync(target);
  }
}

/** {@link queryOrder} in the current network namespace. @internal */
export function readOrder(hook: OrderedHook): Order {
  const programs = new Uint32Array(capacity);
  const links = new Uint32Array(capacity);
  const block = new Block(attr.query, {
    attach_type: attachTypes.indexOf(hook.attachType),
    target_fd: hook.target,
    prog_cnt: capacity,
  });
  block.point('prog_ids', new Uint8Array(programs.buffer));
  // Of cgroups the kernel tells no links, and older kernels take no such member.
  if (hook.kind !== 'cgroup') block.point('link_ids', new Uint8Array(links.buffer));
  try {
    bpf('PROG_QUERY', block, `ask what is on ${hook.about}`);
  } catch (error) {
    // The first kernels with tcx call a hook that never had a program absent.
    if (isErrno(error, 'ENOENT')) return { revision: 0n, entries: [], flags: 0 };
    if (isErrno(error, 'EINVAL'))
      throw new NetkitError('unsupported', `this kernel has no ${hook.about}`, { cause: error });
    if (isErrno(error, 'EPERM', 'EACCES')) {
      throw new NetkitError('not-permitted', `not allowed to ask what is on ${hook.about}`, {
        hint: 'it needs CAP_NET_ADMIN',
        cause: error,
      });
    }
    throw error;
  }
  const entries = [...programs.subarray(0, block.get('prog_cnt'))].map((programId, index) => ({
    programId,
    linkId: links[index] || undefined,
  }));
  // A device whose last program has gone says 1, and counts on from another number: without programs nothing can come between.
  const isUncounted = hook.kind === 'netkit' && entries.length === 0;
  return { revision: isUncounted ? 0n : block.big('revision'), entries, flags: block.get('attach_flags') };
}

/** What `placed` attaches, and where. @internal */
export interface PlacedLink {
  readonly program: Program;
  readonly hook: OrderedHook;
  /** Left out, the kernel puts the program behind all others. */
  readonly position?: Position | PositionChooser | undefined;
}

/**
 * Creates a link at a position of a hook, in the current network namespace. A position that was chosen from the order
 * counts only for the very order that was looked at; one that was given is found by the kernel itself.
 * @internal
 * @throws NetkitError `not-found` (an anchor that is not on the hook), `conflict` (full, or others keep changing the
 *   hook), `unsupported` (a kernel without order on cgroups); SysError for what has to do with no order
 */
export function placed({ program, hook, position }: PlacedLink): Fd {
  // Next to a program on a cgroup netkit finds the place itself, see `relativeToLink`.
  const isFound = typeof position === 'function' || (hook.kind === 'cgroup' && isNextToProgram(position));
  if (!isFound) return create(program, hook, checkedPosition(position));
  const choose = typeof position === 'function' ? position : () => position;
  for (let look = 0; look < mostLooks; look++) {
    const order = readOrder(hook);
    try {
      return create(program, hook, checkedPosition(choose(order)), order);
    } catch (error) {
      if (!isErrno(error, 'ESTALE')) throw error;
    }
  }
  throw new NetkitError(
    'conflict',
    `others keep changing the order of programs on ${hook.about}: it was another one each of ${mostLooks} times`,
    { hint: 'try again' },
  );
}

/** Callers without types may say both. @throws NetkitError `usage` */
function checkedPosition(position: Position | undefined): Position | undefined {
  if (typeof position === 'object' && 'before' in position && 'after' in position)
    throw new NetkitError('usage', 'a position is either before or after an anchor, not both');
  return position;
}

/** The parts of `union bpf_attr` for each kind of hook. */
const members = {
  tcx: { anchor: 'tcx.relative_fd', revision: 'tcx.expected_revision' },
  netkit: { anchor: 'netkit.relative_fd', revision: 'netkit.expected_revision' },
  cgroup: { anchor: 'cgroup.relative_fd', revision: 'cgroup.expected_revision' },
} as const;

function create(program: Program, hook: OrderedHook, position: Position | undefined, seen?: Order): Fd {
  // A cgroup counts its changes since it has an order.
  if (hook.kind === 'cgroup' && position !== undefined && (seen ?? readOrder(hook)).revision === 0n) {
    throw new NetkitError('unsupported', `this kernel has no order of programs on ${hook.about}`, {
      hint: 'order on cgroups came with Linux 6.17: before that a program goes behind those that are there',
    });
  }
  if (hook.kind !== 'cgroup' || seen === undefined || !isNextToProgram(position))
    return attempt(program, hook, position, seen);
  using scope = new Scope();
  return attempt(program, hook, relativeToLink(position, seen, hook, scope), seen);
}

function attempt(program: Program, hook: OrderedHook, position: Position | undefined, seen?: Order): Fd {
  const anchor = anchorOf(position);
  try {
    return createLink(
      {
        prog_fd: program.fd.value,
        target_fd: hook.target,
        attach_type: attachTypes.indexOf(hook.attachType),
        flags: flagsOf(position) | (anchor instanceof Link ? uapi.BPF_F_LINK : 0),
        [members[hook.kind].anchor]: anchor?.fd.value ?? 0,
        [members[hook.kind].revision]: seen?.revision ?? 0n,
      },
      `attach to ${hook.about}`,
    );
  } catch (error) {
    const maybeFull = isErrno(error, 'ERANGE', 'E2BIG');
    if ((anchor === undefined && !maybeFull) || isErrno(error, 'ESTALE', 'EPERM', 'EACCES')) throw error;
    const order = readOrder(hook);
    if (anchor !== undefined && !contains(order, hook, anchor)) throw notThere(anchor, hook, error);
    if (maybeFull && order.entries.length >= mostPrograms[hook.kind]) {
      throw new NetkitError(
        'conflict',
        `${hook.about} is full: the kernel takes ${mostPrograms[hook.kind]} programs`,
        { details: { programs: order.entries.map(({ programId }) => programId) }, cause: error },
      );
    }
    throw error;
  }
}

function anchorOf(position: Position | undefined): Anchor | undefined {
  if (typeof position !== 'object') return undefined;
  return 'before' in position ? position.before : position.after;
}

/** Without an anchor, "before" means before all, and "after" behind all. */
function flagsOf(position: Position | undefined): number {
  if (position === undefined) return 0;
  const isBefore = position === 'first' || (typeof position === 'object' && 'before' in position);
  return isBefore ? uapi.BPF_F_BEFORE : uapi.BPF_F_AFTER;
}

function contains({ entries }: Order, hook: OrderedHook, anchor: Anchor): boolean {
  if (!(anchor instanceof Link)) {
    const { id } = anchor.info();
    return entries.some(({ programId }) => programId === id);
  }
  if (hook.kind === 'cgroup') return isOnCgroup(anchor, hook);
  const { id } = anchor.info();
  return entries.some(({ linkId }) => linkId === id);
}

function notThere(anchor: Anchor, { about }: OrderedHook, cause: unknown): NetkitError {
  if (anchor instanceof Link) {
    const { id } = anchor.info();
    return new NetkitError('not-found', `link ${id} is not on ${about}: nothing can go next to it there`, {
      details: { linkId: id },
      cause,
    });
  }
  const { id, name } = anchor.info();
  return new NetkitError(
    'not-found',
    `program '${name}' (id ${id}) is not on ${about}: nothing can go next to it there`,
    { details: { programId: id }, cause },
  );
}
