/** Where a chain by tail calls is pinned: `<bpffs>/netkit/_chain/<namespace>-<ifindex>/`. */
import { join } from 'node:path';
import type { Netns } from '../../host/netns.js';

/** An interface, and the bpf file system that netkit's pins are in. */
export interface TailPlace {
  /** For messages: interfaces are renamed. */
  readonly ifname: string;
  readonly ifindex: number;
  /** The inode of the network namespace: an ifindex means something in its own namespace only. */
  readonly netnsInode: number;
  /** That namespace, open; the current one when left out. */
  readonly netns?: Netns | undefined;
  readonly bpffs: string;
}

/** The folder of all such chains. No function's name begins with an underscore. */
export function tailChainsFolder(bpffs: string): string {
  return join(bpffs, 'netkit', '_chain');
}

export function tailChainFolder({
  bpffs,
  ifindex,
  netnsInode,
}: Pick<TailPlace, 'bpffs' | 'ifindex' | 'netnsInode'>): string {
  return join(tailChainsFolder(bpffs), `${netnsInode}-${ifindex}`);
}

/** The pins of one chain. */
export function chainPins(folder: string) {
  return {
    /** The link that has the root program on the interface. */
    root: join(folder, 'root'),
    programs: join(folder, 'programs'),
    way: join(folder, 'way'),
    order: join(folder, 'order'),
    first: join(folder, 'first'),
  };
}
