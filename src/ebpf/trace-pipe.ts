/** What programs write with bpf_printk(), which all of them write into one pipe. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { NetkitError } from '../base/errors.js';
import { fileError, fileErrorCode } from '../host/file-errors.js';
import { tracefs, tracePipeReaders } from '../host/tracefs.js';
import { duplicateFd } from '../sys/fd.js';
import { Readiness } from '../sys/readiness.js';

const pieceBytes = 1 << 16;

/**
 * The lines of the trace pipe as they come. Who reads a line takes it away from all others.
 * @param signal ends it
 * @throws NetkitError `not-found` without tracefs, `conflict` when somebody reads the pipe, `not-permitted`
 */
export async function* traceLines(signal: AbortSignal): AsyncGenerator<string> {
  const file = openPipe(join(tracefs(), 'trace_pipe'));
  try {
    using fd = duplicateFd(file);
    using readiness = new Readiness(fd);
    const piece = Buffer.alloc(pieceBytes);
    let rest = '';
    while (!signal.aborted) {
      const size = readPiece(file, piece);
      if (size === 0) {
        await readiness.wait(signal);
        continue;
      }
      const lines = (rest + piece.toString('utf8', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    closeSync(file);
  }
}

function openPipe(path: string): number {
  // Older kernels let several read, and give each line to one of them.
  const [before] = tracePipeReaders();
  if (before !== undefined) throw taken();
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw fileErrorCode(error) === 'EBUSY' ? taken(error) : fileError(error, 'read', path);
  }
}

function taken(cause?: unknown): NetkitError {
  const readers = tracePipeReaders().map(({ pid, command }) => `process ${pid} (${command})`);
  const who = readers.length === 0 ? 'another process, which cannot be seen from here,' : readers.join(', ');
  return new NetkitError('conflict', `${who} reads the trace pipe, and only one can at a time`, { cause });
}

/** 0 when there is nothing now. */
function readPiece(file: number, piece: Buffer): number {
  try {
    return readSync(file, piece);
  } catch (error) {
    if (fileErrorCode(error) === 'EAGAIN' || fileErrorCode(error) === 'EINTR') return 0;
    throw error;
  }
}
