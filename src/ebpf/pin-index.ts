/** What is pinned where, whoever pinned it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { readInfo } from '../sys/bpf.js';
import { openAnyPin, type PinKind } from './kernel-object.js';

/** Paths of pins by the kernel's ids: of each object the first that was found. */
export interface PinIndex {
  readonly ofProgram: ReadonlyMap<number, string>;
  readonly ofLink: ReadonlyMap<number, string>;
}

/**
 * Looks at every pin below some bpf file systems. Opens each for a moment, which changes nothing; what this user may not
 * open, and what goes meanwhile, is left out.
 * @param roots mount points, or folders in a bpffs
 */
export function indexPins(roots: readonly string[]): PinIndex {
  const ofProgram = new Map<number, string>();
  const ofLink = new Map<number, string>();
  for (const path of roots.flatMap(pinsBelow)) {
    const found = identifyPin(path);
    if (found === undefined || found.kind === 'map') continue;
    const index = found.kind === 'program' ? ofProgram : ofLink;
    if (!index.has(found.id)) index.set(found.id, path);
  }
  return { ofProgram, ofLink };
}

/** A pin and what it holds. */
export interface PinnedObject {
  readonly path: string;
  readonly kind: PinKind;
  readonly id: number;
}

/** Paths of all pins below a folder of a bpf file system. */
export function pinsBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pinsBelow(path);
    // The kernel's own iterators, which it puts into each bpffs.
    return entry.isFile() && !entry.name.endsWith('.debug') ? [path] : [];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Gone, or not this user's to look at.
    return [];
  }
}

/** What a pin holds; undefined for what this user may not open, and what is gone or no pin. */
export function identifyPin(path: string): Omit<PinnedObject, 'path'> | undefined {
  try {
    const { fd, kind } = openAnyPin(path);
    using _owned = fd;
    if (kind === 'program') return { kind, id: readInfo(fd, 'progInfo').get('id') };
    if (kind === 'link') return { kind, id: readInfo(fd, 'linkInfo').get('id') };
    return kind === 'map' ? { kind, id: readInfo(fd, 'mapInfo').get('id') } : undefined;
  } catch (error) {
    if (error instanceof NetkitError) return undefined;
    throw error;
  }
}
