/** A file written piece by piece that takes its place only when it is whole. */
import {
  closeSync,
  fchmodSync,
  fdatasync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { removeStaleTemporaries, syncDirectory, temporaryBeside } from './atomic-file.js';
import { fileError } from './file-errors.js';

/** Written pages are sent to the disk from here on, so that the last sync is short. */
const syncEveryBytes = 8 << 20;

/**
 * The new contents of `path`, beside it until `commit`. Disposing without a commit removes them, and the old file stays
 * as it was; so does a killed process, whose temporary file the next writer in that directory removes.
 */
export class StagedFile implements Disposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #fd: number;
  #unsynced = 0;
  #syncing = false;
  #staged = true;
  #disposed = false;
  #closed = false;

  /** @param mode the new file's, whatever the umask. @throws NetkitError `not-permitted`, `not-found` */
  constructor(path: string, mode: number) {
    this.#path = path;
    this.#temporary = temporaryBeside(path);
    try {
      removeStaleTemporaries(dirname(path));
      this.#fd = openSync(this.#temporary, 'wx', mode);
    } catch (error) {
      throw fileError(error, 'write', path);
    }
    try {
      fchmodSync(this.#fd, mode);
    } catch (error) {
      this[Symbol.dispose]();
      throw fileError(error, 'write', path);
    }
  }

  /** @throws NetkitError `failed` when the disk is full */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
    this.#unsynced += bytes.length;
    if (this.#unsynced < syncEveryBytes || this.#syncing) return;
    this.#unsynced = 0;
    this.#syncing = true;
    // In the background; what fails here fails again in `commit`, which says so.
    fdatasync(this.#fd, () => {
      this.#syncing = false;
      this.#closeWhenIdle();
    });
  }

  /** Puts the file in place, synced. @throws NetkitError `failed`, `not-permitted` */
  commit(): void {
    try {
      fsyncSync(this.#fd);
      renameSync(this.#temporary, this.#path);
      this.#staged = false;
      syncDirectory(dirname(this.#path));
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
  }

  [Symbol.dispose](): void {
    if (this.#staged) {
      this.#staged = false;
      unlinkSync(this.#temporary);
    }
    this.#disposed = true;
    this.#closeWhenIdle();
  }

  /** Not while a sync is under way on another thread: the number could be another file's by then. */
  #closeWhenIdle(): void {
    if (!this.#disposed || this.#syncing || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}
