/** Data too large for memory that nobody else is to see. */
import { closeSync, mkdtempSync, openSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from './file-errors.js';

/**
 * A file without a name in the temporary folder: it goes with its descriptor, so that nothing is left however the
 * process ends.
 */
export class PrivateFile implements Disposable {
  readonly #fd: number;
  #size = 0;
  #closed = false;

  /** @throws NetkitError `not-permitted`, `failed` */
  constructor() {
    const folder = tmpdir();
    try {
      // A folder of mode 0700 first: nobody can open the file in the moment that it has a name.
      const own = mkdtempSync(join(folder, 'netkit-'));
      const path = join(own, 'data');
      try {
        this.#fd = openSync(path, 'wx+', 0o600);
        unlinkSync(path);
      } finally {
        rmdirSync(own);
      }
    } catch (error) {
      throw fileError(error, 'write', folder);
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#size;
  }

  /** Adds bytes at the end. @throws NetkitError `failed` when the disk is full */
  append(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, at, bytes.length - at, this.#size);
        at += written;
        this.#size += written;
      }
    } catch (error) {
      throw fileError(error, 'write', tmpdir());
    }
  }

  /** Fills `bytes` from a place in the file. @returns how many there were. @throws NetkitError `failed` */
  read(bytes: Uint8Array, position: number): number {
    try {
      let at = 0;
      while (at < bytes.length) {
        const count = readSync(this.#fd, bytes, at, bytes.length - at, position + at);
        if (count === 0) break;
        at += count;
      }
      return at;
    } catch (error) {
      throw fileError(error, 'read', tmpdir());
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}
