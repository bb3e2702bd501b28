/** How the kernel has an attachment, as far as it tells. */
import { NetkitError } from '../../base/errors.js';
import { occupantOf } from '../../ebpf/dispatcher/chain.js';
import { dispatcherOf } from '../hooks/xdp-chain.js';
import { tailChainOf } from '../hooks/xdp-tail-chain.js';
import type { LinkState } from '../link-state.js';
import { reopenNamespace } from '../targets/namespace.js';

/** Undefined what the kernel does not tell, or the attachment does not have. */
export interface SeenOptions {
  readonly mode: string | undefined;
  readonly priority: number | undefined;
  readonly proceedOn: readonly string[] | undefined;
}

const nothing: SeenOptions = { mode: undefined, priority: undefined, proceedOn: undefined };

/** @param programId of the program that runs there */
export function seenOptions(link: LinkState, programId: number | undefined, bpffs: string): SeenOptions {
  try {
    switch (link.family) {
      case 'xdp':
        return { ...nothing, mode: xdpMode(link.target) };
      case 'xdp-chain': {
        const chain = dispatcherOf(link, bpffs);
        const member = chain?.members?.find(({ program }) => program?.id === programId);
        return { mode: chain?.mode, priority: member?.priority, proceedOn: member?.proceedOn };
      }
      case 'xdp-tail-chain': {
        const member = tailChainOf(link, bpffs)?.members.find(({ program }) => program?.id === programId);
        return { mode: xdpMode(link.target), priority: member?.priority, proceedOn: member?.proceedOn };
      }
      case 'tc':
      case 'tc-action':
        // The filter is found by its priority.
        return { ...nothing, priority: link.filter.priority };
      case 'netfilter':
        return { ...nothing, priority: link.priority };
      case 'tcx':
      case 'netkit-dev':
      case 'cgroup':
        // The kernel has an order and no priorities: as it was moved last.
        return { ...nothing, priority: link.order.priority };
      default:
        return nothing;
    }
  } catch (error) {
    if (error instanceof NetkitError && (error.code === 'not-found' || error.code === 'not-permitted'))
      return nothing;
    throw error;
  }
}

function xdpMode({
  ifname,
  ifindex,
  netns: recorded,
}: Extract<LinkState, { family: 'xdp' }>['target']): string | undefined {
  const { present, netns: opened } = reopenNamespace(recorded);
  if (!present) return undefined;
  using netns = opened;
  return occupantOf({ ifname, ifindex, netns })?.mode;
}
