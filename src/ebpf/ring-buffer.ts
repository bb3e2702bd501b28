import { NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import { isErrno } from '../sys/errno.js';
import { duplicateFd } from '../sys/fd.js';
import { Readiness } from '../sys/readiness.js';
import { Mapping, pageSize } from '../sys/ring.js';
import { EventBatch, type EventOptions, type EventSource, requireType } from './event-batch.js';
import { EventBuffer } from './event-buffer.js';
import { LostCounter } from './lost-counter.js';
import type { BpfMap } from './map.js';
import { RingCursor } from './ring-cursor.js';
import type { TypedMap } from './typed.js';

/** Programs overwrite what was not read (BPF_F_RB_OVERWRITE): the positions then mean something else. */
const overwriteFlag = 1 << 19;
/** Bytes; beyond, offsets do not fit. */
const sizeLimit = 2 ** 30;

/** How a ring buffer is read. */
export interface RingBufferOptions extends EventOptions {
  /** The map in which programs count the records that found no room: the kernel does not. See `netkit/events.h`. */
  readonly lostCounter?: BpfMap | undefined;
}

/**
 * The reader of a ring buffer map. Records are read where programs wrote them, without a copy or a call for each.
 *
 * A ring buffer has one position of reading, for everybody: of two readers each record reaches one. Disposing ends a
 * wait and unmaps the ring; what was not drained stays for the next reader. Minimum kernel 5.8.
 */
export class RingBuffer extends EventBuffer {
  readonly #cursor: RingCursor;
  readonly #source: EventSource;
  readonly #name: string;
  readonly #lost: LostCounter | undefined;
  readonly #scope: Scope;
  /** @internal */
  protected readiness: Readiness | undefined;

  /**
   * @param map may be disposed before this.
   * @throws NetkitError `unsupported` for a map of another type, `not-permitted` when it is read-only or write-only
   */
  constructor(map: BpfMap | TypedMap, options: RingBufferOptions = {}) {
    super();
    const { info } = map;
    requireType(info, 'ringbuf');
    if (info.flags & overwriteFlag || info.maxEntries > sizeLimit) {
      throw new NetkitError('unsupported', `${info.name} is a ring buffer of a kind that netkit cannot read`);
    }
    this.#name = info.name;
    using scope = new Scope();
    const fd = scope.use(duplicateFd(map.fd.value));
    const page = pageSize();
    const shared = (offset: number, length: number, writable: boolean): ArrayBuffer => {
      try {
        return scope.use(new Mapping(fd, { offset, length, writable }, `map ${info.name}`)).memory;
      } catch (error) {
        if (!isErrno(error, 'EPERM', 'EACCES')) throw error;
        throw new NetkitError(
          'not-permitted',
          `the ring buffer ${info.name} may not be read from user space`,
          {
            cause: error,
          },
        );
      }
    };
    const consumer = shared(0, page, true);
    // The kernel maps the data twice in a row, so that a record is never in two pieces.
    const rest = shared(page, page + 2 * info.maxEntries, false);
    this.#cursor = new RingCursor({
      consumer: new BigInt64Array(consumer, 0, 1),
      producer: new BigInt64Array(rest, 0, 1),
      data: new Int32Array(rest, page),
      size: info.maxEntries,
    });
    this.#source = {
      view: new DataView(rest, page),
      offsets: this.#cursor.offsets,
      sizes: this.#cursor.sizes,
      codec: options.codec,
      typedSize: options.codec?.size ?? -1,
      lease: 0,
    };
    if (options.lostCounter !== undefined) this.#lost = scope.use(new LostCounter(options.lostCounter));
    this.readiness = scope.use(new Readiness(fd));
    this.#scope = scope.move();
  }

  /**
   * The records that are there, at once: at most 8192 of them, or `most`; none when there are none. What the batch before held
   * goes back to the ring. A record that a program has reserved and not yet submitted holds up those behind it.
   * @throws NetkitError `conflict` when another reader took records meanwhile; TypeError after dispose
   */
  drain(most?: number): EventBatch {
    this.#requireOpen();
    this.#source.lease += 1;
    const count = this.#cursor.release() ? this.#cursor.take(most) : undefined;
    if (count !== undefined) return new EventBatch(this.#source, count);
    throw new NetkitError('conflict', `another process reads the ring buffer ${this.#name}`, {
      hint: 'of two readers each record reaches one: some were missed here',
    });
  }

  /**
   * How many records found no room since this was opened, by the counter given; undefined without one. Costs a call
   * into the kernel. @throws TypeError after dispose
   */
  lost(): bigint | undefined {
    this.#requireOpen();
    return this.#lost?.count();
  }

  /** Bytes of the ring that hold records not given back yet, reserved ones included. @throws TypeError after dispose */
  get pendingBytes(): number {
    this.#requireOpen();
    return this.#cursor.pending();
  }

  [Symbol.dispose](): void {
    if (this.readiness === undefined) return;
    this.readiness = undefined;
    this.#source.lease += 1;
    this.#cursor.release();
    this.#scope[Symbol.dispose]();
  }

  #requireOpen(): void {
    if (this.readiness === undefined) throw new TypeError('this ring buffer is closed');
  }
}
