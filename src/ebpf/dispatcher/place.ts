/** Where the chain of an interface is: on the interface, and as pins in a bpf file system. */
import { join } from 'node:path';
import type { Netns } from '../../host/netns.js';

/** The interface that a chain is on, and the bpf file system that its pins are in. */
export interface ChainPlace {
  /** For messages: interfaces are renamed. */
  readonly ifname: string;
  readonly ifindex: number;
  /** The namespace that the interface is in; the current one when left out. */
  readonly netns?: Netns | undefined;
  /** A directory of a mounted bpffs. libxdp's own is /sys/fs/bpf, or what `LIBXDP_BPFFS` names. */
  readonly bpffs: string;
}

/** The folder that all tools share; whoever changes a chain holds the lock on it. */
export function chainsFolder(bpffs: string): string {
  return join(bpffs, 'xdp');
}

/** The folder of one dispatcher's pins. Ids of programs are unique, so interfaces of different namespaces do not collide. */
export function dispatcherFolder(
  { bpffs, ifindex }: Pick<ChainPlace, 'bpffs' | 'ifindex'>,
  dispatcherId: number,
): string {
  return join(chainsFolder(bpffs), `dispatch-${ifindex}-${dispatcherId}`);
}

/** The dispatcher whose folder that is; undefined for another folder. */
export function dispatcherOf(folder: string): { readonly ifindex: number; readonly id: number } | undefined {
  const [, ifindex, id] = /\/xdp\/dispatch-(\d{1,10})-(\d{1,10})$/.exec(folder) ?? [];
  return ifindex === undefined || id === undefined ? undefined : { ifindex: Number(ifindex), id: Number(id) };
}

export function programPin(folder: string, slot: number): string {
  return join(folder, `prog${slot}-prog`);
}

export function linkPin(folder: string, slot: number): string {
  return join(folder, `prog${slot}-link`);
}
