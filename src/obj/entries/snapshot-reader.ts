import { hostIsLittleEndian } from '../../base/byte-order.js';
import { counted } from '../../base/counted.js';
import type { EntryShape } from './batch.js';
import { checksum } from './checksum.js';
import type { ReadEntries } from './entry-buffer.js';
import { type SnapshotHeader, snapshotHeader, snapshotHeaderLength } from './snapshot-header.js';
import {
  badSnapshot,
  blockEntries,
  blockHeader,
  blockMark,
  endLength,
  endMark,
  fixedHeader,
  payloadOf,
} from './snapshot-layout.js';
import { checkLayout } from './snapshot-writer.js';
import type { EntryReader, EntryReaderOptions } from './streams.js';

/** What the bytes are that are being collected. */
type Piece = 'fixed-header' | 'header' | 'block-header' | 'block' | 'end' | 'nothing';

/** Bytes to begin with: what a length in a file says is not believed before that many bytes came. */
const firstRoom = 64 * 1024;

/** Every byte is checked before an entry is given: a checksum covers each block, and each goes on from the one before. */
export class SnapshotReader implements EntryReader {
  readonly #shape: EntryShape;
  readonly #options: EntryReaderOptions;
  #piece: Piece = 'fixed-header';
  /** Aligned, so that checksums can go over it in words. */
  #bytes = new Uint8Array(firstRoom);
  #words = new Uint32Array(this.#bytes.buffer);
  #have = 0;
  #needed = fixedHeader;
  #checksum = 0;
  /** Of the block that is being collected. */
  #blockCount = 0;
  #blockChecksum = 0;
  #entries = 0;
  #lines = new Float64Array(0);

  constructor(shape: EntryShape, options: EntryReaderOptions) {
    checkLayout(shape);
    this.#shape = shape;
    this.#options = options;
  }

  *push(chunk: Uint8Array): Iterable<ReadEntries> {
    for (let at = 0; at < chunk.length; ) {
      if (this.#piece === 'nothing') throw this.#bad('more bytes follow behind the end of the snapshot');
      const until = Math.min(at + this.#needed - this.#have, chunk.length);
      this.#append(chunk.subarray(at, until));
      at = until;
      if (this.#have < this.#needed) return;
      const batch = this.#finish();
      if (batch !== undefined) yield batch;
    }
  }

  end(): Iterable<ReadEntries> {
    if (this.#piece === 'nothing') return [];
    if (this.#piece === 'fixed-header') {
      // Says whether it is a snapshot at all.
      snapshotHeader(this.#bytes.subarray(0, this.#have), this.#options.file);
    }
    const where = this.#piece === 'header' ? 'within its header' : `after ${entriesOf(this.#entries)}`;
    throw this.#bad(`the snapshot ends ${where}, before its end mark: it was cut`);
  }

  #append(bytes: Uint8Array): void {
    const length = this.#have + bytes.length;
    if (length > this.#bytes.length) {
      const room = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      room.set(this.#bytes.subarray(0, this.#have));
      this.#bytes = room;
      this.#words = new Uint32Array(room.buffer, 0, Math.floor(room.length / 4));
    }
    this.#bytes.set(bytes, this.#have);
    this.#have = length;
  }

  /** All bytes of the piece are there. */
  #finish(): ReadEntries | undefined {
    switch (this.#piece) {
      case 'fixed-header':
        this.#needed = snapshotHeaderLength(this.#bytes.subarray(0, this.#have), this.#options.file);
        this.#piece = 'header';
        return undefined;
      case 'header': {
        const header = snapshotHeader(this.#bytes.subarray(0, this.#have), this.#options.file);
        this.#accept(header);
        this.#checksum = header.checksum;
        return this.#expect('block-header', blockHeader);
      }
      case 'block-header':
        return this.#beginBlock();
      case 'block':
        return this.#endBlock();
      default:
        return this.#endAll();
    }
  }

  #expect(piece: Piece, length: number): undefined {
    this.#piece = piece;
    this.#needed = length;
    this.#have = 0;
  }

  #accept(header: SnapshotHeader): void {
    const { keySize, value, cpus, cpuStride } = this.#shape;
    const check = (what: string, found: number, expected: number, unit: string): void => {
      if (found === expected) return;
      const theirs = counted(found, unit);
      throw this.#bad(`${what} of the snapshot have ${theirs}, those of this map ${expected}`);
    };
    this.#options.onSnapshot?.(header);
    check('the keys', header.keySize, keySize, 'byte');
    check('the values', header.valueSize, value.size, 'byte');
    if (header.cpus !== cpus)
      throw this.#bad(
        `the entries of the snapshot have values for ${counted(header.cpus, 'CPU')}, those of this map for ${cpus}`,
      );
    if (header.cpuStride === cpuStride) return;
    const apart = counted(header.cpuStride, 'byte');
    throw this.#bad(`the values of the snapshot lie ${apart} apart, those of this map ${cpuStride}`);
  }

  #beginBlock(): undefined {
    const [mark = 0, count = 0, sum = 0, zero] = this.#words.subarray(0, 4);
    if (mark === endMark) {
      // What was read is the beginning of the end mark.
      this.#piece = 'end';
      this.#needed = endLength;
      return;
    }
    const { keySize, valueStride } = this.#shape;
    if (mark !== blockMark || zero !== 0 || count === 0 || count > blockEntries(keySize, valueStride)) {
      throw this.#damaged();
    }
    this.#blockCount = count;
    this.#blockChecksum = sum;
    this.#expect('block', payloadOf(count, keySize, valueStride).length);
  }

  #endBlock(): ReadEntries {
    const { keySize, valueStride } = this.#shape;
    const count = this.#blockCount;
    const { valuesAt, length } = payloadOf(count, keySize, valueStride);
    const sum = checksum(this.#words, 0, length / 4, this.#checksum);
    if (sum !== this.#blockChecksum) throw this.#damaged();
    this.#checksum = sum;
    const bytes = this.#bytes;
    if (this.#lines.length < count) this.#lines = new Float64Array(count);
    for (let index = 0; index < count; index++) this.#lines[index] = this.#entries + index + 1;
    this.#entries += count;
    this.#expect('block-header', blockHeader);
    return {
      count,
      keys: bytes.subarray(0, count * keySize),
      values: bytes.subarray(valuesAt, valuesAt + count * valueStride),
      lines: this.#lines,
    };
  }

  #endAll(): undefined {
    const view = new DataView(this.#bytes.buffer);
    const total = view.getBigUint64(8, hostIsLittleEndian);
    const sum = checksum(this.#words, 0, 4, this.#checksum);
    if (sum !== this.#words[4] || this.#words[5] !== 0 || this.#words[1] !== 0) throw this.#damaged();
    if (total !== BigInt(this.#entries)) {
      throw this.#bad(`the snapshot has ${this.#entries} entries, and its end mark says ${total}`);
    }
    this.#expect('nothing', 0);
  }

  #damaged(): Error {
    return this.#bad(`the snapshot is damaged after ${entriesOf(this.#entries)}`);
  }

  #bad(problem: string): Error {
    return badSnapshot(this.#options.file, problem, { entries: this.#entries });
  }
}

function entriesOf(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}
