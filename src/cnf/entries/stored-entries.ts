/** Declared entries as files of the state directory: what was applied last, and what a generation declares. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hostIsLittleEndian } from '../../base/byte-order.js';
import { NetkitError } from '../../base/errors.js';
import { isPerCpu } from '../../ebpf/map-kinds.js';
import { possibleCpus } from '../../ebpf/possible-cpus.js';
import { writeFileSynced } from '../../host/atomic-file.js';
import { fileError, fileErrorCode } from '../../host/file-errors.js';
import type { DeclaredEntries } from './declared-entries.js';

/** `NKENT`, and line ends that a transfer as text would change. */
const magic = Buffer.from('NKENT\r\n\x1a', 'latin1');
const version = 1;
/** Every CPU has the same value, which is there once: it serves machines with any number of CPUs. */
const forEachCpu = 1;
const headerBytes = 64;
const digestBytes = 32;
const fileName = /^[a-z0-9][a-z0-9_-]{0,62}-[0-9a-f]{12}\.entries$/;

/** Where numbers of 32 bits stand in the header. */
const offsets = {
  version: 8,
  flags: 12,
  keySize: 16,
  valueSize: 20,
  cpus: 24,
  cpuStride: 28,
  count: 32,
  masks: 36,
  hasMaskOf: 40,
  typeLength: 44,
} as const;

/** What a file holds, and its name. */
export interface PackedEntries {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** The files of declared entries, which are named by what is in them: `FUNCTION-658c846d5a17.entries`. */
export class EntriesStore {
  readonly #directory: string;

  /** @param directory the state directory */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file that entries would be stored as. */
  packed(functionName: string, entries: DeclaredEntries): PackedEntries {
    const bytes = packEntries(entries);
    const digest = Buffer.from(bytes.subarray(bytes.length - digestBytes)).toString('hex');
    return { file: `${functionName}-${digest.slice(0, 12)}.entries`, bytes };
  }

