/** The pins of a dispatcher's members, and the marks by which a killed change is found again. */
import { lstatSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn, removeFile, removeIfEmpty } from '../../host/folders.js';
import type { BuiltDispatcher } from './build.js';
import { type ChainPlace, chainsFolder, dispatcherOf, linkPin, programPin } from './place.js';

/**
 * Where a change leaves word of the folders that it makes and gives up: symbolic links on the same bpffs. What is marked
 * and is not on the interface when a change ends, however that was, may be removed.
 */
export interface Marks {
  /** A folder that exists. */
  readonly folder: string;
  /** Begins the names of the marks. */
  readonly name: string;
}

/** Pins each member. `step` is called after each, for tests that stop a change halfway. */
export function pinMembers(folder: string, { members }: BuiltDispatcher, step: () => void): void {
  mkdirSync(folder, { mode: 0o700 });
  for (const [slot, { program, link }] of members.entries()) {
    program.pin(programPin(folder, slot));
    link.pin(linkPin(folder, slot));
    step();
  }
}

/** Removes a dispatcher's pins and their folder; one that is gone already, wholly or in part, is fine. */
export function removePins(folder: string): void {
  for (const name of namesIn(folder)) {
    // Whatever else somebody put there keeps the folder.
    if (/^prog\d-(prog|link)$/.test(name)) removeFile(join(folder, name));
  }
  removeIfEmpty(folder);
}

export function mark({ folder, name }: Marks, which: 'new' | 'old', target: string): void {
  const path = join(folder, `${name}-${which}`);
  removeFile(path);
  symlinkSync(target, path);
}

/** Removes the pins of one member of a chain that is on no interface any more, and the folder when it was the last. */
export function dropMember(folder: string, slot: number): void {
  removeFile(linkPin(folder, slot));
  removeFile(programPin(folder, slot));
  removeIfEmpty(folder);
}

/**
 * Removes what marks name, but for the dispatcher that is on the interface, and the marks themselves.
 * @param isCurrent whether the dispatcher of this id is on the interface of this index
 */
export function sweepMarks(
  place: Pick<ChainPlace, 'bpffs'>,
  { folder, name }: Marks,
  isCurrent: (id: number, ifindex: number) => boolean,
): void {
  for (const which of ['new', 'old']) {
    const path = join(folder, `${name}-${which}`);
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const target = readlinkSync(path);
    const named = dirname(target) === chainsFolder(place.bpffs) ? dispatcherOf(target) : undefined;
    if (named !== undefined && !isCurrent(named.id, named.ifindex)) removePins(target);
    removeFile(path);
  }
}
