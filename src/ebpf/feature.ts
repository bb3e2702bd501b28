/** What this kernel offers, found out by asking it. Only to explain a failure, to choose a hook, and for `doctor`. */
import { attachTypes, programTypes } from '../base/kernel-words.js';
import { interfaceIndex } from '../sys/libc.js';
import { bpf, loadInstructions } from '../sys/bpf.js';
import { Block } from '../sys/block.js';
import { isErrno } from '../sys/errno.js';
import type { Fd } from '../sys/fd.js';
import { attr } from '../sys/uapi.js';

export type HookName = 'xdp' | 'tcx/ingress' | 'tcx/egress' | 'tc/ingress' | 'tc/egress';

export interface Availability {
  readonly available: boolean;
  /** Why not, or the kernel version that brought it. */
  readonly reason: string;
}

const known = new Map<HookName, Availability>();

/** Whether the kernel has a hook. Probing attaches nothing and leaves nothing. Conclusive answers are kept. */
export function hookAvailable(hook: HookName): Availability {
  let answer = known.get(hook);
  if (answer === undefined) {
    answer = probe(hook);
    known.set(hook, answer);
  }
  return answer;
}

function probe(hook: HookName): Availability {
  switch (hook) {
    case 'xdp':
      return loadable('xdp', 'XDP links came with Linux 5.9');
    case 'tc/ingress':
    case 'tc/egress':
      return loadable('sched_cls', 'clsact came with Linux 4.5');
    case 'tcx/ingress':
    case 'tcx/egress':
      return queryable(hook === 'tcx/ingress' ? 'tcx_ingress' : 'tcx_egress', 'tcx came with Linux 6.6');
  }
}

/** `r0 = 0; exit` */
const twoInstructions = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

function loadable(type: (typeof programTypes)[number], since: string): Availability {
  try {
    using _program: Fd = loadInstructions(programTypes.indexOf(type), twoInstructions);
    return { available: true, reason: since };
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return { available: false, reason: `this kernel has no programs of type ${type}: ${since}` };
    if (isErrno(error, 'EPERM', 'EACCES')) return { available: false, reason: 'this user may not load programs' };
    throw error;
  }
}

/** Asks which programs are on the loopback's hook: a kernel without the hook calls the attach type invalid. */
function queryable(type: (typeof attachTypes)[number], since: string): Availability {
  const loopback = interfaceIndex('lo');
  if (loopback === undefined) return { available: false, reason: 'this network namespace has no loopback interface to ask about' };
  try {
    bpf('PROG_QUERY', new Block(attr.query, { target_ifindex: loopback, attach_type: attachTypes.indexOf(type) }), `query ${type}`);
    return { available: true, reason: since };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { available: true, reason: since };
    if (isErrno(error, 'EINVAL')) return { available: false, reason: `this kernel has no ${type}: ${since}` };
    if (isErrno(error, 'EPERM', 'EACCES')) return { available: false, reason: 'this user may not query programs' };
    throw error;
  }
}
