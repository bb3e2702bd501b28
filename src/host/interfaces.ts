import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { interfaceIndex, interfaceNames } from '../sys/libc.js';
import { currentNetnsInode, firstNetnsInode, listNetns, type Netns, openNetns, withNetns } from './netns.js';

/** A network interface; an ifindex means nothing without its namespace. */
export interface Interface {
  readonly ifname: string;
  readonly ifindex: number;
  /** Inode of the network namespace it is in. */
  readonly netnsInode: number;
}

/**
 * The interface `ifname` in `netns`, or in the current namespace.
 *
 * Throws 'not-found', with a hint that says in which other namespace it is or which name was probably meant.
 */
export function findInterface(ifname: string, netns?: Netns): Interface {
  const [ifindex, known] = withNetns(netns, () => {
    const index = interfaceIndex(ifname);
    return [index, index === undefined ? interfaceNames() : []] as const;
  });
  const netnsInode = netns?.inode ?? currentNetnsInode();
  if (ifindex !== undefined) return { ifname, ifindex, netnsInode };
  const where = netns === undefined ? '' : ` in netns '${netns.name ?? netns.path}'`;
  const names = known.map(({ name }) => name);
  throw new NetkitError('not-found', `no interface '${ifname}'${where}`, {
    hint: elsewhereHint(ifname, netnsInode) ?? suggestion(ifname, names),
    details: { ifname, netns: netnsInode },
  });
}

function elsewhereHint(ifname: string, searchedInode: number): string | undefined {
  const ownInode = currentNetnsInode();
  const hasIt = (ref: string): boolean => {
    try {
      using netns = openNetns(ref);
      return withNetns(netns, () => interfaceIndex(ifname)) !== undefined;
    } catch {
      // A namespace that may not be entered, or that is gone by now, gives no hint.
      return false;
    }
  };
  if (searchedInode !== ownInode && interfaceIndex(ifname) !== undefined) {
    return 'it exists in the namespace of this process: leave --netns out';
  }
  const named = listNetns().filter((entry) => entry.inode !== searchedInode);
  const name = named.find((entry) => hasIt(entry.name))?.name;
  if (name !== undefined) return `it exists in netns '${name}': add --netns ${name}`;
  const first = firstNetnsInode();
  if (first === undefined || first === searchedInode || first === ownInode || !hasIt('1')) return undefined;
  return 'it exists in the first network namespace: add --netns 1';
}

/** All interfaces of `netns`, or of the current namespace, by their indices. */
export function listInterfaces(netns?: Netns): Interface[] {
  const netnsInode = netns?.inode ?? currentNetnsInode();
  return withNetns(netns, interfaceNames)
    .map(({ name, index }) => ({ ifname: name, ifindex: index, netnsInode }))
    .sort((one, other) => one.ifindex - other.ifindex);
}
