import { programTypes } from '../base/kernel-words.js';

type TypeWord = (typeof programTypes)[number];

/** How programs of a type are run on a packet, and what they answer. */
export interface PacketType {
  /** The kernel's names of verdicts, in lower case. */
  readonly verdicts: Readonly<Record<number, string>>;
  /** Verdicts are signed: -1 is a verdict of tc. */
  readonly signed: boolean;
  /** The kernel gives the packet back, as the program left it. */
  readonly packetOut: boolean;
}

// linux/pkt_cls.h; -1 is TC_ACT_UNSPEC, which in tcx is called next.
const tc: PacketType = {
  verdicts: {
    '-1': 'next',
    0: 'ok',
    1: 'reclassify',
    2: 'shot',
    3: 'pipe',
    4: 'stolen',
    5: 'queued',
    6: 'repeat',
    7: 'redirect',
    8: 'trap',
  },
  signed: true,
  packetOut: true,
};

// enum bpf_ret_code
const lwt: PacketType = {
  verdicts: { 0: 'ok', 2: 'drop', 7: 'redirect', 128: 'reroute' },
  signed: true,
  packetOut: true,
};

/** The program types that the kernel runs on a packet alone. */
export const packetTypes: { readonly [type in TypeWord]?: PacketType } = {
  xdp: {
    verdicts: { 0: 'aborted', 1: 'drop', 2: 'pass', 3: 'tx', 4: 'redirect' },
    signed: false,
    packetOut: true,
  },
  sched_cls: tc,
  sched_act: tc,
  lwt_in: lwt,
  lwt_out: lwt,
  lwt_xmit: lwt,
  lwt_seg6local: lwt,
  // What a socket filter returns is how many bytes to keep.
  socket_filter: { verdicts: {}, signed: false, packetOut: true },
  cgroup_skb: { verdicts: { 0: 'drop', 1: 'pass' }, signed: true, packetOut: true },
  flow_dissector: { verdicts: { 0: 'ok', 2: 'drop', 129: 'continue' }, signed: true, packetOut: false },
  netfilter: { verdicts: { 0: 'drop', 1: 'accept' }, signed: true, packetOut: false },
};

/** The entry of a type by its word, as the kernel's info of a program has it. */
export function packetType(word: string): PacketType | undefined {
  const type = programTypes.find((candidate) => candidate === word);
  return type === undefined ? undefined : packetTypes[type];
}

/** A program's 32-bit answer as a number of its type, and its name. */
export function readVerdict(type: PacketType, returned: number): { verdict: number; name: string | null } {
  const verdict = type.signed ? returned | 0 : returned >>> 0;
  return { verdict, name: type.verdicts[verdict] ?? null };
}
