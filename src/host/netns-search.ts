import { readdirSync, statSync } from 'node:fs';
import { currentNetnsInode, listNetns, Netns, netnsDirectory } from './netns.js';

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
