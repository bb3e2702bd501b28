import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { findInterface } from '../../host/interfaces.js';
import { type Netns, openSameNetns, withNetns } from '../../host/netns.js';
import { isErrno } from '../../sys/errno.js';
import { netlinkRequest } from '../../sys/netlink-request.js';
import { addClsact } from '../../sys/tc.js';
import { uapi } from '../../sys/uapi.js';
import type { Program } from '../program.js';
import { addFilter, deleteEmptyQdisc, deleteFilter, filterProgramId, type TcFilter } from '../tc-filter.js';
import { HeldAttachment } from './attachment.js';
import { attempting } from './failure.js';
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
  const where = `tc ${filter.direction} of ${ifname} at priority ${filter.priority}`;
  const madeQdisc = withNetns(netns, () => addClsact(filter.ifindex));
  const attempt = {
    program,
    where,
    hook: 'action',
    taken: `another filter is on ${where}`,
    unless: 'the kernel may be without cls_matchall or act_bpf',
  } as const;
  try {
    withNetns(netns, () =>
      attempting(attempt, () => {
        try {
          addMatchAll(program, filter, where);
        } catch (error) {
          // The module is not there.
          if (!isErrno(error, 'ENOENT')) throw error;
          throw unsupportedAction(error);
        }
      }),
    );
  } catch (error) {
    if (madeQdisc) deleteEmptyQdisc(filter.ifindex, netns);
    throw error;
  }
  const takeAway = (): void => {
    withNetns(netns, () => deleteMatchAll(filter, where));
    if (madeQdisc) deleteEmptyQdisc(filter.ifindex, netns);
  };
  return new HeldAttachment('kernel', takeAway, [netns]);
}

function unsupportedAction(cause: unknown): NetkitError {
  return new NetkitError('unsupported', 'this kernel has no tc filter matchall, or no tc action bpf', {
    hint: 'the modules are cls_matchall and act_bpf',
    cause,
  });
}

/** struct tcmsg of linux/rtnetlink.h */
function placeOf({ ifindex, direction, handle, priority }: TcFilter): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  const side = direction === 'ingress' ? uapi.TC_H_MIN_INGRESS : uapi.TC_H_MIN_EGRESS;
  view.setInt32(4, ifindex, hostIsLittleEndian);
  view.setUint32(8, handle, hostIsLittleEndian);
  view.setUint32(12, ((uapi.TC_H_CLSACT & 0xffff0000) | side) >>> 0, hostIsLittleEndian);
  // TC_H_MAKE(priority, htons(ETH_P_ALL))
  const everything = new DataView(Uint8Array.of(0, 3).buffer).getUint16(0, hostIsLittleEndian);
  view.setUint32(16, ((priority << 16) | everything) >>> 0, hostIsLittleEndian);
  return new Uint8Array(view.buffer);
}

function addMatchAll(program: Program, filter: TcFilter, where: string): void {
  const { name } = program.info();
  // struct tc_act_bpf: index, capab, action, refcnt, bindcnt. What the program returns is the verdict.
  const parameters = new Uint8Array(new Int32Array([0, 0, uapi.TC_ACT_PIPE, 0, 0]).buffer);
  const action = [
    { type: uapi.TCA_ACT_KIND, value: 'bpf' },
    {
      type: uapi.TCA_ACT_OPTIONS,
      value: [
        { type: uapi.TCA_ACT_BPF_PARMS, value: parameters },
        { type: uapi.TCA_ACT_BPF_FD, value: program.fd.value },
        { type: uapi.TCA_ACT_BPF_NAME, value: name },
      ],
    },
  ];
  netlinkRequest(
    uapi.RTM_NEWTFILTER,
    uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
    placeOf(filter),
    [
      { type: uapi.TCA_KIND, value: 'matchall' },
      {
        type: uapi.TCA_OPTIONS,
        value: [{ type: uapi.TCA_MATCHALL_ACT, value: [{ type: 1, value: action }] }],
      },
    ],
    `add an action to ${where}`,
  );
}

function deleteMatchAll(filter: TcFilter, where: string): void {
  try {
    netlinkRequest(
      uapi.RTM_DELTFILTER,
      0,
      placeOf(filter),
      [{ type: uapi.TCA_KIND, value: 'matchall' }],
      `delete ${where}`,
    );
  } catch (error) {
    // It, its qdisc or its interface is gone.
    if (!isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) throw error;
  }
}
