import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns } from '../../host/netns.js';
import type { Program } from '../program.js';
import { actionProgramId, addAction, deleteAction } from '../tc-action.js';
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

const ways = {
  tc: {
    add: (program: Program, filter: TcFilter, _ifname: string, netns: Netns) =>
      addFilter(program, filter, netns),
    programId: filterProgramId,
    remove: deleteFilter,
  },
  action: { add: addAction, programId: actionProgramId, remove: deleteAction },
} as const;

/** @internal */
export function attachTc(program: Program, options: TcOptions): HeldAttachment {
  const { ifname, direction, priority, handle = 1, netns } = options;
  const { ifindex } = findInterface(ifname, netns);
  const filter: TcFilter = { ifindex, direction, handle, priority };
  // Of its own: whoever attached may close theirs before this.
  const place = openSameNetns(netns);
  const { add, programId, remove } = ways[options.hook];
  try {
    const { madeQdisc } = add(program, filter, ifname, place);
    const { id } = program.info();
    const takeAway = (): void => {
      // Somebody else's program may be in the place by now.
      if (programId(filter, place) === id) remove(filter, place);
      if (madeQdisc) deleteEmptyQdisc(ifindex, place);
    };
    return new HeldAttachment('kernel', takeAway, [place]);
  } catch (error) {
    place[Symbol.dispose]();
    throw error;
  }
}
