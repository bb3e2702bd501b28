import { NetkitError } from '../base/errors.js';
import type { Codec, Value } from '../obj/codec/index.js';
import type { TextSink } from '../obj/codec/text-sink.js';

/** Where the records of a batch lie. One a buffer: each batch overwrites what the one before said. */
export interface EventSource {
  /** Never given out: writing to it would end the process. */
  readonly view: DataView;
  /** Bytes from the start of `view` to each record. */
  readonly offsets: Uint32Array;
  /** Bytes of each record. */
  readonly sizes: Uint32Array;
  readonly codec: Codec | undefined;
  /** The size that a record of the codec's type has here; -1 without one. */
  readonly typedSize: number;
  /** Counts the batches: one that is not the last is over. */
  lease: number;
}

/**
 * Records as programs wrote them, oldest first. They stay in the memory that is shared with the kernel, so a batch is
 * good until the next one is asked for or its buffer is disposed; what was taken out of it stays good.
 */
export class EventBatch implements Iterable<Value> {
  /** How many records there are. */
  readonly length: number;
  /** The CPU that wrote them, in a perf buffer. */
  readonly cpu: number | undefined;
  readonly #source: EventSource;
  readonly #lease: number;

  /** @internal */
  constructor(source: EventSource, length: number, cpu?: number) {
    this.#source = source;
    this.cpu = cpu;
    this.#lease = source.lease;
    this.length = length;
  }

  /**
   * A record by its type, or as the text `hex:…` where there is none or the record is not of its size.
   * @param index 0 to `length - 1` @throws RangeError; TypeError when the batch is over
   */
  at(index: number): Value {
    const source = this.#source;
    const offset = this.#offset(index);
    return source.sizes[index] === source.typedSize && source.codec !== undefined
      ? source.codec.decode(source.view, offset)
      : this.#hex(index);
  }

  /** Whether a record has the size of the type: false for all where no type is known. @throws as {@link EventBatch.at} */
  fits(index: number): boolean {
    return this.size(index) === this.#source.typedSize;
  }

  /** Bytes of a record. Of a perf buffer the kernel rounds them up: to 4, 12, 20, …. @throws as {@link EventBatch.at} */
  size(index: number): number {
    this.#offset(index);
    return this.#source.sizes[index] ?? 0;
  }

  /** A copy of a record's bytes. @throws as {@link EventBatch.at} */
  bytes(index: number): Uint8Array {
    const { view } = this.#source;
    const offset = this.#offset(index);
    return new Uint8Array(view.buffer, view.byteOffset + offset, this.#source.sizes[index]).slice();
  }

  /**
   * Appends the JSON text of a record, as `at` gives it, to `out`, straight from its bytes.
   * @internal
   */
  writeJson(index: number, out: TextSink): void {
    const { codec, sizes, typedSize, view } = this.#source;
    const offset = this.#offset(index);
    if (codec === undefined || sizes[index] !== typedSize) {
      out.ascii(`"${this.#hex(index)}"`);
      return;
    }
    out.reserve(codec.jsonLimit);
    codec.writeJson(view, offset, out);
  }

  /** Each record in turn, as `at` gives it. */
  [Symbol.iterator](): Iterator<Value> {
    let index = 0;
    return {
      next: (): IteratorResult<Value> =>
        index < this.length ? { done: false, value: this.at(index++) } : { done: true, value: undefined },
    };
  }

  #hex(index: number): string {
    return `hex:${Buffer.from(this.bytes(index)).toString('hex')}`;
  }

  #offset(index: number): number {
    if (this.#source.lease !== this.#lease) {
      throw new TypeError('this batch is over: a later one was asked for, or its buffer is closed');
    }
    const offset = this.#source.offsets[index];
    if (offset === undefined || index >= this.length) {
      throw new RangeError(`a batch of ${this.length} records has none with index ${index}`);
    }
    return offset;
  }
}

/** How a buffer is read. */
export interface EventOptions {
  /** The type of the records; bytes without one. */
  readonly codec?: Codec | undefined;
}

/** @throws NetkitError `unsupported` when a map is of another type than `wanted` */
export function requireType(info: { readonly name: string; readonly type: string }, wanted: string): void {
  if (info.type === wanted) return;
  throw new NetkitError('unsupported', `${info.name} is a ${info.type} map, not a ${wanted}`);
}
