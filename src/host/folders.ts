/** Folders and what is in them, by whoever makes and removes pins: what is there already, or gone already, is fine. */
import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError, fileErrorCode } from './file-errors.js';

/** Names in a folder, sorted; none when it does not exist. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT' || fileErrorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** A symbolic link exists, wherever it leads. */
export function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Makes a folder and those above it. @throws NetkitError */
export function makeFolder(path: string): void {
  if (exists(path)) return;
  // mkdir's own `recursive` tells of a read-only file system that there is no such directory.
  if (!exists(dirname(path))) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (fileErrorCode(error) !== 'EEXIST') throw fileError(error, 'make', path);
  }
}

/** Removes a folder unless something is in it. */
export function removeIfEmpty(folder: string): void {
  // Looked at first: a read-only file system only says that it is one, also where there is nothing to remove.
  if (!exists(folder) || namesIn(folder).length > 0) return;
  try {
    rmdirSync(folder);
  } catch (error) {
    // Somebody else was faster, with the folder or with something in it.
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(fileErrorCode(error) ?? '')) throw error;
  }
}

/** Removes a file, such as a pin. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (fileErrorCode(error) !== 'ENOENT') throw error;
  }
}
