/** Where entries go as bytes: standard output, a file that takes its place when it is whole, a pipe. */
import { closeSync, openSync, realpathSync, type Stats, statSync, writeSync } from 'node:fs';
import { fileError, fileErrorCode } from '../host/file-errors.js';
import { StagedFile } from '../host/staged-file.js';
import type { Output } from './output.js';

/** Small pieces are collected up to this size: each write is a system call. */
const chunkBytes = 1 << 18;

export interface EntrySink extends Disposable {
  /** Bytes taken so far. */
  readonly size: number;
  /** Takes bytes, which may be overwritten afterwards. @returns false when nobody reads on. @throws NetkitError */
  write(bytes: Uint8Array): Promise<boolean>;
  /** Ends what was written: a file is in place, on the disk. Disposing without leaves the old file. */
  commit(): Promise<void>;
}

/** @param path undefined or `-` for standard output. @throws NetkitError `not-permitted`, `not-found`, `usage` for a folder */
export function openEntrySink(output: Output, path: string | undefined): EntrySink {
  if (path === undefined || path === '-') return new Collected(new StandardOutput(output));
  const found = lookAt(path);
  if (found !== undefined && !found.isFile()) return new Collected(new Device(path));
  const mode = found === undefined ? 0o666 & ~process.umask() : found.mode & 0o777;
  // Through a symbolic link into what it names.
  return new Collected(new Replaced(found === undefined ? path : realpathSync(path), mode));
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if (fileErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'write', path);
  }
}

interface Taker extends Disposable {
  take(bytes: Uint8Array): Promise<boolean>;
  commit(): void;
}

class Collected implements EntrySink {
  readonly #taker: Taker;
  readonly #chunk = new Uint8Array(chunkBytes);
  #at = 0;
  #size = 0;
  #read = true;

  constructor(taker: Taker) {
    this.#taker = taker;
  }

  get size(): number {
    return this.#size;
  }

  async write(bytes: Uint8Array): Promise<boolean> {
    this.#size += bytes.length;
    if (this.#at + bytes.length > chunkBytes) await this.#flush();
    if (bytes.length > chunkBytes) {
      if (this.#read) this.#read = await this.#taker.take(bytes);
      return this.#read;
    }
    this.#chunk.set(bytes, this.#at);
    this.#at += bytes.length;
    return this.#read;
  }

  async commit(): Promise<void> {
    await this.#flush();
    this.#taker.commit();
  }

  async #flush(): Promise<void> {
    if (this.#read && this.#at > 0) this.#read = await this.#taker.take(this.#chunk.subarray(0, this.#at));
    this.#at = 0;
  }

  [Symbol.dispose](): void {
    this.#taker[Symbol.dispose]();
  }
}

class StandardOutput implements Taker {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  take(bytes: Uint8Array): Promise<boolean> {
    return this.#output.bytes(bytes);
  }

  commit(): void {
    // What was written is out.
  }

  [Symbol.dispose](): void {
    // It belongs to the process.
  }
}

class Replaced implements Taker {
  readonly #file: StagedFile;

  constructor(path: string, mode: number) {
    this.#file = new StagedFile(path, mode);
  }

  async take(bytes: Uint8Array): Promise<boolean> {
    this.#file.write(bytes);
    return true;
  }

  commit(): void {
    this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** A pipe, a terminal, /dev/stdout: written to as it is. */
class Device implements Taker {
  readonly #path: string;
  readonly #fd: number;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw fileError(error, 'write', path);
    }
  }

  async take(bytes: Uint8Array): Promise<boolean> {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at);
      return true;
    } catch (error) {
      if (fileErrorCode(error) === 'EPIPE') return false;
      throw fileError(error, 'write', this.#path);
    }
  }

  commit(): void {
    // Nothing to put in place.
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
