import { readdirSync, statSync } from 'node:fs';
import { currentNetns, currentNetnsInode, listNetns, Netns, netnsDirectory, openSameNetns } from './netns.js';

/**
 * Opens the network namespace with this inode, wherever a name, this thread or a process still holds it; `undefined`
 * when nothing that may be looked at does. The inode of a namespace that is gone may be given to a new one: compare
 * something else too where that matters.
 */
export function openNetnsByInode(inode: number): Netns | undefined {
  if (currentNetnsInode() === inode) return Netns.open('/proc/thread-self/ns/net');
  const named = listNetns().find((entry) => entry.inode === inode);
  if (named !== undefined) return Netns.open(`${netnsDirectory}/${named.name}`, named.name);
  for (const pid of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(pid)) continue;
    const path = `/proc/${pid}/ns/net`;
    try {
      if (statSync(path).ino === inode) return Netns.open(path);
    } catch {
      // The process ended, or is not ours to look at.
    }
  }
  return undefined;
}

/**
 * The first network namespace that `fits`, among `first` (when given), the current one, those with a name, and those of
 * processes; each is looked at once. The one that comes back is the caller's to dispose of.
 */
export function findNetns(fits: (netns: Netns) => boolean, first?: Netns): Netns | undefined {
  const seen = new Set<number>();
  for (const open of candidates(first)) {
    const netns = openQuietly(open);
    if (netns === undefined) continue;
    const isNew = !seen.has(netns.inode);
    seen.add(netns.inode);
    if (isNew && fits(netns)) return netns;
    netns[Symbol.dispose]();
  }
  return undefined;
}

/** Every network namespace that can be found, each once and opened; they are the caller's to dispose of. */
export function everyNetns(): Netns[] {
  const found = new Map<number, Netns>();
  for (const open of candidates(undefined)) {
    const netns = openQuietly(open);
    if (netns === undefined) continue;
    if (found.has(netns.inode)) netns[Symbol.dispose]();
    else found.set(netns.inode, netns);
  }
  return [...found.values()];
}

function* candidates(first: Netns | undefined): Generator<() => Netns> {
  if (first !== undefined) yield () => openSameNetns(first);
  yield currentNetns;
  for (const { name } of listNetns()) yield () => Netns.open(`${netnsDirectory}/${name}`, name);
  for (const pid of readdirSync('/proc')) {
    if (/^[0-9]+$/.test(pid)) yield () => Netns.open(`/proc/${pid}/ns/net`);
  }
}

/** Undefined for what ended meanwhile, or is not ours to look at. */
function openQuietly(open: () => Netns): Netns | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
