/** The network namespaces that targets are in: named by the user, found again from what is recorded. */
import { resolve } from 'node:path';
import { NetkitError } from '../../base/errors.js';
import { currentNetnsInode, type Netns, openNetns } from '../../host/netns.js';
import { openNetnsByInode } from '../../host/netns-search.js';
import type { NetnsState } from '../link-state.js';

/** Where the command looks for a target. */
export interface Where {
  /** The value of `--netns`. */
  readonly ref: string | undefined;
  /** That namespace, open; undefined for the current one. */
  readonly netns: Netns | undefined;
  /** Where pins are. */
  readonly bpffs: string;
  /** What is recorded is to be found again after a reboot. */
  readonly persist: boolean;
}

/** @throws NetkitError `usage` when what names the namespace would mean another one after a reboot */
export function recordedNetns({ ref, netns, persist }: Where): NetnsState {
  return { inode: netns?.inode ?? currentNetnsInode(), ref: lastingReference(ref, netns, persist) };
}

/** How to find the namespace again: by its name, or by a path that no working directory changes. */
function lastingReference(
  reference: string | undefined,
  netns: Netns | undefined,
  persist: boolean,
): string | null {
  if (reference === undefined) return null;
  if (reference.includes('/')) return resolve(reference);
  const isProcess = netns?.name === undefined;
  if (isProcess && persist) {
    throw new NetkitError(
      'usage',
      `the process ${reference} will be another one after a reboot: --persist cannot keep it`,
      { hint: 'name the network namespace, or give the path of its file' },
    );
  }
  return reference;
}

/** `present` is false when the namespace is gone. By what the user called it when that still is the same one, else by its inode. */
export function reopenNamespace({ ref, inode }: NetnsState): {
  readonly present: boolean;
  readonly netns: Netns | undefined;
} {
  if (ref !== null) {
    try {
      const netns = openNetns(ref);
      if (netns.inode === inode) return { present: true, netns };
      netns[Symbol.dispose]();
    } catch {
      // The name is gone; the namespace may not be.
    }
  }
  const netns = openNetnsByInode(inode);
  return { present: netns !== undefined, netns };
}

/** The namespace to act in. @throws NetkitError `not-found` when it is gone; `whose` says whose namespace it is */
export function namespaceOf(recorded: NetnsState, whose: string): Netns | undefined {
  const { present, netns } = reopenNamespace(recorded);
  if (present) return netns;
  throw new NetkitError('not-found', `the network namespace of ${whose} is gone`, {
    details: { inode: recorded.inode },
  });
}

/** The inode of the namespace that `--netns` names, or of the current one. @throws NetkitError `not-found` */
export function inodeMeant(reference: string | undefined): number {
  if (reference === undefined) return currentNetnsInode();
  using netns = openNetns(reference);
  return netns.inode;
}

/** After a reboot: the namespace of that name, or the one that this command runs in. @throws NetkitError `not-found` */
export function relocatedNetns({ ref }: NetnsState): NetnsState {
  return { inode: inodeMeant(ref ?? undefined), ref };
}
