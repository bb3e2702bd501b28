/** Where a function's pins are: `<bpffs>/netkit/<function>/{progs,maps,links,chain}/NAME`. */
import { dirname, join } from 'node:path';
import { pinName } from '../ebpf/kernel-object.js';
import { exists, namesIn, removeIfEmpty } from '../host/folders.js';

/** `chain`: programs as members of chains, by the names of their links, and marks of changes that are under way. */
export type PinFolder = 'progs' | 'maps' | 'links' | 'chain';

/** The folder of everything that netkit pins. */
export function netkitFolder(bpffs: string): string {
  return join(bpffs, 'netkit');
}

export function functionFolder(bpffs: string, functionName: string): string {
  return join(netkitFolder(bpffs), functionName);
}

/** The bpffs that a function's folder is on. */
export function bpffsOf(folder: string): string {
  return dirname(dirname(folder));
}

/** Where a replacement waits for its turn. No function's name begins with a plus sign. */
export function stagingFolder(bpffs: string, functionName: string): string {
  return join(netkitFolder(bpffs), `+${functionName}`);
}

/** Where the pins in `folder` wait for the end of the batch that removed them. No function's name begins so. */
export function asideFolder(folder: string, functionName: string, number: number): string {
  return join(dirname(folder), `~${number}-${functionName}`);
}

/** The folders of {@link asideFolder} that are there for a function. */
export function asideFolders(bpffs: string, functionName: string): string[] {
  const isIts = new RegExp(`^~\\d{1,9}-${functionName}$`);
  const folder = netkitFolder(bpffs);
  return namesIn(folder)
    .filter((name) => isIts.test(name))
    .map((name) => join(folder, name));
}

export function pinPath(folder: string, kind: PinFolder, name: string): string {
  return join(folder, kind, pinName(name));
}

/** Removes a function's folder, and then `<bpffs>/netkit`, if they are empty. */
export function removeEmptyFolders(functionsFolder: string): void {
  removeIfEmpty(functionsFolder);
  if (!exists(functionsFolder)) removeIfEmpty(dirname(functionsFolder));
}
