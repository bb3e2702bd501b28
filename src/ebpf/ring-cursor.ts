/** Walking through the memory of a ring buffer map, as kernel/bpf/ringbuf.c lays it out. */

/** What the kernel maps. */
export interface RingMemory {
  /** Where reading stands, and where writing does: bytes since the ring was made, modulo 2^64. */
  readonly consumer: BigInt64Array;
  readonly producer: BigInt64Array;
  /** The ring twice in a row, so that no record is in two pieces. */
  readonly data: Int32Array;
  /** Bytes of the ring: a power of two. */
  readonly size: number;
}

// linux/bpf.h: each record begins with its length and these bits, then a number that only the kernel uses.
const BPF_RINGBUF_DISCARD_BIT = 2 ** 30;
const headerSize = 8;

/** Most records of a batch: with 24 bytes each they fit in a core's cache, and the ring gets room again soon. */
export const batchRecords = 8192;
/** A batch goes on to this part of the ring at most, so that programs have room while one is being read. */
const batchPart = 4;

/** One reader's position, and the records that it took last. */
export class RingCursor {
  /** Bytes from the start of the data to each record taken. */
  readonly offsets = new Uint32Array(batchRecords);
  /** Bytes of each record taken. */
  readonly sizes = new Uint32Array(batchRecords);
  readonly #memory: RingMemory;
  /** How far the ring was given back, and how far the records taken go. */
  #released: bigint;
  #taken: bigint;

  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#released = Atomics.load(memory.consumer, 0);
    this.#taken = this.#released;
  }

  /**
   * Gives what was taken back to the ring.
   * @returns false when somebody else has moved the position, which is then where this reader goes on
   */
  release(): boolean {
    const found = Atomics.compareExchange(this.#memory.consumer, 0, this.#released, this.#taken);
    const own = found === this.#released;
    if (!own) this.#taken = found;
    this.#released = this.#taken;
    return own;
  }

  /**
   * Takes the next records, up to the first that is not submitted yet. To be called after `release`, in this order: a
   * program that submits a record wakes the reader only when the position has come to that record.
   * @param most how many at most
   * @returns how many; undefined when somebody else has moved the position
   */
  take(most = batchRecords): number | undefined {
    const { producer, data, size } = this.#memory;
    for (;;) {
      const start = Number(BigInt.asUintN(32, this.#taken)) & (size - 1);
      const available = Number(BigInt.asUintN(64, Atomics.load(producer, 0) - this.#taken));
      if (available > size) return undefined;
      const end = start + available;
      const limit = Math.min(end, start + size / batchPart);
      const room = Math.min(most, batchRecords);
      let at = start;
      let count = 0;
      while (at < limit && count < room) {
        const header = Atomics.load(data, at >>> 2);
        // The busy bit is the sign.
        if (header < 0) break;
        const length = header & ~BPF_RINGBUF_DISCARD_BIT;
        if (header === length) {
          this.offsets[count] = at + headerSize;
          this.sizes[count] = length;
          count += 1;
        }
        at += (length + headerSize + 7) & ~7;
      }
      if (at > end) return undefined;
      this.#taken = BigInt.asIntN(64, this.#taken + BigInt(at - start));
      // Discarded records alone: nobody needs to read them.
      if (count > 0 || at === start) return count;
      if (!this.release()) return undefined;
    }
  }

  /** Bytes not given back yet. */
  pending(): number {
    const { producer, consumer } = this.#memory;
    return Number(BigInt.asUintN(64, Atomics.load(producer, 0) - Atomics.load(consumer, 0)));
  }
}
