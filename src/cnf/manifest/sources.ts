/** The texts of manifests: which files are meant, whether they are to be trusted, and their bytes. */
import { isUtf8 } from 'node:buffer';
import { closeSync, fstatSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { NetkitError } from '../../base/errors.js';
import { fileError } from '../../host/file-errors.js';
import { openInput } from '../../host/input-file.js';
import { refuseUntrusted } from '../../host/trusted-file.js';

/** Beyond what ten thousand entries of several functions take. */
const mostBytes = 16 << 20;
const pieceBytes = 64 << 10;

/** The text of one file. */
export interface ManifestText {
  /** As it was given, or below the folder that was; null for standard input. */
  readonly path: string | null;
  /** Absolute: what relative paths in it are relative to. */
  readonly folder: string;
  readonly text: string;
  /** Why there is no text: the offset is the one in what could be read. */
  readonly fault: { readonly offset: number; readonly message: string } | undefined;
}

/** What is read for `-`, and what ends the wait for a pipe. */
export interface ReadingOptions {
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads what the paths name: files, pipes, folders with files of manifests, and `-` for standard input.
 * @throws NetkitError `not-found`, `not-permitted` also for what somebody else could have written, `usage`
 */
export async function readTexts(
  paths: readonly string[],
  options: ReadingOptions = {},
): Promise<ManifestText[]> {
  if (paths.filter((path) => path === '-').length > 1)
    throw new NetkitError('usage', 'standard input can be read only once');
  const texts: ManifestText[] = [];
  for (const path of paths.flatMap(filesOf)) texts.push(await readText(path, options));
  return texts;
}

/** A folder stands for the manifests in it. */
function filesOf(path: string): readonly string[] {
  if (path === '-' || !isFolder(path)) return [path];
  refuseUntrusted(path, 'folder');
  const files = namesIn(path)
    .filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name))
    .sort()
    .map((name) => join(path, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() !== false);
  if (files.length > 0) return files;
  throw new NetkitError('not-found', `there is no manifest in '${path}'`, {
    hint: 'of a folder, the files *.yaml, *.yml and *.json are read',
    details: { path },
  });
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
}

async function readText(path: string, { stdin, signal }: ReadingOptions): Promise<ManifestText> {
  if (path === '-') return decoded(null, process.cwd(), await collect(stdin ?? process.stdin, signal));
  refuseUntrusted(path, 'manifest');
  const input = await openInput(path, pieceBytes);
  if (input.kind === 'file') return decoded(path, dirname(resolve(path)), readFile(input.fd, path));
  const end = () => input.stream.destroy();
  signal?.addEventListener('abort', end);
  try {
    // What comes out of a pipe was not in the folder of the pipe.
    return decoded(path, process.cwd(), await collect(input.stream, signal));
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

function readFile(fd: number, path: string): Buffer {
  try {
    const bytes = Buffer.alloc(Math.min(fstatSync(fd).size, mostBytes) + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count)
      count = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    closeSync(fd);
  }
}

async function collect(
  stream: AsyncIterable<Uint8Array | string> | Readable,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece);
    pieces.push(bytes);
    length += bytes.length;
    if (length > mostBytes) break;
  }
  // A stream that was destroyed just ends.
  signal?.throwIfAborted();
  return Buffer.concat(pieces);
}

function decoded(path: string | null, folder: string, bytes: Buffer): ManifestText {
  const source = { path, folder };
  if (bytes.length > mostBytes) {
    const message = `larger than ${mostBytes >> 20} MiB: many entries of a map come from a file ('from: FILE')`;
    return { ...source, text: '', fault: { offset: 0, message } };
  }
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (isUtf8(bytes)) return { ...source, text, fault: undefined };
  // Bytes that are no UTF-8 have become this character, which may also stand there by itself; that is close enough.
  const offset = Math.max(0, text.indexOf('\ufffd'));
  return { ...source, text, fault: { offset, message: 'not UTF-8' } };
}
