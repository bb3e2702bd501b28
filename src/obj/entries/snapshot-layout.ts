/** How a snapshot is laid out: docs/entry-files.md has it in full. All numbers are 32-bit words unless said otherwise. */
import { NetkitError } from '../../base/errors.js';
import type { EntryShape } from './batch.js';

/** `NKMAP`, and line ends that a transfer as text would change. */
export const magic = Buffer.from('NKMAP\r\n\x1a', 'latin1');
export const byteOrderMark = 0x01020304;
export const version = 1;

/** Bytes before the texts and the BTF. */
export const fixedHeader = 64;
/** Checksum and padding. */
export const headerTail = 8;
/** Bytes; types are far smaller, and a reader keeps the header in memory. */
export const headerLimit = 16 * 1024 * 1024;

export const offsets = {
  byteOrder: 8,
  version: 12,
  flags: 14,
  length: 16,
  keySize: 20,
  valueSize: 24,
  cpus: 28,
  maxEntries: 32,
  mapFlags: 36,
  keyType: 40,
  valueType: 44,
  mapTypeLength: 48,
  nameLength: 52,
  btfLength: 56,
  bootLength: 60,
} as const;

/** The only flag: values stand at multiples of eight bytes, as those of per-CPU maps do. */
export const paddedFlag = 1;

/** `BLCK` and `DONE`, as the bytes of a little-endian word. */
export const blockMark = 0x4b434c42;
export const endMark = 0x454e4f44;
/** Mark, count, checksum, zero. */
export const blockHeader = 16;
/** Mark, zero, the number of entries in 64 bits, checksum, zero. */
export const endLength = 24;
/** Bytes of entries in a block, unless it has a single entry. */
export const blockLimit = 1024 * 1024;

export function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Are values padded to eight bytes? Those of a per-CPU map are, also on a machine with one CPU. */
export function isPadded({ cpus, cpuStride, value }: EntryShape): boolean {
  return cpus > 1 || cpuStride !== value.size;
}

/** How many entries a block has at most. */
export function blockEntries(keySize: number, valueStride: number): number {
  return Math.max(1, Math.floor(blockLimit / Math.max(1, keySize + valueStride)));
}

/** Where the values of a block begin, and where they end, from the end of its header. */
export function payloadOf(
  count: number,
  keySize: number,
  valueStride: number,
): { readonly valuesAt: number; readonly length: number } {
  const valuesAt = aligned(count * keySize);
  return { valuesAt, length: valuesAt + aligned(count * valueStride) };
}

export function badSnapshot(
  file: string | undefined,
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
): NetkitError {
  return new NetkitError('bad-value', `${file ?? 'the snapshot'}: ${problem}`, { details });
}
