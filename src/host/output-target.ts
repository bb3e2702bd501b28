/** Where a file that the user named is to be written. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetkitError } from '../base/errors.js';
import { fileError, fileErrorCode } from './file-errors.js';

/** Between two looks whether a named pipe has got a reader. */
const readerPollMs = 20;
/** As many symbolic links as the kernel follows. */
const mostLinks = 40;

/** What the new file takes over from the one in whose place it comes. */
export interface Likeness {
  readonly mode: number;
  /** Absent for a file that is new. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export interface OutputTarget {
  /** Behind all symbolic links, also where the last one names a file that is still to be made. */
  readonly path: string;
  /** False for a pipe or device, which is written to as it is. */
  readonly isFile: boolean;
  readonly like: Likeness;
}

/** @throws NetkitError `not-permitted`, `usage` for links in a loop */
export function outputTarget(path: string): OutputTarget {
  try {
    const found = lookAt(path);
    if (found === undefined) {
      return { path: endOfLinks(path), isFile: true, like: { mode: 0o666 & ~process.umask() } };
    }
    const { uid, gid } = found;
    const isFile = found.isFile();
    return {
      path: isFile ? realpathSync(path) : path,
      isFile,
      like: { mode: found.mode & 0o777, owner: { uid, gid } },
    };
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** What a link to nothing names. */
function endOfLinks(path: string): string {
  let end = path;
  for (let count = 0; count < mostLinks; count++) {
    if (lstatSync(end, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return end;
    // `..` in a link means the parent of the directory that the link really is in.
    end = resolve(realpathSync(dirname(end)), readlinkSync(end));
  }
  return end;
}

/** Gives a file that is being made the mode, and where this process may, the owner that it is to have. */
export function makeLike(fd: number, { mode, owner }: Likeness): void {
  if (owner !== undefined) {
    const { uid, gid } = fstatSync(fd);
    // Only root may give files away; a member of the group may keep that.
    if ((uid !== owner.uid || gid !== owner.gid) && !changeOwner(fd, owner.uid, owner.gid))
      changeOwner(fd, uid, owner.gid);
  }
  fchmodSync(fd, mode);
}

function changeOwner(fd: number, uid: number, gid: number): boolean {
  try {
    fchownSync(fd, uid, gid);
    return true;
  } catch (error) {
    if (fileErrorCode(error) === 'EPERM' || fileErrorCode(error) === 'EINVAL') return false;
    throw error;
  }
}

/** A pipe or device, open for writing. Waiting for its reader never holds up a thread. */
export class OutputDevice implements Disposable {
  readonly #path: string;
  readonly #fd: number;
  readonly #signal: AbortSignal | undefined;
  /** Absent for what takes bytes at once, such as `/dev/null`. */
  readonly #stream: Writable | undefined;

  private constructor(path: string, fd: number, stream: Writable | undefined, signal?: AbortSignal) {
    this.#path = path;
    this.#fd = fd;
    this.#stream = stream;
    this.#signal = signal;
    // Each write tells its own failure.
    stream?.on('error', () => undefined);
  }

  /** A named pipe is open when it has a reader. @throws NetkitError `not-permitted`, `interrupted` by the signal */
  static async open(path: string, signal?: AbortSignal): Promise<OutputDevice> {
    const fd = await openForWriting(path, signal);
    const found = fstatSync(fd);
    if (found.isFIFO() || found.isSocket()) {
      const { Socket } = await import('node:net');
      return new OutputDevice(path, fd, new Socket({ fd, readable: false, writable: true }), signal);
    }
    const { isatty, WriteStream } = await import('node:tty');
    return new OutputDevice(path, fd, isatty(fd) ? new WriteStream(fd) : undefined, signal);
  }

  /** @returns false when nobody reads any more. @throws NetkitError `failed`, `interrupted` by the signal */
  async write(bytes: Uint8Array): Promise<boolean> {
    try {
      const stream = this.#stream;
      if (stream === undefined) for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      else
        await heeding(this.#signal, (resolve, reject) => {
          stream.write(bytes, (error) => (error == null ? resolve() : reject(error)));
        });
      return true;
    } catch (error) {
      if (fileErrorCode(error) === 'EPIPE') return false;
      throw fileError(error, 'write', this.#path);
    }
  }

  [Symbol.dispose](): void {
    if (this.#stream === undefined) closeSync(this.#fd);
    else this.#stream.destroy();
  }
}

async function openForWriting(path: string, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    if (signal?.aborted === true) throw new NetkitError('interrupted', 'interrupted');
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      // A pipe that nobody has open for reading.
      if (fileErrorCode(error) !== 'ENXIO' || !statSync(path).isFIFO()) throw fileError(error, 'write', path);
    }
    await sleep(readerPollMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Waits for `work`, but no longer than until the signal. @throws NetkitError `interrupted` */
function heeding(
  signal: AbortSignal | undefined,
  work: (resolve: () => void, reject: (error: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new NetkitError('interrupted', 'interrupted'));
    if (signal?.aborted === true) {
      stop();
      return;
    }
    signal?.addEventListener('abort', stop, { once: true });
    const over = () => signal?.removeEventListener('abort', stop);
    work(
      () => {
        over();
        resolve();
      },
      (error) => {
        over();
        reject(error);
      },
    );
  });
}
