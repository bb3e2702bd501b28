/** Programs as tc actions, behind a filter that matches every packet on the clsact qdisc. */
import { hostIsLittleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { type Netns, withNetns } from '../host/netns.js';
import { isErrno } from '../sys/errno.js';
import { tcFilters } from '../sys/netlink.js';
import type { NetlinkAttribute } from '../sys/netlink-attributes.js';
import { netlinkRequest } from '../sys/netlink-request.js';
import { uapi } from '../sys/uapi.js';
import { attempting } from './attach/failure.js';
import type { Program } from './program.js';
import { programLabel } from './program-label.js';
import { onClsact, type TcFilter } from './tc-filter.js';

/**
 * Adds the filter with its action, and the clsact qdisc when there is none.
 * @returns whether the qdisc was added here
 * @throws NetkitError `conflict` as {@link onClsact} and when another filter is in the place, `unsupported` without cls_matchall and act_bpf
 */
export function addAction(
  program: Program,
  filter: TcFilter,
  ifname: string,
  netns?: Netns,
): { madeQdisc: boolean } {
  const where = `tc ${filter.direction} of ${ifname} at priority ${filter.priority}`;
  const attempt = {
    program,
    where,
    hook: 'action',
    taken: `another filter is on ${where}`,
    unless: 'the kernel may be without cls_matchall or act_bpf',
  } as const;
  return onClsact(filter, netns, () => attempting(attempt, () => addMatchAll(program, filter, where)));
}

/** The id of the program in the action, whoever's it is; undefined when the filter is gone, or has no such action. */
export function actionProgramId(filter: TcFilter, netns?: Netns): number | undefined {
  return actionAt(filter, netns)?.programId;
}

/** Puts another program into the action, in place. Not a compare-and-swap: tc has none. @throws SysError */
export function replaceAction(program: Program, filter: TcFilter, netns?: Netns): void {
  const index = actionAt(filter, netns)?.actionIndex;
  if (index === undefined) return;
  // struct tcamsg { unsigned char tca_family; … }, 4 bytes
  const action = { type: uapi.TCA_ACT_TAB, value: [{ type: 1, value: actionOf(program, index) }] };
  withNetns(netns, () =>
    netlinkRequest(
      uapi.RTM_NEWACTION,
      uapi.NLM_F_CREATE | uapi.NLM_F_REPLACE,
      new Uint8Array(4),
      [action],
      'change a tc action',
    ),
  );
}

/** Deletes the filter and its action; one that is gone already, with its qdisc or interface, is fine. @throws SysError */
export function deleteAction(filter: TcFilter, netns?: Netns): void {
  try {
    withNetns(netns, () =>
      netlinkRequest(
        uapi.RTM_DELTFILTER,
        0,
        placeOf(filter),
        [{ type: uapi.TCA_KIND, value: 'matchall' }],
        'delete a tc filter',
      ),
    );
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) throw error;
  }
}

function actionAt({ ifindex, direction, priority, handle }: TcFilter, netns: Netns | undefined) {
  try {
    return withNetns(netns, () => tcFilters(ifindex, direction)).find(
      (each) => each.kind === 'matchall' && each.priority === priority && each.handle === handle,
    );
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENODEV')) return undefined;
    throw error;
  }
}

/** struct tcmsg of linux/rtnetlink.h */
function placeOf({ ifindex, direction, handle, priority }: TcFilter): Uint8Array {
  const view = new DataView(new ArrayBuffer(20));
  const side = direction === 'ingress' ? uapi.TC_H_MIN_INGRESS : uapi.TC_H_MIN_EGRESS;
  view.setInt32(4, ifindex, hostIsLittleEndian);
  view.setUint32(8, handle, hostIsLittleEndian);
  view.setUint32(12, ((uapi.TC_H_CLSACT & 0xffff0000) | side) >>> 0, hostIsLittleEndian);
  // TC_H_MAKE(priority, htons(ETH_P_ALL))
  const everything = new DataView(Uint8Array.of(0, uapi.ETH_P_ALL).buffer).getUint16(0, hostIsLittleEndian);
  view.setUint32(16, ((priority << 16) | everything) >>> 0, hostIsLittleEndian);
  return new Uint8Array(view.buffer);
}

/** @param index 0 for a new one */
function actionOf(program: Program, index: number): NetlinkAttribute[] {
  // struct tc_act_bpf: index, capab, action, refcnt, bindcnt. What the program returns is the verdict.
  const parameters = new Uint8Array(new Int32Array([index, 0, uapi.TC_ACT_PIPE, 0, 0]).buffer);
  return [
    { type: uapi.TCA_ACT_KIND, value: 'bpf' },
    {
      type: uapi.TCA_ACT_OPTIONS,
      value: [
        { type: uapi.TCA_ACT_BPF_PARMS, value: parameters },
        { type: uapi.TCA_ACT_BPF_FD, value: program.fd.value },
        { type: uapi.TCA_ACT_BPF_NAME, value: programLabel(program) },
      ],
    },
  ];
}

function addMatchAll(program: Program, filter: TcFilter, where: string): void {
  const actions = [{ type: 1, value: actionOf(program, 0) }];
  try {
    netlinkRequest(
      uapi.RTM_NEWTFILTER,
      uapi.NLM_F_CREATE | uapi.NLM_F_EXCL,
      placeOf(filter),
      [
        { type: uapi.TCA_KIND, value: 'matchall' },
        { type: uapi.TCA_OPTIONS, value: [{ type: uapi.TCA_MATCHALL_ACT, value: actions }] },
      ],
      `add an action to ${where}`,
    );
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new NetkitError('unsupported', 'this kernel has no tc filter matchall, or no tc action bpf', {
      hint: 'the modules are cls_matchall and act_bpf',
      cause: error,
    });
  }
}
