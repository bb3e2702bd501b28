/** Removing the pins of a function, with what they keep. */
import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Scope } from '../base/scope.js';
import type { KernelObject } from '../ebpf/kernel-object.js';
import { Link } from '../ebpf/link.js';
import { BpfMap } from '../ebpf/map.js';
import { Program } from '../ebpf/program.js';
import { makeFolder, namesIn } from '../host/folders.js';
import { leaveChains } from './chain/leave.js';
import { bpffsOf, type PinFolder, removeEmptyFolders } from './layout.js';
import { steppingStone } from './stepping-stone.js';

const openers: Record<PinFolder, (path: string) => KernelObject> = {
  progs: (path) => Program.fromPin(path),
  maps: (path) => BpfMap.fromPin(path),
  links: (path) => Link.fromPin(path),
  chain: (path) => Program.fromPin(path),
};

/**
 * Removes a function's folder with all pins, all or none: every object is held open meanwhile, and pinned again when a
 * pin cannot be removed. Links go last: detached, because their last reference would let go only later, and a detached
 * link cannot be brought back.
 */
export function removePins(folder: string): void {
  using scope = new Scope();
  const removed: [string, KernelObject | undefined][] = [];
  try {
    // A replacement's folder holds `old_progs` and `old_maps` too; whatever is in there, its pins are netkit's.
    for (const kind of linksLast(namesIn(folder))) {
      const below = join(folder, kind);
      if (!isFolder(below)) {
        // Nothing of netkit's; but the folder goes.
        unlinkSync(below);
        continue;
      }
      for (const name of namesIn(below)) {
        const path = join(below, name);
        const object = openQuietly(kind.replace(/^old_/, ''), path);
        if (object !== undefined) scope.use(object);
        if (object instanceof Link) detachQuietly(object);
        // Other pins keep it in its chain.
        if (kind === 'chain' && object instanceof Program) leaveChains(bpffsOf(folder), object.info().id);
        if (isFolder(path)) rmdirSync(path);
        else unlinkSync(path);
        removed.push([path, object]);
      }
      rmdirSync(below);
      steppingStone();
    }
  } catch (error) {
    for (const [path, object] of removed) {
      makeFolder(dirname(path));
      object?.pin(path);
    }
    throw error;
  }
  removeEmptyFolders(folder);
}

function linksLast(kinds: readonly string[]): string[] {
  return [...kinds.filter((kind) => kind !== 'links'), ...kinds.filter((kind) => kind === 'links')];
}

function isFolder(path: string): boolean {
  return lstatSync(path).isDirectory();
}

/** A pin that cannot be opened is still ours to remove; it only cannot be brought back. */
function openQuietly(kind: string, path: string): KernelObject | undefined {
  const open = openers[kind as PinFolder];
  try {
    return open?.(path);
  } catch {
    return undefined;
  }
}

function detachQuietly(link: Link): void {
  try {
    link.detach();
  } catch {
    // A kind without detach lets go when its last reference does.
  }
}
