/** Files of entries as a command reads them: piece by piece, and again where the work takes two passes. */
import { addAbortSignal, Readable } from 'node:stream';
import { NetkitError } from '../base/errors.js';
import type { EntryFile } from '../ebpf/entries/file-source.js';
import { fileError } from '../host/file-errors.js';
import { namesStandardInput, openInput } from '../host/input-file.js';
import { PrivateFile } from '../host/private-file.js';
import { pieceBytes, StoredFile } from '../host/stored-file.js';
import type { CommandContext } from './context.js';

export interface EntryFileOptions {
  /** What comes through a pipe is kept in a private file, so that it can be read again. */
  readonly repeatable: boolean;
}

/**
 * Opens a file of entries; `-` is standard input. The file is opened once: a new one in its place makes no difference.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a folder or a terminal
 */
export async function openEntryFile(
  context: CommandContext,
  path: string,
  options: EntryFileOptions,
): Promise<EntryFile> {
  if (path === '-' || namesStandardInput(path)) {
    const { stdin, signal } = context.io;
    if (stdin.isTTY === true)
      throw new NetkitError('usage', 'standard input is a terminal', {
        hint: 'pipe the entries in, or name a file',
      });
    const stream = new StreamedFile('standard input', stdin, () => undefined, signal);
    return options.repeatable ? spooled(stream) : stream;
  }
  const input = await openInput(path, pieceBytes);
  if (input.kind === 'file') return new StoredFile(path, input.fd);
  const { stream: source } = input;
  const stream = new StreamedFile(path, source, () => source.destroy(), context.io.signal);
  return options.repeatable ? spooled(stream) : stream;
}

/** What can be read once. */
class StreamedFile implements EntryFile {
  readonly name: string;
  readonly repeatable = false;
  readonly #stream: NodeJS.ReadableStream;
  readonly #release: () => void;
  readonly #signal: AbortSignal;

  constructor(name: string, stream: NodeJS.ReadableStream, release: () => void, signal: AbortSignal) {
    this.name = name;
    this.#stream = stream instanceof Readable ? addAbortSignal(signal, stream) : stream;
    this.#release = release;
    this.#signal = signal;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of this.#stream) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
    } catch (error) {
      if (this.#signal.aborted) throw new NetkitError('interrupted', 'interrupted', { cause: error });
      throw fileError(error, 'read', this.name);
    }
  }

  [Symbol.dispose](): void {
    this.#release();
  }
}

/** Reads a stream to its end. @throws NetkitError `failed` when the disk is full */
async function spooled(stream: StreamedFile): Promise<EntryFile> {
  const file = new PrivateFile();
  try {
    for await (const piece of stream.pieces()) file.append(piece);
    return new SpooledFile(stream.name, file);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  } finally {
    stream[Symbol.dispose]();
  }
}

class SpooledFile implements EntryFile {
  readonly name: string;
  readonly repeatable = true;
  readonly #file: PrivateFile;

  constructor(name: string, file: PrivateFile) {
    this.name = name;
    this.#file = file;
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (let position = 0; position < this.#file.size; ) {
      const bytes = Buffer.allocUnsafeSlow(pieceBytes);
      const count = this.#file.read(bytes, position);
      position += count;
      // A signal arrives only in a turn of the event loop.
      await new Promise((resolve) => setImmediate(resolve));
      yield bytes.subarray(0, count);
    }
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
