/** The file that is meant by the name of a program or library. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { fileError } from './file-errors.js';

const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
const libraryFolders = [
  `/lib/${triplet}`,
  `/usr/lib/${triplet}`,
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
  '/usr/local/lib',
];
const programFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The path of a binary: what has a slash is one; a name with `.so` is looked for where libraries are, any other in PATH and
 * the system's folders.
 * @throws NetkitError `not-found`
 */
export function findBinary(name: string): string {
  if (name.includes('/')) return name;
  const folders = /\.so(\.|$)/.test(name)
    ? libraryFolders
    : [...(process.env['PATH'] ?? '').split(':').filter((folder) => folder !== ''), ...programFolders];
  const path = folders.map((folder) => join(folder, name)).find(isFile);
  if (path !== undefined) return path;
  throw new NetkitError('not-found', `there is no program or library '${name}'`, {
    hint: 'give its path',
  });
}

/** Reads a whole binary. @throws NetkitError `not-found`, `not-permitted`; `bad-object` when it is no regular file */
export function readBinary(path: string): Uint8Array {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new NetkitError('bad-object', `${path}: not a regular file`);
  try {
    return readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
