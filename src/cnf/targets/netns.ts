import { netnsName } from '../../host/netns.js';
import type { TargetOf } from '../link-state.js';
import { inodeMeant, recordedNetns, relocatedNetns, type Where } from './namespace.js';
import type { TargetKind } from './target-kind.js';

export type NetnsTarget = TargetOf<'netns'>;

/** The namespace of `--netns`, or the current one. @throws NetkitError `usage` when it could not be found again */
export function netnsMeant(where: Where): NetnsTarget {
  return { kind: 'netns', netns: recordedNetns(where) };
}

export const namespaces: TargetKind<NetnsTarget> = {
  kind: 'netns',
  same: (one, other) => one.netns.inode === other.netns.inode,
  text: () => null,
  describe: wordsFor,
  whereabouts: (target, here) => (target.netns.inode === here ? 'this network namespace' : wordsFor(target)),
  nameFor: ({ netns }) => netns.ref?.replaceAll(/[^\w+:-]/g, '-') ?? `${netns.inode}`,
  gone: 'the network namespace is gone',
  meant({ text, netns }) {
    if (text !== undefined) return () => false;
    const inode = inodeMeant(netns);
    return (target) => netns === undefined || target.netns.inode === inode;
  },
  relocate: (target) => ({ ...target, netns: relocatedNetns(target.netns) }),
};

function wordsFor({ netns: { inode, ref } }: NetnsTarget): string {
  if (ref !== null) return `netns ${ref}`;
  const name = netnsName(inode);
  if (name === undefined) return `network namespace ${inode}`;
  return name.startsWith('/') ? 'the first network namespace' : `netns ${name}`;
}
