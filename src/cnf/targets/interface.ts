import { NetkitError } from '../../base/errors.js';
import { Scope } from '../../base/scope.js';
import { findInterface } from '../../host/interfaces.js';
import { currentNetnsInode, type Netns, openNetns } from '../../host/netns.js';
import type { TargetOf } from '../link-state.js';
import { inodeMeant, namespaceOf, recordedNetns, type Where } from './namespace.js';
import type { TargetKind, TargetWords } from './target-kind.js';

export type InterfaceTarget = TargetOf<'interface'>;

/** @throws NetkitError `not-found`, and `usage` for a namespace that could not be found again */
export function interfaceNamed(ifname: string, where: Where): InterfaceTarget {
  const { ifindex } = findInterface(ifname, where.netns);
  return { kind: 'interface', ifname, ifindex, netns: recordedNetns(where) };
}

/**
 * The namespace to attach in.
 * @throws NetkitError `not-found` when the namespace or the interface is gone, also when another one has its name by now
 */
export function namespaceWith({ ifname, ifindex, netns: recorded }: InterfaceTarget): Netns | undefined {
  using scope = new Scope();
  const netns = namespaceOf(recorded, ifname);
  if (netns !== undefined) scope.use(netns);
  if (findInterface(ifname, netns).ifindex !== ifindex) {
    throw new NetkitError(
      'not-found',
      `the interface '${ifname}' has gone: another one has its name by now`,
      {
        details: { ifname, ifindex },
      },
    );
  }
  scope.move();
  return netns;
}

export const interfaces: TargetKind<InterfaceTarget> = {
  kind: 'interface',
  same: (one, other) => one.ifindex === other.ifindex && one.netns.inode === other.netns.inode,
  text: ({ ifname }) => ifname,
  describe: ({ ifname, netns }) => `${ifname}${netns.ref === null ? '' : ` in netns ${netns.ref}`}`,
  whereabouts({ ifname, netns: { inode, ref } }, here) {
    if (inode === here) return ifname;
    return `${ifname}${ref === null ? ' in another network namespace' : ` in netns ${ref}`}`;
  },
  nameFor: ({ ifname }) => ifname,
  gone: 'the interface is gone',
  meant,
  relocate(target) {
    const { ref } = target.netns;
    using netns = ref === null ? undefined : openNetns(ref);
    const { ifindex, netnsInode } = findInterface(target.ifname, netns);
    return { ...target, ifindex, netns: { ref, inode: netnsInode } };
  },
};

/**
 * An interface's index means something in its own namespace only; a dead link is found by the name that its interface
 * had, wherever that was, unless this namespace has one of that name.
 */
function meant({ text, netns }: TargetWords): (target: InterfaceTarget) => boolean {
  const inode = netns === undefined ? currentNetnsInode() : inodeMeant(netns);
  if (text === undefined) return (target) => netns === undefined || target.netns.inode === inode;
  const ifindex = presentIndex(text, netns);
  const byNameAlone = netns === undefined && ifindex === undefined;
  return (target) =>
    target.netns.inode === inode
      ? target.ifname === text || target.ifindex === ifindex
      : byNameAlone && target.ifname === text;
}

/** The interface's index, or undefined when it is gone. */
function presentIndex(ifname: string, reference: string | undefined): number | undefined {
  try {
    using netns = reference === undefined ? undefined : openNetns(reference);
    return findInterface(ifname, netns).ifindex;
  } catch (error) {
    if (error instanceof NetkitError && error.code === 'not-found') return undefined;
    throw error;
  }
}
