/** What libbpf's netlink code cannot answer: is there a clsact qdisc, and is any filter on it? */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { attributesIn, numberOf, textOf } from './netlink-attributes.js';
import { type DumpedMessage, netlinkDump } from './netlink-dump.js';
import { uapi } from './uapi.js';

// linux/pkt_cls.h: enum of TCA_BPF_*
const TCA_BPF_NAME = 7;
const TCA_BPF_ID = 11;

// struct tcmsg of linux/rtnetlink.h: family, padding, ifindex, handle, parent, info
const tcMessageSize = 20;
const ifindexAt = 4;
const handleAt = 8;
const parentAt = 12;
const infoAt = 16;

/** True when a filter of any kind and owner is on the clsact qdisc's ingress or egress side. @throws SysError */
export function hasTcFilters(ifindex: number): boolean {
  return filterPriorities(ifindex, 'ingress').length + filterPriorities(ifindex, 'egress').length > 0;
}

/** A filter on one side of the clsact qdisc, whoever's it is. */
export interface TcFilterEntry {
  /** Lower ones run first. */
  readonly priority: number;
  readonly handle: number;
  /** `bpf`, `flower`, `u32`, … */
  readonly kind: string;
  /** Of kind `bpf`, or of the action of kind `bpf` behind a `matchall`; undefined for others, and for classic BPF. */
  readonly programId: number | undefined;
  /** What whoever made a filter or action of kind `bpf` called it. */
  readonly name: string | undefined;
  /** What tells the action of kind `bpf` behind a `matchall`. */
  readonly actionIndex?: number | undefined;
}

/** The filters on one side of the clsact qdisc, in the order in which they run; none where there is no qdisc. @throws SysError */
export function tcFilters(ifindex: number, direction: 'ingress' | 'egress'): TcFilterEntry[] {
  // Of each priority the kernel tells first that there is one, and then the filters.
  return filterMessages(ifindex, direction)
    .filter(({ handle }) => handle !== 0)
    .map(({ ifindex: _, parent: __, ...entry }) => entry);
}

/** The priorities of all filters on one side of the clsact qdisc; none where there is no qdisc. @throws SysError */
export function filterPriorities(ifindex: number, direction: 'ingress' | 'egress'): number[] {
  return filterMessages(ifindex, direction).map(({ priority }) => priority);
}

function filterMessages(ifindex: number, direction: 'ingress' | 'egress'): TcMessage[] {
  const side = direction === 'ingress' ? uapi.TC_H_MIN_INGRESS : uapi.TC_H_MIN_EGRESS;
  // TC_H_MAKE(TC_H_CLSACT, side)
  const parent = ((uapi.TC_H_CLSACT & 0xffff0000) | (side & 0xffff)) >>> 0;
  return dump(uapi.RTM_GETTFILTER, uapi.RTM_NEWTFILTER, ifindex, parent);
}

/**
 * The kind of the qdisc at the place of clsact: `clsact`, or `ingress`, its older form, which has no egress side and runs
 * filters put there on ingress. Undefined when there is none. @throws SysError
 */
export function clsactKind(ifindex: number): string | undefined {
  // Kernels may dump the qdiscs of every interface, whichever was asked for.
  return dump(uapi.RTM_GETQDISC, uapi.RTM_NEWQDISC, ifindex, 0).find(
    (message) => message.ifindex === ifindex && message.parent === uapi.TC_H_CLSACT,
  )?.kind;
}

interface TcMessage {
  readonly ifindex: number;
  readonly parent: number;
  readonly handle: number;
  /** Of a filter; the upper half of tcm_info. */
  readonly priority: number;
  /** Empty when the message has none. */
  readonly kind: string;
  readonly programId: number | undefined;
  readonly name: string | undefined;
  /** What tells the action of a `matchall` filter, where that is a program. */
  readonly actionIndex?: number | undefined;
}

/** Dumps the tc objects of an interface; none where it has no such qdisc. @throws SysError */
function dump(request: number, answer: number, ifindex: number, parent: number): TcMessage[] {
  const question = new DataView(new ArrayBuffer(tcMessageSize));
  question.setUint32(ifindexAt, ifindex, littleEndian);
  question.setUint32(parentAt, parent, littleEndian);
  const fixed = new Uint8Array(question.buffer);
  return netlinkDump({ request, answer, fixed }, 'read tc objects').map((message) => ({
    ifindex: message.fixed.getUint32(ifindexAt, littleEndian),
    parent: message.fixed.getUint32(parentAt, littleEndian),
    handle: message.fixed.getUint32(handleAt, littleEndian),
    priority: message.fixed.getUint32(infoAt, littleEndian) >>> 16,
    ...describedIn(message),
  }));
}

type Described = Pick<TcMessage, 'kind' | 'programId' | 'name' | 'actionIndex'>;

function describedIn({ attributes }: DumpedMessage): Described {
  const kind = textOf(attributes.get(uapi.TCA_KIND)) ?? '';
  const inner = attributesIn(attributes.get(uapi.TCA_OPTIONS));
  if (kind === 'matchall') return { kind, ...actionIn(inner.get(uapi.TCA_MATCHALL_ACT)) };
  if (kind !== 'bpf') return { kind, programId: undefined, name: undefined };
  return { kind, programId: numberOf(inner.get(TCA_BPF_ID)), name: textOf(inner.get(TCA_BPF_NAME)) };
}

/** The first action of a filter, where that is a program. */
function actionIn(actions: DataView | undefined): Omit<Described, 'kind'> {
  const first = attributesIn(attributesIn(actions).get(1));
  const options = attributesIn(first.get(uapi.TCA_ACT_OPTIONS));
  if (textOf(first.get(uapi.TCA_ACT_KIND)) !== 'bpf') return { programId: undefined, name: undefined };
  return {
    programId: numberOf(options.get(uapi.TCA_ACT_BPF_ID)),
    name: textOf(options.get(uapi.TCA_ACT_BPF_NAME)),
    // struct tc_act_bpf begins with it.
    actionIndex: numberOf(options.get(uapi.TCA_ACT_BPF_PARMS)),
  };
}
