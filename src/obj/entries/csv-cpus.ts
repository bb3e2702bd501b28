/** The rows of one entry of a per-CPU map, put together. */
import type { EntryShape } from './batch.js';
import type { EntryBuffer } from './entry-buffer.js';
import { Spread } from './spread.js';

/** Holds the row that is being read, and fills the batch's next entry with rows until each CPU has its value. */
export class CpuRows {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly keyView: DataView;
  readonly valueView: DataView;
  readonly #shape: EntryShape;
  readonly #batch: EntryBuffer;
  readonly #spread: Spread;
  readonly #filled: Uint8Array;
  #filledCount = 0;

  /** @param single what a row without a CPU is */
  constructor(shape: EntryShape, batch: EntryBuffer, single: 'sum' | 'each' | undefined) {
    this.keys = new Uint8Array(shape.keySize);
    this.values = new Uint8Array(shape.cpuStride);
    this.keyView = new DataView(this.keys.buffer);
    this.valueView = new DataView(this.values.buffer);
    this.#shape = shape;
    this.#batch = batch;
    this.#spread = new Spread(shape, single);
    this.#filled = new Uint8Array(shape.cpus);
  }

  /** Takes the row. @param cpu -1 for a value of all CPUs @param given the bits that it gives @returns what is wrong with it, if anything */
  add(cpu: number, line: number, given: Uint8Array | undefined): string | undefined {
    const { keySize, valueStride, cpuStride, cpus, value } = this.#shape;
    const batch = this.#batch;
    const keyAt = batch.count * keySize;
    const valueAt = batch.count * valueStride;
    if (this.#filledCount > 0 && (cpu < 0 || !this.#isSameKey(keyAt))) {
      return `an entry ends here, and ${this.missing()}`;
    }
    if (cpu >= 0 && this.#filled[cpu] === 1) return `a second row for CPU ${cpu} of one entry`;
    if (this.#filledCount === 0) {
      batch.keys.set(this.keys, keyAt);
      batch.lines[batch.count] = line;
    }
    const row = this.values.subarray(0, value.size);
    batch.values.set(row, valueAt + Math.max(cpu, 0) * cpuStride);
    if (given !== undefined)
      batch.given?.set(given.subarray(0, value.size), valueAt + Math.max(cpu, 0) * cpuStride);
    this.keys.fill(0);
    this.values.fill(0);
    if (cpu < 0) {
      this.#spread.over(batch, valueAt);
    } else {
      this.#filled[cpu] = 1;
      if (++this.#filledCount < cpus) return undefined;
    }
    this.#filled.fill(0);
    this.#filledCount = 0;
    batch.count++;
    return undefined;
  }

  /** What an entry that was begun lacks. */
  missing(): string | undefined {
    if (this.#filledCount === 0) return undefined;
    const cpu = this.#filled.indexOf(0);
    const begun = this.#batch.lines[this.#batch.count] ?? 0;
    return `the entry that begins in line ${begun} has no row for CPU ${cpu}`;
  }

  #isSameKey(keyAt: number): boolean {
    const { keys } = this.#batch;
    for (let at = 0; at < this.keys.length; at++) if (keys[keyAt + at] !== this.keys[at]) return false;
    return true;
  }
}
