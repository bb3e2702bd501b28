/** Members of a chain of XDP programs by tail calls, on machines where there can be none after libxdp's protocol. */

import { dirname } from 'node:path';
import { readTailChain, type TailChain } from '../../ebpf/tail-chain/chain.js';
import { changeTailChain, leaveTailChain } from '../../ebpf/tail-chain/change.js';
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
  leave: (folder, link, programId) => {
    leaveTailChain(folderOf(link, bpffsOf(folder)), programId, steppingStone);
  },
  members: (link, bpffs) => tailChainOf(link, bpffs)?.members,
  // The one link of the chain is no member's own.
  linkOf: (link, bpffs) => ({ pin: chainPins(folderOf(link, bpffs)).root, info: undefined }),
  // `netkit/_chain/PLACE/PIN`
  bpffsOfPin: (pin) => dirname(dirname(dirname(dirname(pin)))),
});

function folderOf({ target: { ifindex, netns } }: TailLink, bpffs: string): string {
  return tailChainFolder({ bpffs, ifindex, netnsInode: netns.inode });
}

/** The chain of the interface, if there is one. */
export function tailChainOf(link: TailLink, bpffs: string): TailChain | undefined {
  return readTailChain(folderOf(link, bpffs));
}
