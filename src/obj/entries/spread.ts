import type { EntryShape } from './batch.js';
import type { EntryBuffer } from './entry-buffer.js';
import { hasSum, typeHasSum } from './sum.js';

/** What becomes of a single value that is given for all CPUs of a per-CPU map. */
export class Spread {
  readonly #shape: EntryShape;
  readonly #alwaysHasSum: boolean;

  readonly #mayBeSum: boolean;

  /** @param single what a single value is */
  constructor(shape: EntryShape, single: 'sum' | 'each' = 'sum') {
    this.#shape = shape;
    this.#mayBeSum = single === 'sum';
    this.#alwaysHasSum = shape.cpus > 1 && typeHasSum(shape.value);
  }

  /** The value stands at the first CPU: a sum stays there, the others being zero; all else goes to each. */
  over(batch: EntryBuffer, offset: number): void {
    const { value, cpus, cpuStride } = this.#shape;
    const { values, valueView, given } = batch;
    const isSum = this.#mayBeSum && (this.#alwaysHasSum || hasSum(value.decode(valueView, offset)));
    for (let cpu = 1; cpu < cpus; cpu++) {
      const at = offset + cpu * cpuStride;
      if (isSum) values.fill(0, at, at + value.size);
      else values.copyWithin(at, offset, offset + value.size);
      given?.copyWithin(at, offset, offset + value.size);
    }
  }
}
