import { hostIsLittleEndian } from '../../base/byte-order.js';
import type { EntryBatch, EntryShape } from './batch.js';
import { checksum } from './checksum.js';
import { headerBytes, type SnapshotTypes } from './snapshot-header.js';
import {
  aligned,
  blockEntries,
  blockHeader,
  blockMark,
  endLength,
  endMark,
  headerTail,
  isPadded,
  payloadOf,
} from './snapshot-layout.js';
import type { EntryWriter } from './streams.js';

/** Entries as the bytes that they are, with the map's types before them. */
export class SnapshotWriter implements EntryWriter {
  readonly #shape: EntryShape;
  readonly #types: SnapshotTypes | undefined;
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #checksum = 0;
  #count = 0;

  /** @throws TypeError for a shape that is not laid out as the kernel lays entries out */
  constructor(shape: EntryShape, types: SnapshotTypes | undefined) {
    checkLayout(shape);
    this.#shape = shape;
    this.#types = types;
  }

  head(): Uint8Array {
    const header = headerBytes(this.#shape, this.#types);
    this.#checksum = new DataView(header.buffer).getUint32(header.length - headerTail, hostIsLittleEndian);
    return header;
  }

  batch(batch: EntryBatch): Uint8Array {
    const { keySize, valueStride } = this.#shape;
    const most = blockEntries(keySize, valueStride);
    let length = 0;
    for (let from = 0; from < batch.count; from += most) {
      length += blockHeader + payloadOf(Math.min(most, batch.count - from), keySize, valueStride).length;
    }
    this.#reserve(length);
    let at = 0;
    for (let from = 0; from < batch.count; from += most) {
      at = this.#block(batch, from, Math.min(most, batch.count - from), at);
    }
    this.#count += batch.count;
    return this.#bytes.subarray(0, at);
  }

  tail(): Uint8Array {
    const bytes = new Uint8Array(endLength);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, endMark, hostIsLittleEndian);
    view.setBigUint64(8, BigInt(this.#count), hostIsLittleEndian);
    const sum = checksum(new Uint32Array(bytes.buffer), 0, 4, this.#checksum);
    view.setUint32(16, sum, hostIsLittleEndian);
    return bytes;
  }

  #block(batch: EntryBatch, from: number, count: number, at: number): number {
    const { keySize, valueStride } = this.#shape;
    const bytes = this.#bytes;
    const start = at + blockHeader;
    const { valuesAt, length } = payloadOf(count, keySize, valueStride);
    const keyBytes = count * keySize;
    const valueBytes = count * valueStride;
    bytes.set(batch.keys.subarray(from * keySize, from * keySize + keyBytes), start);
    bytes.fill(0, start + keyBytes, start + valuesAt);
    const values = batch.values.subarray(from * valueStride, from * valueStride + valueBytes);
    bytes.set(values, start + valuesAt);
    bytes.fill(0, start + valuesAt + valueBytes, start + length);
    this.#checksum = checksum(this.#words, start / 4, (start + length) / 4, this.#checksum);
    this.#words.set([blockMark, count, this.#checksum, 0], at / 4);
    return start + length;
  }

  #reserve(length: number): void {
    if (length <= this.#bytes.length) return;
    this.#bytes = new Uint8Array(Math.max(length, this.#bytes.length * 2));
    this.#words = new Uint32Array(this.#bytes.buffer, 0, Math.floor(this.#bytes.length / 4));
  }
}

/** Snapshots hold entries in the kernel's own layout, so that nothing is moved on the way. */
export function checkLayout(shape: EntryShape): void {
  const { cpus, cpuStride, valueStride, value } = shape;
  const expected = isPadded(shape) ? aligned(value.size) : value.size;
  if (cpuStride === expected && valueStride === cpuStride * cpus) return;
  throw new TypeError(`values of ${value.size} bytes for ${cpus} CPUs are not laid out ${valueStride} apart`);
}
