/** Where a batch is read from. */
import { closeSync, read } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { NetkitError } from '../../base/errors.js';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import { namesStandardInput, openInput } from '../../host/input-file.js';
import type { Io } from '../io.js';

const chunkBytes = 1 << 18;
const readInto = promisify(read);

export interface BatchSource {
  /** How messages name it. */
  readonly name: string;
  /** A file has an end that can be reached without waiting for anybody. */
  readonly isFile: boolean;
  readonly isStdin: boolean;
  readonly isTerminal: boolean;
  /** Each is good until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Opens a batch: a path, or standard input for `-` and nothing. Reading, and waiting for a pipe's writer, ends with `interrupted` when `signal` is aborted.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a directory
 */
export async function openSource(
  path: string | undefined,
  io: Pick<Io, 'stdin'>,
  signal?: AbortSignal,
): Promise<BatchSource> {
  if (path === undefined || path === '-' || namesStandardInput(path)) {
    const { stdin } = io;
    const isTerminal = stdin.isTTY === true;
    return { name: 'stdin', isFile: false, isStdin: true, isTerminal, chunks: bytesOf(stdin, signal) };
  }
  const input = await openInput(path, chunkBytes);
  const isFile = input.kind === 'file';
  const chunks = isFile ? bytesOfFile(input.fd, signal, path) : bytesOf(input.stream, signal, path);
  return { name: path, isFile, isStdin: false, isTerminal: false, chunks };
}

/** A chunk is overwritten by the next one: memory stays where it is, whatever the length of the file. */
async function* bytesOfFile(
  fd: number,
  signal: AbortSignal | undefined,
  path: string,
): AsyncGenerator<Uint8Array> {
  const chunk = Buffer.allocUnsafe(chunkBytes);
  try {
    for (;;) {
      if (signal?.aborted === true) throw new NetkitError('interrupted', 'interrupted');
      const { bytesRead } = await readInto(fd, { buffer: chunk });
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

async function* bytesOf(
  input: NodeJS.ReadableStream,
  signal: AbortSignal | undefined,
  path = 'standard input',
): AsyncGenerator<Uint8Array> {
  if (signal !== undefined && input instanceof Readable) addAbortSignal(signal, input);
  try {
    for await (const chunk of input) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  } catch (error) {
    if (signal?.aborted === true) throw new NetkitError('interrupted', 'interrupted', { cause: error });
    // Standard input that was closed before netkit began has nothing in it.
    if (fileErrorCode(error) === 'EBADF') return;
    throw fileError(error, 'read', path);
  }
}
