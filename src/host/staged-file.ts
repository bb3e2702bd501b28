/** A file written piece by piece that takes its place only when it is whole. */
import { closeSync, fdatasync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { removeStaleTemporaries, syncDirectory, temporaryBeside } from './atomic-file.js';
import { fileError } from './file-errors.js';
import { type Likeness, makeLike } from './output-target.js';

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
  /** The sync under way; never rejects. */
  #syncing: Promise<void> | undefined;
  /** What a sync in the background failed with. */
  #failure: Error | undefined;
  #staged = true;
  #disposed = false;
  #closed = false;

  /** @param like the new file's mode, whatever the umask, and its owner. @throws NetkitError `not-permitted`, `not-found` */
  constructor(path: string, like: Likeness) {
    this.#path = path;
    this.#temporary = temporaryBeside(path);
    try {
      removeStaleTemporaries(dirname(path));
      this.#fd = openSync(this.#temporary, 'wx', like.owner === undefined ? like.mode : 0o600);
    } catch (error) {
      throw fileError(error, 'write', path);
    }
    try {
      makeLike(this.#fd, like);
    } catch (error) {
      this[Symbol.dispose]();
      throw fileError(error, 'write', path);
    }
  }

  /** @throws NetkitError `failed` when the disk is full, or could not take what was written before */
  write(bytes: Uint8Array): void {
    try {
      this.#throwFailure();
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      throw fileError(error, 'write', this.#path);
    }
    this.#unsynced += bytes.length;
    if (this.#unsynced < syncEveryBytes || this.#syncing !== undefined) return;
    this.#unsynced = 0;
    // The kernel tells an open file once that its pages could not be written: the sync in `commit` would succeed.
    this.#syncing = new Promise((done) => {
      fdatasync(this.#fd, (error) => {
        this.#failure ??= error ?? undefined;
        this.#syncing = undefined;
        this.#closeWhenIdle();
        done();
      });
    });
  }

  /** Puts the file in place, synced. @throws NetkitError `failed`, `not-permitted` */
  async commit(): Promise<void> {
    try {
      await this.#syncing;
      this.#throwFailure();
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

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Not while a sync is under way on another thread: the number could be another file's by then. */
  #closeWhenIdle(): void {
    if (!this.#disposed || this.#syncing !== undefined || this.#closed) return;
    this.#closed = true;
    closeSync(this.#fd);
  }
}
