/** A place in a program or library, as probes name it: a function and bytes behind its start, or an offset of the file. */
import { NetkitError } from '../../base/errors.js';
import { findBinary, readBinary } from '../../host/binary-file.js';
import { type Executable, functionOffsets, isCode, readExecutable } from '../../obj/executable/executable.js';

/** What a probe in a binary is given. */
export interface BinaryPlace {
  /** A path, or the name of a program in PATH or of a library (`libc.so.6`). */
  readonly binary: string;
  /** A function that the binary's symbol tables name; without one, `offset` counts from the start of the file. */
  readonly symbol?: string | undefined;
  /** Bytes. */
  readonly offset?: number | undefined;
}

/** @internal @throws NetkitError `not-found`, `bad-object` */
export function openBinary(binary: string): { path: string; executable: Executable } {
  const path = findBinary(binary);
  return { path, executable: readExecutable(readBinary(path), path) };
}

/** The offset in the file. @internal @throws NetkitError `not-found`, `bad-object`, `bad-value`, `usage` */
export function placeInFile(
  executable: Executable,
  path: string,
  place: Omit<BinaryPlace, 'binary'>,
): number {
  const { symbol, offset = 0 } = place;
  const start = symbol === undefined ? 0 : startOf(executable, path, symbol);
  if (symbol === undefined && place.offset === undefined)
    throw new NetkitError('usage', `which function of ${path} to probe is not said`);
  const at = start + offset;
  if (!Number.isSafeInteger(offset) || offset < 0 || !isCode(executable, at))
    throw new NetkitError('bad-value', `there are no instructions of ${path} at offset ${at} of the file`);
  return at;
}

function startOf(executable: Executable, path: string, symbol: string): number {
  const [first, ...more] = functionOffsets(executable, symbol);
  if (first === undefined) {
    throw new NetkitError('not-found', `${path} has no function '${symbol}'`, {
      hint: 'a stripped binary names only the functions that it exports',
    });
  }
  if (more.length === 0) return first;
  throw new NetkitError('usage', `${path} has ${more.length + 1} functions '${symbol}'`, {
    hint: `give the offset in the file of the one that is meant: ${[first, ...more].join(', ')}`,
  });
}
