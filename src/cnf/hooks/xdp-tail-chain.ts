/** Members of a chain of XDP programs by tail calls, on machines where there can be none after libxdp's protocol. */

import { readTailChain, type TailChain } from '../../ebpf/tail-chain/chain.js';
import { changeTailChain, leaveTailChains } from '../../ebpf/tail-chain/change.js';
import { loadTailMember, type TailSlot } from '../../ebpf/tail-chain/member.js';
import { chainPins, tailChainFolder } from '../../ebpf/tail-chain/place.js';
import { chainFamily } from '../chain/family.js';
import { bpffsOf } from '../layout.js';
import type { LinkOf } from '../link-state.js';
import { steppingStone } from '../stepping-stone.js';
import { namespaceOf } from '../targets/namespace.js';

type TailLink = LinkOf<'xdp-tail-chain'>;

export const xdpTailChainFamily = chainFamily<TailLink, TailSlot>({
  family: 'xdp-tail-chain',
  linkType: 'xdp',
  about: 'chain by tail calls, ',
  load: loadTailMember,
  change(folder, link, edit) {
    const { ifname, ifindex, netns: recorded } = link.target;
    using netns = namespaceOf(recorded, ifname);
    const place = { ifname, ifindex, netnsInode: recorded.inode, netns, bpffs: bpffsOf(folder) };
    return changeTailChain(place, { mode: link.mode, step: steppingStone }, edit);
  },
  leave: (folder, _link, programId) => {
    leaveTailChains(bpffsOf(folder), programId, steppingStone);
  },
  members: (link, bpffs) => chainOf(link, bpffs)?.members,
  // The one link of the chain is no member's own.
  linkOf: (link, bpffs) => ({ pin: chainPins(folderOf(link, bpffs)).root, info: undefined }),
});

function folderOf({ target: { ifindex, netns } }: TailLink, bpffs: string): string {
  return tailChainFolder({ bpffs, ifindex, netnsInode: netns.inode });
}

function chainOf(link: TailLink, bpffs: string): TailChain | undefined {
  return readTailChain(folderOf(link, bpffs));
}
