import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns } from '../../host/netns.js';
import type { Program } from '../program.js';
import { addAction, deleteAction } from '../tc-action.js';
import { addFilter, deleteEmptyQdisc, deleteFilter, filterProgramId, type TcFilter } from '../tc-filter.js';
import { HeldAttachment } from './attachment.js';
import type { Direction } from './tcx.js';

/** A place on the clsact qdisc; made by {@link tc} or {@link tcAction}. */
export interface TcOptions {
  readonly hook: 'tc' | 'action';
  /** The interface's name. */
  readonly ifname: string;
  readonly direction: Direction;
  /** 1 to 65535: lower ones run first. */
  readonly priority: number;
  /** 1 to 2^32-1; 1 when left out. */
  readonly handle?: number | undefined;
  /** Where the interface is; the current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * A filter on the clsact qdisc, in direct-action mode: the way before tcx. The interface keeps the filter; the qdisc is
 * made when there is none, and goes when it was made here and is empty. For programs of type `sched_cls`. Minimum kernel
 * 4.5.
 */
export function tc(options: Omit<TcOptions, 'hook'>): TcOptions {
  return { hook: 'tc', ...options };
}

/**
 * An action of tc behind a filter that matches every packet, on the clsact qdisc, which keeps both. For programs of type
 * `sched_act`. Minimum kernel 4.5, with the modules cls_matchall and act_bpf.
 */
export function tcAction(options: Omit<TcOptions, 'hook'>): TcOptions {
  return { hook: 'action', ...options };
}

/** @internal */
export function attachTc(program: Program, options: TcOptions): HeldAttachment {
  const { ifname, direction, priority, handle = 1, netns } = options;
  const { ifindex } = findInterface(ifname, netns);
  const filter: TcFilter = { ifindex, direction, handle, priority };
  // Of its own: whoever attached may close theirs before this.
  const place = openSameNetns(netns);
  try {
    return options.hook === 'tc'
      ? asFilter(program, filter, place)
      : asAction(program, filter, place, ifname);
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
}

function asFilter(program: Program, filter: TcFilter, netns: Netns): HeldAttachment {
  const { madeQdisc } = addFilter(program, filter, netns);
  const { id } = program.info();
  const takeAway = (): void => {
    // Somebody else's filter may be in the place by now.
    if (filterProgramId(filter, netns) === id) deleteFilter(filter, netns);
    if (madeQdisc) deleteEmptyQdisc(filter.ifindex, netns);
  };
  return new HeldAttachment('kernel', takeAway, [netns]);
}

function asAction(program: Program, filter: TcFilter, netns: Netns, ifname: string): HeldAttachment {
  const { madeQdisc } = addAction(program, filter, netns, ifname);
  const takeAway = (): void => {
    deleteAction(filter, netns);
    if (madeQdisc) deleteEmptyQdisc(filter.ifindex, netns);
  };
  return new HeldAttachment('kernel', takeAway, [netns]);
}
