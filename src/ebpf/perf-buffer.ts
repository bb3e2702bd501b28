import { readFileSync } from 'node:fs';
import { NetkitError } from '../base/errors.js';
import { Scope } from '../base/scope.js';
import { capabilityHint } from '../host/capabilities.js';
import { isErrno } from '../sys/errno.js';
import { Readiness } from '../sys/readiness.js';
import { pageSize } from '../sys/ring.js';
import { EventBatch, type EventOptions, type EventSource, requireType } from './event-batch.js';
import { EventBuffer } from './event-buffer.js';
import type { BpfMap } from './map.js';
import { type PerfRecords, PerfRing } from './perf-ring.js';
import { PerfSlots, takenSlots } from './perf-slots.js';
import { cpuNumbers } from './possible-cpus.js';
import { batchRecords } from './ring-cursor.js';
import type { TypedMap } from './typed.js';

/** How a perf event array is read. */
export interface PerfBufferOptions extends EventOptions {
  /** Pages of memory for each CPU, a power of two; 64 when left out. */
  readonly pages?: number | undefined;
  /** Takes slots away from a reader that has them, which gets nothing any more. Otherwise that is a conflict. */
  readonly takeOver?: boolean | undefined;
}

const defaultPages = 64;

/**
 * The reader of a perf event array: a buffer for each CPU that is online. A batch is of one CPU, and says which; the
 * order of records of different CPUs is not known.
 *
 * Each slot of such a map has one reader. Disposing empties the slots that this one set and closes its buffers; what was
 * not drained is gone. CPUs that come online later are not read. Needs CAP_PERFMON. Minimum kernel 4.4; see `lost`.
 */
export class PerfBuffer extends EventBuffer {
  /** Whether it is known that nobody else's slots were taken: false where this kernel or user cannot look (before 5.10). */
  readonly slotsWereFree: boolean;
  readonly #rings: readonly PerfRing[];
  readonly #records: PerfRecords;
  readonly #source: EventSource;
  readonly #scope: Scope;
  #next = 0;
  /** @internal */
  protected readiness: Readiness | undefined;

  /**
   * @param map may be disposed before this.
   * @throws NetkitError `unsupported` for a map of another type; `conflict` when another process reads the map;
   *   `not-permitted`
   */
  constructor(map: BpfMap | TypedMap, options: PerfBufferOptions = {}) {
    super();
    const { info } = map;
    const { pages = defaultPages, takeOver = false, codec } = options;
    requireType(info, 'perf_event_array');
    if (!Number.isInteger(Math.log2(pages)) || pages < 1) throw new RangeError('pages is not a power of two');
    const cpus = onlineCpus().filter((cpu) => cpu < info.maxEntries);
    const taken = takenSlots(map.fd, cpus);
    if (!takeOver && taken !== undefined && taken.length > 0) throw readAlready(info.name, taken);
    this.slotsWereFree = taken !== undefined && taken.length === 0;
    using scope = new Scope();
    const rings: PerfRing[] = [];
    const slots = new PerfSlots(map.fd, info);
    scope.defer(() => slots[Symbol.dispose]());
    for (const cpu of cpus) {
      const ring = openRing(cpu, pages);
      if (ring === undefined) continue;
      rings.push(scope.use(ring));
      slots.set(cpu, ring.event);
      ring.enable();
    }
    const bytes = new Uint8Array(pages * pageSize());
    this.#records = {
      bytes,
      view: new DataView(bytes.buffer),
      offsets: new Uint32Array(batchRecords),
      sizes: new Uint32Array(batchRecords),
    };
    this.#source = {
      ...this.#records,
      codec,
      typedSize: codec === undefined ? -1 : sampleSize(codec.size),
      lease: 0,
    };
    this.#rings = rings;
    this.readiness = scope.use(new Readiness(...rings.map(({ event }) => event)));
    this.#scope = scope.move();
  }

  /**
   * The records that one CPU's buffer holds, at once: at most 8192 of them, or `most`; the next call asks the next CPU
   * first. None when no CPU has any.
   * Sizes are as the kernel rounds them up, with bytes of no meaning behind what the program wrote.
   * @throws TypeError after dispose
   */
  drain(most = batchRecords): EventBatch {
    this.#requireOpen();
    this.#source.lease += 1;
    for (let turn = 0; turn < this.#rings.length; turn++) {
      const ring = this.#rings[(this.#next + turn) % this.#rings.length];
      const count = ring?.take(this.#records, most) ?? 0;
      if (ring === undefined || count === 0) continue;
      this.#next = (this.#next + turn + 1) % this.#rings.length;
      return new EventBatch(this.#source, count, ring.cpu);
    }
    return new EventBatch(this.#source, 0);
  }

  /**
   * How many records found no room since this was opened, by the kernel's count; before Linux 6.0 as far as a later
   * record of the same CPU told. Costs a call into the kernel for each CPU. @throws TypeError after dispose
   */
  lost(): bigint {
    this.#requireOpen();
    return this.#rings.reduce((sum, ring) => sum + ring.lost(), 0n);
  }

  /** The CPUs that are read, ascending. */
  get cpus(): readonly number[] {
    return this.#rings.map(({ cpu }) => cpu);
  }

  [Symbol.dispose](): void {
    if (this.readiness === undefined) return;
    this.readiness = undefined;
    this.#source.lease += 1;
    this.#scope[Symbol.dispose]();
  }

  #requireOpen(): void {
    if (this.readiness === undefined) throw new TypeError('this perf buffer is closed');
  }
}

/** The size that the kernel gives a record of `size` bytes: with its length of 4 bytes in front a multiple of 8. */
function sampleSize(size: number): number {
  return ((size + 4 + 7) & ~7) - 4;
}

function onlineCpus(): number[] {
  return cpuNumbers(readFileSync('/sys/devices/system/cpu/online', 'utf8'));
}

/** Undefined for a CPU that went off meanwhile. */
function openRing(cpu: number, pages: number): PerfRing | undefined {
  try {
    return new PerfRing(cpu, pages);
  } catch (error) {
    if (isErrno(error, 'ENODEV')) return undefined;
    if (!isErrno(error, 'EPERM', 'EACCES')) throw error;
    throw new NetkitError('not-permitted', 'opening a perf event is not allowed for this user', {
      hint: capabilityHint('load'),
      cause: error,
    });
  }
}

function readAlready(name: string, slots: readonly number[]): NetkitError {
  const cpus = slots.length === 1 ? `CPU ${slots[0]}` : `CPUs ${slots.join(', ')}`;
  return new NetkitError('conflict', `another process reads the perf event array ${name} (${cpus})`, {
    hint: 'each slot has one reader: taking it over leaves the other one without records',
    details: { map: name, cpus: slots },
  });
}
