import { closeSync, fsyncSync, openSync, readdirSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileError, fileErrorCode } from './file-errors.js';
import { type Likeness, makeLike } from './output-target.js';

const temporaryName = /^\..+\.([1-9][0-9]*)-[0-9a-f]{8}\.tmp$/;

/**
 * Replaces the contents of `path` in one step, so that a reader or a crash sees the old or the new file, never a part:
 * written beside it, synced, renamed over it, directory synced. `like` says the new file's mode, whatever the umask, and
 * its owner. Another name of the old file (a hard link) keeps the old contents.
 *
 * Throws 'not-permitted', 'not-found' or 'failed'; the old file then stands and no temporary file is left. Those that
 * killed writers left in the directory are removed on the way.
 */
export function writeFileSynced(
  path: string,
  bytes: Uint8Array | string,
  like: Likeness = { mode: 0o600 },
): void {
  const directory = dirname(path);
  const temporary = temporaryBeside(path);
  try {
    removeStaleTemporaries(directory);
    writeSynced(temporary, bytes, like);
    try {
      renameSync(temporary, path);
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
    syncDirectory(directory);
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

/** A name in the same directory that is nobody's, by which {@link removeStaleTemporaries} knows the writer. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomHex()}.tmp`);
}

/** Makes what was created, renamed or removed in a directory survive a power cut. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Tells apart what one process writes; who guesses it gains nothing. node:crypto would take 3 ms to load. */
function randomHex(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

function writeSynced(path: string, bytes: Uint8Array | string, like: Likeness): void {
  const fd = openSync(path, 'wx', like.owner === undefined ? like.mode : 0o600);
  try {
    makeLike(fd, like);
    writeFileSync(fd, bytes);
    fsyncSync(fd);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Removes the temporaries that killed writers left in a directory. */
export function removeStaleTemporaries(directory: string): void {
  for (const name of readdirSync(directory)) {
    const writer = temporaryName.exec(name)?.[1];
    if (writer === undefined || isAlive(Number(writer))) continue;
    try {
      unlinkSync(join(directory, name));
    } catch (error) {
      if (fileErrorCode(error) !== 'ENOENT') throw error;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return fileErrorCode(error) !== 'ESRCH';
  }
}
