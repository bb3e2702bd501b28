import { describe, expect, it } from 'vitest';
import { RingCursor } from '../../../src/ebpf/ring-cursor.js';

const size = 4096;
const busy = 2 ** 31;
const discarded = 2 ** 30;

/** The memory of a ring buffer map, and a producer that writes into it as kernel/bpf/ringbuf.c does. */
class Ring {
  readonly consumer = new BigInt64Array(1);
  readonly producer = new BigInt64Array(1);
  readonly data = new Int32Array((2 * size) / 4);
  readonly cursor: RingCursor;

  constructor(position = 0n) {
    this.consumer[0] = BigInt.asIntN(64, position);
    this.producer[0] = BigInt.asIntN(64, position);
    this.cursor = new RingCursor({ ...this, size });
  }

  /** @returns where its header is; undefined when there is no room */
  reserve(length: number, first: number): number | undefined {
    const position = BigInt.asUintN(64, this.producer[0] ?? 0n);
    const whole = (length + 8 + 7) & ~7;
    const used = Number(BigInt.asUintN(64, position - (this.consumer[0] ?? 0n)));
    if (used + whole > size) return undefined;
    const at = Number(position % BigInt(size));
    this.#write(at, length | busy);
    this.#write(at + 8, first);
    this.producer[0] = BigInt.asIntN(64, position + BigInt(whole));
    return at;
  }

  submit(at: number | undefined, flags = 0): void {
    if (at === undefined) throw new Error('the ring is full');
    this.#write(at, ((this.data[at / 4] ?? 0) & ~busy) | flags);
  }

  output(length: number, first: number, flags = 0): void {
    this.submit(this.reserve(length, first), flags);
  }

  /** The first word and the length of each record of the next batch. */
  next(): string[] | undefined {
    if (!this.cursor.release()) return undefined;
    const count = this.cursor.take();
    if (count === undefined) return undefined;
    return Array.from({ length: count }, (_, index) => {
      const word = this.data[(this.cursor.offsets[index] ?? 0) / 4];
      return `${word}:${this.cursor.sizes[index]}`;
    });
  }

  /** Both mappings show the same memory. */
  #write(at: number, word: number): void {
    this.data[(at % size) / 4] = word;
    this.data[(at % size) / 4 + size / 4] = word;
  }
}

describe('the cursor of a ring buffer', () => {
  it('takes records in order and gives their room back with the next batch', () => {
    const ring = new Ring();
    expect(ring.next()).toEqual([]);
    ring.output(24, 1);
    ring.output(5, 2);
    expect(ring.next()).toEqual(['1:24', '2:5']);
    expect(ring.consumer[0]).toBe(0n);
    expect(ring.cursor.pending()).toBe(48);
    ring.output(8, 3);
    expect(ring.next()).toEqual(['3:8']);
    expect(ring.consumer[0]).toBe(48n);
    expect(ring.next()).toEqual([]);
    expect(ring.cursor.pending()).toBe(0);
  });

  it('stops at a record that is not submitted yet, and goes on when it is', () => {
    const ring = new Ring();
    ring.output(8, 1);
    const slow = ring.reserve(8, 2);
    ring.output(8, 3);
    expect(ring.next()).toEqual(['1:8']);
    expect(ring.next()).toEqual([]);
    // What the kernel compares with when the slow one is submitted, to know whether the reader is to be woken.
    expect(ring.consumer[0]).toBe(16n);
    ring.submit(slow);
    expect(ring.next()).toEqual(['2:8', '3:8']);
  });

  it('leaves discarded records out, and gives their room back also when there is nothing else', () => {
    const ring = new Ring();
    ring.output(8, 1, discarded);
    ring.output(8, 2);
    ring.output(8, 3, discarded);
    expect(ring.next()).toEqual(['2:8']);
    expect(ring.next()).toEqual([]);
    ring.output(8, 4, discarded);
    expect(ring.next()).toEqual([]);
    expect(ring.consumer[0]).toBe(64n);
  });

  it.each([
    ['2^31', 2n ** 31n],
    ['2^32', 2n ** 32n],
    ['2^53', 2n ** 53n],
    ['2^63', 2n ** 63n],
    ['2^64', 2n ** 64n],
  ])('counts on past a position of %s, through the end of the ring', (_, mark) => {
    const ring = new Ring(mark - BigInt(size));
    let written = 0;
    let read = 0;
    for (let round = 0; round < 40; round++) {
      while (ring.cursor.pending() < size / 2) ring.output(8 + (written % 50), written++);
      for (const text of ring.next() ?? []) expect(text).toBe(`${read}:${8 + (read++ % 50)}`);
    }
    expect(read).toBeGreaterThan(500);
    expect(BigInt.asUintN(64, (ring.consumer[0] ?? 0n) - mark)).toBeLessThan(2n ** 32n);
  });

  it('leaves room for programs while a batch is read: a quarter of the ring at most', () => {
    const ring = new Ring();
    for (let index = 0; index < size / 32; index++) ring.output(24, index);
    expect(ring.reserve(24, 0)).toBeUndefined();
    expect(ring.next()).toHaveLength(size / 4 / 32);
    expect(ring.next()).toHaveLength(size / 4 / 32);
    expect(ring.reserve(24, 0)).toBeDefined();
  });

  it('takes a record that is larger than such a part', () => {
    const ring = new Ring();
    ring.output(3000, 9);
    expect(ring.next()).toEqual(['9:3000']);
  });

  it('notices that another reader moved the position', () => {
    const ring = new Ring();
    ring.output(8, 1);
    ring.output(8, 2);
    ring.consumer[0] = 16n;
    expect(ring.next()).toBeUndefined();
    // And goes on from there, in the step of the other one.
    expect(ring.next()).toEqual(['2:8']);
  });

  it('notices it also when what it would read was overwritten meanwhile', () => {
    const ring = new Ring();
    ring.producer[0] = BigInt(size + 8);
    expect(ring.cursor.take()).toBeUndefined();
  });
});
