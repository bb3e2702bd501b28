import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { NetkitError } from '../base/errors.js';
import { duplicateFd, type Fd } from '../sys/fd.js';
import { MapCalls } from '../sys/map-calls.js';
import type { BpfMap } from './map.js';
import type { MapInfo } from './map-info.js';
import { possibleCpus } from './possible-cpus.js';

const counterTypes: ReadonlySet<string> = new Set(['array', 'percpu_array']);
const counterBytes = 8;

/** Whether a map is of the shape of a {@link LostCounter}. */
export function countsLost({ type, keySize, valueSize }: MapInfo): boolean {
  return counterTypes.has(type) && keySize === 4 && valueSize === counterBytes;
}

/** The map in which programs count records that found no room: a 64-bit number under index 0, one a CPU if it is per-CPU. */
export class LostCounter implements Disposable {
  readonly #fd: Fd;
  readonly #calls: MapCalls;
  readonly #values: Uint8Array;
  readonly #before: bigint;

  /** @param map may be disposed before this. @throws NetkitError `usage` when it is no such map */
  constructor(map: BpfMap) {
    if (!countsLost(map.info)) {
      throw new NetkitError(
        'usage',
        `${map.info.name} counts no lost records: that is an array of one __u64`,
      );
    }
    this.#fd = duplicateFd(map.fd.value);
    this.#calls = new MapCalls(this.#fd);
    this.#values = new Uint8Array(map.perCpu ? counterBytes * possibleCpus() : counterBytes);
    this.#before = this.#sum();
  }

  /** How many were counted since this was made. @throws SysError */
  count(): bigint {
    return BigInt.asUintN(64, this.#sum() - this.#before);
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }

  #sum(): bigint {
    const errno = this.#calls.lookup(new Uint8Array(4), this.#values);
    if (errno !== 0) throw this.#calls.failure(errno);
    const view = new DataView(this.#values.buffer);
    let sum = 0n;
    for (let at = 0; at < view.byteLength; at += counterBytes) sum += view.getBigUint64(at, littleEndian);
    return sum;
  }
}