  /** Stores entries, synced. An intact file of that name is left. @returns its name. @throws NetkitError `failed` when the disk is full */
  write(functionName: string, entries: DeclaredEntries): string {
    const { file, bytes } = this.packed(functionName, entries);
    if (!this.#has(file, bytes)) writeFileSynced(join(this.#directory, file), bytes);
    return file;
  }

  /** @throws NetkitError `bad-state` for a file that is damaged, gone, or of a newer netkit */
  read(file: string): DeclaredEntries {
    const path = join(this.#directory, file);
    try {
      return unpackEntries(readFileSync(path), path);
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT')
        throw new NetkitError('bad-state', `${path}, which holds declared entries, is gone`, {
          hint,
          cause: error,
        });
      throw fileError(error, 'read', path);
    }
  }

  /** {@link read}; undefined for a file that is damaged or gone. */
  readable(file: string): DeclaredEntries | undefined {
    try {
      return this.read(file);
    } catch (error) {
      if (error instanceof NetkitError && error.code === 'bad-state') return undefined;
      throw error;
    }
  }

  /** Removes a file of that name that holds something else: it is damaged, and in the way of what is to be stored. */
  dropDamaged({ file, bytes }: PackedEntries): void {
    if (!this.#has(file, bytes)) this.drop(file);
  }

  /** Files of a function. */
  filesOf(functionName: string): string[] {
    return readdirSync(this.#directory).filter(
      (file) => fileName.test(file) && file.slice(0, -'-0123456789ab.entries'.length) === functionName,
    );
  }

  drop(file: string): void {
    rmSync(join(this.#directory, file), { force: true });
  }

  #has(file: string, bytes: Uint8Array): boolean {
    try {
      return readFileSync(join(this.#directory, file)).equals(bytes);
    } catch {
      return false;
    }
  }
}

const hint = "'netkit apply' with the function's manifest writes it anew";

/** Entries as bytes that tell whether they are whole. */
export function packEntries(entries: DeclaredEntries): Uint8Array {
  const { type, keySize, valueSize, count, keys, masks, maskOf } = entries;
  const isSpread = isPerCpu(type) && everyCpuIsAlike(entries);
  const stride = isSpread ? valueSize : entries.valueStride;
  const word = Buffer.from(type, 'latin1');
  const sizes = [
    word.length,
    masks.length * stride,
    (maskOf?.length ?? 0) * 4,
    count * keySize,
    count * stride,
  ];
  const bytes = new Uint8Array(
    headerBytes + sizes.reduce((sum, size) => sum + aligned(size), 0) + digestBytes,
  );
  const view = new DataView(bytes.buffer);
  const put = (offset: number, value: number): void => view.setUint32(offset, value, hostIsLittleEndian);
  bytes.set(magic);
  put(offsets.version, version);
  put(offsets.flags, isSpread ? forEachCpu : 0);
  put(offsets.keySize, keySize);
  put(offsets.valueSize, valueSize);
  put(offsets.cpus, entries.cpus);
  put(offsets.cpuStride, entries.cpuStride);
  put(offsets.count, count);
  put(offsets.masks, masks.length);
  put(offsets.hasMaskOf, maskOf === undefined ? 0 : 1);
  put(offsets.typeLength, word.length);
  let at = headerBytes;
  const add = (part: Uint8Array): void => {
    bytes.set(part, at);
    at += aligned(part.length);
  };
  add(word);
  add(firstOfEach(joined(masks, entries.valueStride), entries.valueStride, stride));
  if (maskOf !== undefined) add(new Uint8Array(maskOf.buffer, maskOf.byteOffset, maskOf.byteLength));
  add(keys);
  add(firstOfEach(entries.values, entries.valueStride, stride));
  bytes.set(digestOf(bytes.subarray(0, at)), at);
  return bytes;
}

/**
 * The entries in such bytes.
 * @param path how errors call them
 * @throws NetkitError `bad-state`
 */
export function unpackEntries(given: Uint8Array, path: string): DeclaredEntries {
  // A copy is aligned where the file's buffer is not.
  const isAligned = given.byteOffset % 8 === 0;
  const bytes = isAligned
    ? new Uint8Array(given.buffer, given.byteOffset, given.length)
    : Uint8Array.from(given);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (offset: number): number => view.getUint32(offset, hostIsLittleEndian);
  if (bytes.length < headerBytes) throw damaged(path, bytes.length === 0 ? 'it is empty' : 'it was cut');
  if (!magic.equals(bytes.subarray(0, magic.length))) throw damaged(path, 'it holds no declared entries');
  if (word(offsets.version) > version)
    throw new NetkitError(
      'bad-state',
      `${path} was written by a newer netkit (format ${word(offsets.version)})`,
      {
        hint: 'use that netkit',
      },
    );
  const isSpread = word(offsets.flags) === forEachCpu;
  const [keySize, valueSize, count] = [word(offsets.keySize), word(offsets.valueSize), word(offsets.count)];
  const [cpus, cpuStride] = [word(offsets.cpus), word(offsets.cpuStride)];
  const stride = isSpread ? valueSize : cpus * cpuStride;
  const masks = word(offsets.masks);
  const hasMaskOf = word(offsets.hasMaskOf) === 1;
  const sizes = [
    word(offsets.typeLength),
    masks * stride,
    hasMaskOf ? count * 4 : 0,
    count * keySize,
    count * stride,
  ];
  const length = headerBytes + sizes.reduce((sum, size) => sum + aligned(size), 0) + digestBytes;
  if (length > bytes.length) throw damaged(path, `it was cut: ${bytes.length} of ${length} bytes are there`);
  const body = bytes.subarray(0, length - digestBytes);
  if (length !== bytes.length || digestOf(body).compare(bytes.subarray(length - digestBytes)) !== 0)
    throw damaged(path, 'its checksum is wrong');
  let at = headerBytes;
  const [type, maskBytes, maskOf, keys, values] = sizes.map((size) => {
    const part = bytes.subarray(at, at + size);
    at += aligned(size);
    return part;
  });
  if (
    type === undefined ||
    maskBytes === undefined ||
    maskOf === undefined ||
    keys === undefined ||
    values === undefined
  )
    throw damaged(path, 'a part is missing');
  const spreadCpus = isSpread ? possibleCpus() : cpus;
  const all = (part: Uint8Array): Uint8Array =>
    isSpread ? spread(part, stride, spreadCpus, cpuStride) : part;
  const valueStride = spreadCpus * cpuStride;
  const allMasks = all(maskBytes);
  return {
    type: Buffer.from(type).toString('latin1'),
    keySize,
    valueSize,
    cpus: spreadCpus,
    cpuStride,
    valueStride,
    count,
    keys,
    values: all(values),
    masks: Array.from({ length: masks }, (_, index) =>
      allMasks.subarray(index * valueStride, (index + 1) * valueStride),
    ),
    maskOf: hasMaskOf ? new Uint32Array(maskOf.buffer, maskOf.byteOffset, count) : undefined,
  };
}

function damaged(path: string, why: string): NetkitError {
  return new NetkitError('bad-state', `${path} is damaged: ${why}`, { hint });
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function aligned(length: number): number {
  return Math.ceil(length / 8) * 8;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(parts.length * size);
  for (const [index, part] of parts.entries()) all.set(part, index * size);
  return all;
}

/** The first `size` bytes of every `stride`. */
function firstOfEach(bytes: Uint8Array, stride: number, size: number): Uint8Array {
  if (size === stride) return bytes;
  const first = new Uint8Array((bytes.length / stride) * size);
  for (let from = 0, to = 0; from < bytes.length; from += stride, to += size)
    first.set(bytes.subarray(from, from + size), to);
  return first;
}

function spread(bytes: Uint8Array, size: number, cpus: number, cpuStride: number): Uint8Array {
  const count = bytes.length / size;
  const all = new Uint8Array(count * cpus * cpuStride);
  for (let index = 0; index < count * cpus; index++) {
    const from = Math.floor(index / cpus) * size;
    all.set(bytes.subarray(from, from + size), index * cpuStride);
  }
  return all;
}

function everyCpuIsAlike({
  values,
  masks,
  count,
  valueSize,
  valueStride,
  cpus,
  cpuStride,
}: DeclaredEntries): boolean {
  const alike = (bytes: Uint8Array, start: number): boolean => {
    for (let cpu = 1; cpu < cpus; cpu++)
      for (let at = 0; at < valueSize; at++)
        if (bytes[start + at] !== bytes[start + cpu * cpuStride + at]) return false;
    return true;
  };
  if (!masks.every((mask) => alike(mask, 0))) return false;
  for (let index = 0; index < count; index++) if (!alike(values, index * valueStride)) return false;
  return true;
}
