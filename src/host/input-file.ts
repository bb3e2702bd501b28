/** Files that are read as they come: opening and reading them never holds up a thread, so that a signal ends the wait. */
import { closeSync, constants, createReadStream, fstatSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { NetkitError } from '../base/errors.js';
import { fileError } from './file-errors.js';

/** A regular file by its descriptor, which belongs to the taker; anything else as a stream. */
export type Input =
  | { readonly kind: 'file'; readonly fd: number }
  | { readonly kind: 'stream'; readonly stream: Readable };

const standardInputNames: ReadonlySet<string> = new Set(['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']);

/** Whether a path is a name of standard input, and that is no regular file: it is best read where it is open already. */
export function namesStandardInput(path: string): boolean {
  if (!standardInputNames.has(path)) return false;
  try {
    return !fstatSync(0).isFile();
  } catch {
    return false;
  }
}

/**
 * Opens a file, pipe or device for reading. A pipe is waited for in the event loop: for its writer, and for what that
 * writes; destroying the stream ends the wait.
 * @param pieceBytes bytes that are read of a device at a time
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a directory
 */
export async function openInput(path: string, pieceBytes: number): Promise<Input> {
  const fd = open(path);
  const found = fstatSync(fd);
  if (found.isFile()) return { kind: 'file', fd };
  if (found.isFIFO() || found.isSocket()) {
    const { Socket } = await import('node:net');
    return { kind: 'stream', stream: new Socket({ fd, readable: true, writable: false }) };
  }
  const { isatty, ReadStream } = await import('node:tty');
  if (isatty(fd)) return { kind: 'stream', stream: new ReadStream(fd) };
  return { kind: 'stream', stream: createReadStream(path, { fd, highWaterMark: pieceBytes }) };
}

function open(path: string): number {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  throw new NetkitError('usage', `cannot read '${path}': it is a directory`, { details: { path } });
}
