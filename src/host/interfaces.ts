import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { suggestion } from '../base/suggest.js';
import { interfaceIndex, interfaceName, interfaceNames } from '../sys/libc.js';
import { currentNetnsInode, firstNetnsInode, listNetns, type Netns, openNetns, withNetns } from './netns.js';

/** A network interface; an ifindex means nothing without its namespace. */
export interface Interface {
  readonly ifname: string;
  readonly ifindex: number;
  /** Inode of the network namespace it is in. */
  readonly netnsInode: number;
}

/** What sysfs tells about an interface; members that a driver does not offer are `undefined`. */
export interface InterfaceDetails {
  /** `up`, `down`, `unknown`, `lowerlayerdown`, … */
  readonly operstate: string | undefined;
  /** Bytes. */
  readonly mtu: number | undefined;
  /** Kernel driver of the device below it; `undefined` for virtual devices. */
  readonly driver: string | undefined;
  /** Hardware address, such as «02:00:00:00:00:01». */
  readonly address: string | undefined;
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

/** The interface with this index in `netns`, or in the current namespace; `undefined` when there is none. */
export function interfaceByIndex(ifindex: number, netns?: Netns): Interface | undefined {
  const ifname = withNetns(netns, () => interfaceName(ifindex));
  return ifname === undefined
    ? undefined
    : { ifname, ifindex, netnsInode: netns?.inode ?? currentNetnsInode() };
}

/** All interfaces of `netns`, or of the current namespace, also those that are down. */
export function listInterfaces(netns?: Netns): Interface[] {
  const netnsInode = netns?.inode ?? currentNetnsInode();
  return withNetns(netns, interfaceNames).map(({ index, name }) => ({
    ifname: name,
    ifindex: index,
    netnsInode,
  }));
}

/**
 * What sysfs tells about an interface. sysfs shows the namespace in which it was mounted, whatever namespace the
 * thread is in: `undefined` for an interface of any other.
 */
export function interfaceDetails(target: Interface): InterfaceDetails | undefined {
  if (target.netnsInode !== currentNetnsInode()) return undefined;
  const directory = `/sys/class/net/${target.ifname}`;
  if (readAttribute(directory, 'ifindex') !== String(target.ifindex)) return undefined;
  const mtu = readAttribute(directory, 'mtu');
  return {
    operstate: readAttribute(directory, 'operstate'),
    mtu: mtu === undefined ? undefined : Number(mtu),
    driver: driverOf(directory),
    address: readAttribute(directory, 'address'),
  };
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

function readAttribute(directory: string, name: string): string | undefined {
  try {
    return readFileSync(`${directory}/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function driverOf(directory: string): string | undefined {
  try {
    return basename(readlinkSync(`${directory}/device/driver`));
  } catch {
    return undefined;
  }
}
