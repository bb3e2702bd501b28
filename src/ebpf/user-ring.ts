import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import type { Codec, Value } from '../obj/codec/index.js';
import { duplicateFd } from '../sys/fd.js';
import { Mapping, pageSize } from '../sys/ring.js';
import { requireType } from './event-batch.js';
import type { BpfMap } from './map.js';
import type { TypedMap } from './typed.js';

// linux/bpf.h: each record begins with its length, then a number that is zero here.
const headerSize = 8;
/** Bytes; beyond, offsets do not fit. */
const sizeLimit = 2 ** 30;

/**
 * The writer of a user ring buffer: records for programs, which take them with bpf_user_ringbuf_drain() when they next
 * run. Such a map has one writer: two would overwrite each other's records. Disposing unmaps the ring; what programs
 * did not take yet stays for them. Minimum kernel 6.1.
 */
export class UserRing implements Disposable {
  readonly #codec: Codec;
  readonly #consumer: BigInt64Array;
  readonly #producer: BigInt64Array;
  readonly #data: DataView;
  readonly #size: number;
  readonly #scope: Scope;
  #open = true;

  /**
   * @param map may be disposed before this. @param codec the type of the records
   * @throws NetkitError `unsupported` for a map of another type, `bad-value` for records that the ring has no room for
   */
  constructor(map: BpfMap | TypedMap, codec: Codec) {
    const { info } = map;
    requireType(info, 'user_ringbuf');
    if (info.maxEntries > sizeLimit) {
      throw new NetkitError(
        'unsupported',
        `${info.name} is larger than netkit can write: ${sizeLimit} bytes`,
      );
    }
    if (headerSize + codec.size > info.maxEntries) {
      throw new NetkitError(
        'bad-value',
        `${codec.typeName} has ${codec.size} bytes, ${info.name} ${info.maxEntries}`,
      );
    }
    this.#codec = codec;
    this.#size = info.maxEntries;
    using scope = new Scope();
    const fd = scope.use(duplicateFd(map.fd.value));
    const page = pageSize();
    const theirs = { offset: 0, length: page, writable: false };
    // The kernel maps the data twice in a row, so that a record is never in two pieces.
    const ours = { offset: page, length: page + 2 * this.#size, writable: true };
    const consumer = scope.use(new Mapping(fd, theirs, `map ${info.name}`)).memory;
    const rest = scope.use(new Mapping(fd, ours, `map ${info.name}`)).memory;
    this.#consumer = new BigInt64Array(consumer, 0, 1);
    this.#producer = new BigInt64Array(rest, 0, 1);
    this.#data = new DataView(rest, page);
    this.#scope = scope.move();
  }

  /**
   * Writes a record.
   * @returns false when there is no room until a program has taken some
   * @throws NetkitError `bad-value` for a value that is not of the type; TypeError after dispose
   */
  push(value: Value): boolean {
    if (!this.#open) throw new TypeError('this user ring buffer is closed');
    const { size } = this.#codec;
    const whole = (headerSize + size + 7) & ~7;
    const position = Atomics.load(this.#producer, 0);
    const used = Number(BigInt.asUintN(64, position - Atomics.load(this.#consumer, 0)));
    if (used + whole > this.#size) return false;
    const at = Number(BigInt.asUintN(32, position)) & (this.#size - 1);
    this.#codec.encode(value, this.#data, at + headerSize);
    this.#data.setUint32(at, size, littleEndian);
    this.#data.setUint32(at + 4, 0, littleEndian);
    // Programs see the record from here on.
    Atomics.store(this.#producer, 0, BigInt.asIntN(64, position + BigInt(whole)));
    return true;
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#scope[Symbol.dispose]();
  }
}
