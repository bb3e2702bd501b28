import { NetkitError } from '../../base/errors.js';
import { attachTypes } from '../../base/kernel-words.js';
import { type Netns, withNetns } from '../../host/netns.js';
import { createLink } from '../../sys/bpf.js';
import { isErrno } from '../../sys/errno.js';
import { uapi } from '../../sys/uapi.js';
import { Link } from '../link.js';
import type { Program } from '../program.js';
import { attempting } from './failure.js';
import { families, type NetfilterFamily, type NetfilterStage, stages } from './netfilter-words.js';

/** Where to attach with netfilter; made by {@link netfilter}. */
export interface NetfilterOptions {
  readonly hook: 'netfilter';
  readonly family: NetfilterFamily;
  readonly stage: NetfilterStage;
  /** -2^31+1 to 2^31-2: lower ones run first. iptables' filter table is at 0, its mangle table at -150. One program each. */
  readonly priority: number;
  /** Have the kernel put fragments together before the program sees them. Minimum kernel 6.6. */
  readonly defrag?: boolean | undefined;
  /** The current network namespace when left out. */
  readonly netns?: Netns | undefined;
}

/**
 * Where to attach with netfilter: between the tables of iptables and nftables, without a rule. For programs of type
 * `netfilter`, which accept or drop. Minimum kernel 6.4.
 */
export function netfilter(options: Omit<NetfilterOptions, 'hook'>): NetfilterOptions {
  return { hook: 'netfilter', ...options };
}

/** The kernel keeps the outermost two for itself, the first one, with defragmentation, up to where it does that. */
const lowest = -(2 ** 31) + 1;
const highest = 2 ** 31 - 2;

/** @internal */
export function attachNetfilter(program: Program, options: NetfilterOptions): Link {
  const { family, stage, priority, defrag, netns } = options;
  if (!Number.isInteger(priority) || priority < lowest || priority > highest) {
    throw new NetkitError(
      'bad-value',
      `the priority of a netfilter program must be a whole number from ${lowest} to ${highest}, not ${priority}`,
    );
  }
  const where = `netfilter ${stage} of ${family} at priority ${priority}`;
  const values = {
    prog_fd: program.fd.value,
    attach_type: attachTypes.indexOf('netfilter'),
    'netfilter.pf': families[family],
    'netfilter.hooknum': stages[stage],
    'netfilter.priority': priority,
    'netfilter.flags': defrag === true ? uapi.BPF_F_NETFILTER_IP_DEFRAG : 0,
  };
  const attempt = {
    program,
    where,
    hook: 'netfilter',
    taken: `another program is on ${where}: the kernel takes one for each priority`,
    unless: defrag === true ? 'putting fragments together came with Linux 6.6' : undefined,
  } as const;
  return withNetns(netns, () =>
    attempting(attempt, () => {
      try {
        return new Link(createLink(values, `attach to ${where}`));
      } catch (error) {
        if (!isErrno(error, 'ERANGE')) throw error;
        throw new NetkitError('bad-value', `the kernel keeps priority ${priority} for itself`, {
          hint: defrag === true ? 'fragments are put together at -400: take a higher one' : undefined,
          cause: error,
        });
      }
    }),
  );
}
