/** The buffer of one CPU's perf event, as kernel/events/ring_buffer.c lays it out. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { Scope } from '../base/scope.js';
import type { Fd } from '../sys/fd.js';
import { enableEvent, lostSamples, openOutputEvent } from '../sys/perf-event.js';
import { Mapping, pageSize } from '../sys/ring.js';

// linux/perf_event.h: struct perf_event_mmap_page, struct perf_event_header
const headAt = 1024;
const tailAt = 1032;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
const headerSize = 8;
/** Behind the header of a lost record: its id. */
const lostAt = headerSize + 8;
/** Behind the header of a sample: the length of what the program wrote, then that. */
const sampleAt = headerSize + 4;

/** Where the records of a CPU are copied to. */
export interface PerfRecords {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly offsets: Uint32Array;
  readonly sizes: Uint32Array;
}

/** An open event with its memory. */
export class PerfRing implements Disposable {
  readonly cpu: number;
  readonly event: Fd;
  readonly #scope: Scope;
  readonly #positions: BigInt64Array;
  readonly #data: Uint8Array;
  readonly #countsLost: boolean;
  #tail = 0n;
  #toldLost = 0n;

  /** @param pages of data: a power of two. @throws SysError ENODEV for a CPU that is off; EPERM, EACCES, ENOMEM */
  constructor(cpu: number, pages: number) {
    using scope = new Scope();
    const { fd, countsLost } = openOutputEvent(cpu);
    this.event = scope.use(fd);
    this.#countsLost = countsLost;
    const page = pageSize();
    const whole = { offset: 0, length: (1 + pages) * page, writable: true };
    const { memory } = scope.use(new Mapping(fd, whole, `map the perf buffer of CPU ${cpu}`));
    this.#positions = new BigInt64Array(memory, headAt, 2);
    this.#data = new Uint8Array(memory, page);
    this.cpu = cpu;
    this.#scope = scope.move();
  }

  /** Lets records in. @throws SysError */
  enable(): void {
    enableEvent(this.event);
  }

  /**
   * Copies what is there to `into`, as much as fits, and gives it back to the kernel.
   * @param most how many records at most
   * @returns how many
   */
  take(into: PerfRecords, most: number): number {
    const available = Number(BigInt.asUintN(64, Atomics.load(this.#positions, 0) - this.#tail));
    if (available === 0) return 0;
    this.#copy(into.bytes, available);
    const { view, offsets, sizes } = into;
    const room = Math.min(most, offsets.length);
    let at = 0;
    let count = 0;
    while (at + headerSize <= available && count < room) {
      const type = view.getUint32(at, littleEndian);
      const size = view.getUint16(at + 6, littleEndian);
      if (size < headerSize) break;
      if (type === PERF_RECORD_SAMPLE) {
        offsets[count] = at + sampleAt;
        sizes[count] = view.getUint32(at + headerSize, littleEndian);
        count += 1;
      } else if (type === PERF_RECORD_LOST) {
        this.#toldLost += view.getBigUint64(at + lostAt, littleEndian);
      }
      at += size;
    }
    this.#tail += BigInt(at);
    Atomics.store(this.#positions, (tailAt - headAt) / 8, BigInt.asIntN(64, this.#tail));
    return count;
  }

  /** How many records found no room, by the kernel's count; before Linux 6.0 as far as a later record told. @throws SysError */
  lost(): bigint {
    return this.#countsLost ? lostSamples(this.event) : this.#toldLost;
  }

  [Symbol.dispose](): void {
    this.#scope[Symbol.dispose]();
  }

  /** The data is a ring: what goes on at its start is joined. */
  #copy(to: Uint8Array, length: number): void {
    const data = this.#data;
    const start = Number(BigInt.asUintN(32, this.#tail)) & (data.length - 1);
    const first = Math.min(length, data.length - start);
    to.set(data.subarray(start, start + first));
    if (first < length) to.set(data.subarray(0, length - first), first);
  }
}
