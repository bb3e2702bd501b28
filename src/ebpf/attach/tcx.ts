import { NetkitError } from '../../base/errors.js';
import { findInterface } from '../../host/interfaces.js';
import { type Netns, withNetns } from '../../host/netns.js';
import { isErrno } from '../../sys/errno.js';
import type { HookName } from '../feature.js';
import { Link } from '../link.js';
import { interfaceHook, type Position, type PositionChooser, placed } from '../order.js';
import type { Program } from '../program.js';
import { attempting } from './failure.js';

/** Packets that arrive at an interface, or that leave it. */
export type Direction = 'ingress' | 'egress';

/** Where to attach with tcx; made by {@link tcx}. */
export interface TcxOptions {
  readonly hook: 'tcx';
  /** The interface's name. */
  readonly ifname: string;
  readonly direction: Direction;
  /** Where the interface is; the current network namespace when left out. */
  readonly netns?: Netns | undefined;
  /** Behind all others when left out. */
  readonly position?: Position | PositionChooser | undefined;
}

/**
 * Where to attach with tcx: tc's own hook, without a qdisc, among the programs that are there, of which the kernel takes
 * 63. For programs of type `sched_cls`. Minimum kernel 6.6; {@link tc} is the way before that.
 */
export function tcx(options: Omit<TcxOptions, 'hook'>): TcxOptions {
  return { hook: 'tcx', ...options };
}

/** Where to attach on a device of type netkit; made by {@link netkitDev}. */
export interface NetkitDevOptions {
  readonly hook: 'netkit-dev';
  /** The name of the primary interface, for both ends: it is the one that its owner keeps. */
  readonly ifname: string;
  /** Whose outgoing packets the program sees: those of the primary interface, or of its peer. */
  readonly end: 'primary' | 'peer';
  /** Where the primary interface is; the current network namespace when left out. */
  readonly netns?: Netns | undefined;
  /** Behind all others when left out. */
  readonly position?: Position | PositionChooser | undefined;
}

/**
 * Where to attach on Linux's device type `netkit`, a pair of interfaces like veth whose transmission runs programs. For
 * programs of type `sched_cls` that were loaded for it (`SEC("netkit/primary")`). Minimum kernel 6.7.
 */
export function netkitDev(options: Omit<NetkitDevOptions, 'hook'>): NetkitDevOptions {
  return { hook: 'netkit-dev', ...options };
}

/** @internal */
export function attachTcx(program: Program, options: TcxOptions): Link {
  return attachOrdered(program, options, `tcx/${options.direction}`);
}

/** @internal */
export function attachNetkitDev(program: Program, options: NetkitDevOptions): Link {
  try {
    return attachOrdered(program, options, 'netkit-dev');
  } catch (error) {
    if (!isErrno(error, 'ENXIO') && !(error instanceof NetkitError && isErrno(error.cause, 'EACCES')))
      throw error;
    throw new NetkitError(
      'unsupported',
      `${options.ifname} is not the primary interface of a pair of type netkit, which takes the programs of both ends`,
      { cause: error },
    );
  }
}

function attachOrdered(program: Program, options: TcxOptions | NetkitDevOptions, name: HookName): Link {
  const { ifname, netns, position } = options;
  const hook = interfaceHook(options, findInterface(ifname, netns).ifindex);
  const where = hook.about;
  const taken = `that program is on ${where} already`;
  return withNetns(netns, () =>
    attempting({ program, where, hook: name, taken }, () => new Link(placed({ program, hook, position }))),
  );
}
