/** Reports of benchmarks, to files. */
import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import type { BenchDocument } from '../bench/document.js';
import { renderReport, reportFormat } from '../bench/report/write.js';
import { fileError } from '../host/file-errors.js';
import { outputTarget } from '../host/output-target.js';
import { StagedFile } from '../host/staged-file.js';
import { writeOutputFile } from './output-file.js';

/**
 * Before anything is measured: whether each report can be written when that is done.
 * @throws NetkitError `usage` for an ending that is none of ours, a folder, or a file named twice; `not-found`, `not-permitted`
 */
export function checkReports(paths: readonly string[]): void {
  const targets = new Set<string>();
  for (const path of paths) {
    reportFormat(path);
    const target = outputTarget(path);
    if (targets.has(target.path))
      throw new NetkitError('usage', `--report ${path}: it is named twice`, { details: { path } });
    targets.add(target.path);
    const found = statSync(target.path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true)
      throw new NetkitError('usage', `--report ${path}: it is a folder`, { details: { path } });
    // A file is written anew beside the old one: whether that works shows only when it is done.
    if (target.isFile) new StagedFile(target.path, target.like)[Symbol.dispose]();
    else requireWritable(path);
  }
}

/** @throws NetkitError `not-permitted` */
function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

/** @throws NetkitError `not-found`, `not-permitted`, `interrupted` while it waits for the reader of a pipe */
export async function writeReports(
  document: BenchDocument,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const path of paths) {
    await writeOutputFile(path, await renderReport(document, reportFormat(path)), signal);
  }
}

/** Bytes that are read of a pipe at a time. */
const pieceBytes = 65_536;
/** Longer texts have no room in a string of V8. */
const mostBytes = 500_000_000;

/**
 * Reads a report again: its JSON, or the one inside of its HTML.
 * @throws NetkitError `not-found`, `not-permitted`, `usage` for a folder, `interrupted`; `failed` for what is no report
 */
export async function readReport(path: string, signal: AbortSignal): Promise<BenchDocument> {
  const [{ readBenchDocument }, { openInput }] = await Promise.all([
    import('../bench/report/read.js'),
    import('../host/input-file.js'),
  ]);
  const input = await openInput(path, pieceBytes);
  const stream = input.kind === 'stream' ? input.stream : createReadStream(path, { fd: input.fd });
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of stream) {
      const bytes = Buffer.from(piece);
      length += bytes.length;
      if (length > mostBytes)
        throw new NetkitError('failed', `'${path}' is too large for a report`, { details: { path } });
      pieces.push(bytes);
    }
  } catch (error) {
    if (signal.aborted) throw new NetkitError('interrupted', 'interrupted', { cause: error });
    throw fileError(error, 'read', path);
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
  if (signal.aborted) throw new NetkitError('interrupted', 'interrupted');
  return readBenchDocument(Buffer.concat(pieces).toString('utf8'), path);
}
