/** Members of the chain of XDP programs on an interface, which libxdp's tools see and change as well. */
import { dirname } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { type Chain, readChain } from '../../ebpf/dispatcher/chain.js';
import { changeChain } from '../../ebpf/dispatcher/change.js';
import { loadMember } from '../../ebpf/dispatcher/member.js';
import { linkPin } from '../../ebpf/dispatcher/place.js';
import { Link } from '../../ebpf/link.js';
import { exists } from '../../host/folders.js';
import { chainFamily } from '../chain/family.js';
import { leaveChains } from '../chain/leave.js';
import { marksOf, memberPin } from '../chain/member.js';
import { bpffsOf } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { steppingStone } from '../stepping-stone.js';
import { namespaceOf, reopenNamespace } from '../targets/namespace.js';

type DispatcherLink = LinkOf<'xdp-chain'>;

export const xdpChainFamily = chainFamily<DispatcherLink, Parameters<typeof loadMember>[1]>({
  family: 'xdp-chain',
  linkType: 'tracing',
  about: '',
  load: loadMember,
  change(folder, link, edit) {
    const { ifname, ifindex, netns: recorded } = link.target;
    using netns = namespaceOf(recorded, ifname);
    const place = { ifname, ifindex, netns, bpffs: bpffsOf(folder) };
    return changeChain(place, { mode: link.mode, marks: marksOf(folder, link), step: steppingStone }, edit);
  },
  leave(folder, link, programId) {
    const { present, netns: opened } = reopenNamespace(link.target.netns);
    using netns = opened;
    const hint = present ? { ifname: link.target.ifname, netns } : undefined;
    const bpffs = bpffsOf(folder);
    if (exists(dirname(memberPin(folder, link)))) leaveChains(bpffs, programId, marksOf(folder, link), hint);
    // Somebody removed the function's pins, which are not all that holds a member.
    else if (dispatcherOf(link, bpffs)?.members?.some(({ program }) => program?.id === programId) === true)
      leaveChains(bpffs, programId, undefined, hint);
  },
  members: (link, bpffs) => dispatcherOf(link, bpffs)?.members,
  linkOf(link, bpffs, programId) {
    const chain = dispatcherOf(link, bpffs);
    const slot = chain?.members?.find(({ program }) => program?.id === programId)?.slot;
    if (chain === undefined || slot === undefined) return undefined;
    const pin = linkPin(chain.folder, slot);
    try {
      using attached = Link.fromPin(pin);
      return { pin, info: attached.info() };
    } catch (error) {
      // Somebody changes the chain just now.
      if (error instanceof NetkitError) return undefined;
      throw error;
    }
  },
  // `xdp/dispatch-IFINDEX-ID/PIN`
  bpffsOfPin: (pin) => dirname(dirname(dirname(pin))),
});

/** What is on the interface, if that is a chain. */
export function dispatcherOf(
  { target: { ifname, ifindex, netns: recorded } }: DispatcherLink,
  bpffs: string,
): Chain | undefined {
  const { present, netns: opened } = reopenNamespace(recorded);
  if (!present) return undefined;
  using netns = opened;
  const found = readChain({ ifname, ifindex, netns, bpffs });
  return found?.kind === 'chain' ? found : undefined;
}
