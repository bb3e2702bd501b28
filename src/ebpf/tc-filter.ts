/** Programs as tc filters on a clsact qdisc: the way before tcx (kernel 6.6). A filter is no link: it is named by its place. */
import { NetkitError } from '../base/errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import { isErrno } from '../sys/errno.js';
import { clsactKind, hasTcFilters, filterPriorities as listFilterPriorities } from '../sys/netlink.js';
import { addClsact, attachTcFilter, deleteClsact, detachTcFilter, queryTcFilter } from '../sys/tc.js';
import type { Direction } from './attach/index.js';
import type { Program } from './program.js';

/** The place of one filter of an interface, by which tc knows it. */
export interface TcFilter {
  /**
   * The interface's number in its network namespace, as `ip link` shows it. It is a number because an interface that
   * is renamed keeps its filters; `findInterface` gives it for a name.
   */
  readonly ifindex: number;
  readonly direction: Direction;
  /** 1 to 2^32-1; with the priority it is what tells filters of one direction apart. */
  readonly handle: number;
  /** 1 to 65535: lower ones run first. */
  readonly priority: number;
}

/**
 * Adds a filter that runs `program` in direct-action mode, and the clsact qdisc when there is none.
 * @returns whether the qdisc was added here: only then may it be removed again
 * @throws NetkitError `conflict` when another filter has this priority and handle, or an ingress qdisc is in the place
 *   where egress needs a clsact qdisc; `not-found` without such an interface, `not-permitted`
 */
export function addFilter(program: Program, filter: TcFilter, netns?: Netns): { madeQdisc: boolean } {
  return onClsact(filter, netns, () => {
    try {
      attachTcFilter(filter, program.fd.value);
    } catch (error) {
      if (!isErrno(error, 'EEXIST', 'EINVAL')) throw error;
      throw new NetkitError(
        'conflict',
        `another tc filter has priority ${filter.priority} on ${filter.direction} of interface ${filter.ifindex}`,
        { cause: error },
      );
    }
  });
}

/**
 * Adds something to the clsact qdisc, which is made when there is none, and taken back when nothing could be added.
 * @internal
 * @throws NetkitError `conflict` when an ingress qdisc is in the place where egress needs a clsact qdisc
 */
export function onClsact(
  { ifindex, direction }: Pick<TcFilter, 'ifindex' | 'direction'>,
  netns: Netns | undefined,
  add: () => void,
): { madeQdisc: boolean } {
  return withNetns(netns, () => {
    const madeQdisc = addClsact(ifindex);
    if (!madeQdisc && direction === 'egress' && clsactKind(ifindex) === 'ingress') {
      throw new NetkitError(
        'conflict',
        `interface ${ifindex} has an ingress qdisc, whose place tc egress needs a clsact qdisc in`,
        {
          hint: 'have the owner of the ingress qdisc make it a clsact qdisc; a classifier can go to tcx/egress instead',
        },
      );
    }
    try {
      add();
      return { madeQdisc };
    } catch (error) {
      if (madeQdisc) deleteEmptyQdisc(ifindex);
      throw error;
    }
  });
}

/** Whether the interface has a clsact qdisc, whoever made it. */
export function clsactExists(ifindex: number, netns?: Netns): boolean {
  return withNetns(netns, () => clsactKind(ifindex) !== undefined);
}

/** The priorities of all filters on one side of the clsact qdisc, whoever's they are. */
export function filterPriorities(ifindex: number, direction: Direction, netns?: Netns): number[] {
  return withNetns(netns, () =>
    clsactKind(ifindex) === undefined ? [] : listFilterPriorities(ifindex, direction),
  );
}

/** The program id in a filter, or undefined when the filter, its qdisc or its interface is gone. */
export function filterProgramId(filter: TcFilter, netns?: Netns): number | undefined {
  return withNetns(netns, () => queryTcFilter(filter));
}

/** Puts another program into a filter. Not a compare-and-swap: tc has none. @throws NetkitError */
export function replaceFilter(program: Program, filter: TcFilter, netns?: Netns): void {
  withNetns(netns, () => attachTcFilter(filter, program.fd.value, true));
}

/** Deletes a filter; one that is gone already is fine. @throws NetkitError */
export function deleteFilter(filter: TcFilter, netns?: Netns): void {
  withNetns(netns, () => {
    try {
      detachTcFilter(filter);
    } catch (error) {
      // EINVAL: no such qdisc. ENODEV: no such interface.
      if (!isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) throw error;
    }
  });
}

/**
 * Deletes the clsact qdisc when no filter of anybody is on it: for whoever `addFilter` told that it made the qdisc.
 * @returns whether it was deleted
 * @throws NetkitError `not-permitted`
 */
export function deleteEmptyQdisc(ifindex: number, netns?: Netns): boolean {
  return withNetns(netns, () => {
    try {
      if (hasTcFilters(ifindex)) return false;
      deleteClsact(ifindex);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) return false;
      throw error;
    }
  });
}
