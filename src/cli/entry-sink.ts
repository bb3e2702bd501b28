/** Where entries go as bytes: standard output, a file that takes its place when it is whole, a pipe. */
import { type Likeness, OutputDevice, outputTarget } from '../host/output-target.js';
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

/** To standard output. */
export function standardSink(output: Output): EntrySink {
  return new Collected(new StandardOutput(output));
}

/**
 * @param path undefined or `-` for standard output; a pipe is open when it has a reader
 * @throws NetkitError `not-permitted`, `not-found`, `usage` for a folder, `interrupted` by the signal
 */
export async function openEntrySink(
  output: Output,
  path: string | undefined,
  signal: AbortSignal,
): Promise<EntrySink> {
  if (path === undefined || path === '-') return standardSink(output);
  const target = outputTarget(path);
  // Through a symbolic link into what it names.
  if (target.isFile) return new Collected(new Replaced(target.path, target.like));
  return new Collected(new Device(await OutputDevice.open(path, signal)));
}

interface Taker extends Disposable {
  take(bytes: Uint8Array): Promise<boolean>;
  commit(): Promise<void>;
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
    await this.#taker.commit();
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

  async commit(): Promise<void> {
    // What was written is out.
  }

  [Symbol.dispose](): void {
    // It belongs to the process.
  }
}

class Replaced implements Taker {
  readonly #file: StagedFile;

  constructor(path: string, like: Likeness) {
    this.#file = new StagedFile(path, like);
  }

  async take(bytes: Uint8Array): Promise<boolean> {
    this.#file.write(bytes);
    return true;
  }

  async commit(): Promise<void> {
    await this.#file.commit();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** A pipe, a terminal, /dev/stdout: written to as it is. */
class Device implements Taker {
  readonly #device: OutputDevice;

  constructor(device: OutputDevice) {
    this.#device = device;
  }

  take(bytes: Uint8Array): Promise<boolean> {
    return this.#device.write(bytes);
  }

  async commit(): Promise<void> {
    // Nothing to put in place.
  }

  [Symbol.dispose](): void {
    this.#device[Symbol.dispose]();
  }
}
