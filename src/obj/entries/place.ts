/** Places in files, and errors that name them. */
import { isAscii, isUtf8 } from 'node:buffer';
import { type ErrorContext, NetkitError } from '../../base/errors.js';

/** From 1. Columns are counted in UTF-16 units, as editors and `parseJson` count them. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** `blocked.csv: line 3, column 7: …`, with line and column in the details. */
export function problemAt(
  file: string | undefined,
  { line, column }: Place,
  problem: string,
  context: ErrorContext = {},
): NetkitError {
  const name = file === undefined ? '' : `${file}: `;
  return new NetkitError('bad-value', `${name}line ${line}, column ${column}: ${problem}`, {
    ...context,
    details: { ...context.details, line, column },
  });
}

/** How many UTF-16 units a piece of UTF-8 text has; bytes that are no UTF-8 are counted as decoders show them, or nearly so. */
export function unitsIn(bytes: Uint8Array): number {
  if (isAscii(bytes)) return bytes.length;
  let units = 0;
  for (const byte of bytes) {
    // A continuation byte belongs to the character before it; a lead byte of four makes a pair of units.
    if ((byte & 0xc0) !== 0x80) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}

/** Offset of the first byte that is no UTF-8; the length when all are. */
export function firstBadByte(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return bytes.length;
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + length))) break;
    at += length;
  }
  return at;
}
