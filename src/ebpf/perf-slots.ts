/** The slots of a perf event array: one a CPU, each with the event of at most one reader. */
import { hostIsLittleEndian as littleEndian } from '../base/byte-order.js';
import { programTypes } from '../base/kernel-words.js';
import { bpf, loadInstructions, openById, testRunBlock } from '../sys/bpf.js';
import { errnoNumber, isErrno } from '../sys/errno.js';
import { duplicateFd, type Fd } from '../sys/fd.js';
import { MapCalls } from '../sys/map-calls.js';
import { uapi } from '../sys/uapi.js';
import type { MapInfo } from './map-info.js';

// linux/bpf.h
const BPF_LDX_MEM_DW = 0x79;
const BPF_LD_IMM_DW = 0x18;
const BPF_CALL = 0x85;
const BPF_EXIT = 0x95;
const BPF_PSEUDO_MAP_FD = 1;
const BPF_FUNC_perf_event_read = 22;

/**
 * Which slots have an event. User space cannot read them, but a program can try to: one that asks for the counter of a
 * slot, and disturbs nothing, run here for each of them.
 * @returns undefined where this kernel or user cannot run it: before Linux 5.10, without CAP_PERFMON
 */
export function takenSlots(map: Fd, slots: readonly number[]): number[] | undefined {
  try {
    using program = loadInstructions(programTypes.indexOf('raw_tracepoint'), readSlot(map));
    const context = new Uint8Array(8);
    const block = testRunBlock(program).point('ctx_in', context).set('ctx_size_in', context.length);
    return slots.filter((slot) => {
      new DataView(context.buffer).setBigUint64(0, BigInt(slot), littleEndian);
      bpf('PROG_TEST_RUN', block, 'look at a slot of a perf event array');
      return (block.get('retval') | 0) !== -errnoNumber('ENOENT');
    });
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'EPERM', 'EACCES', 'EOPNOTSUPP', 'ENOTSUPP')) return undefined;
    throw error;
  }
}

/** `return bpf_perf_event_read(map, context[0])` */
function readSlot(map: Fd): Uint8Array {
  const instructions: readonly (readonly [code: number, registers: number, immediate: number])[] = [
    // r2 = *(u64 *)(r1 + 0), before r1 becomes the map
    [BPF_LDX_MEM_DW, registers(2, 1), 0],
    [BPF_LD_IMM_DW, registers(1, BPF_PSEUDO_MAP_FD), map.value],
    [0, 0, 0],
    [BPF_CALL, 0, BPF_FUNC_perf_event_read],
    [BPF_EXIT, 0, 0],
  ];
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [code, pair, immediate]] of instructions.entries()) {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, pair);
    view.setInt32(index * 8 + 4, immediate, littleEndian);
  }
  return bytes;
}

function registers(destination: number, source: number): number {
  return littleEndian ? destination | (source << 4) : (destination << 4) | source;
}

/**
 * The slots that one reader set. Disposing empties them.
 *
 * The kernel remembers through which open file an entry was made and removes it when that file is closed, so a file of
 * its own makes sure that the entries of others stay. Only a user who may not open maps by id, and maps that keep
 * their entries (BPF_F_PRESERVE_ELEMS), need a delete, which takes whatever is in the slot by then.
 */
export class PerfSlots implements Disposable {
  readonly #map: Fd;
  readonly #calls: MapCalls;
  readonly #deletes: boolean;
  readonly #set: number[] = [];

  /** @param map stays the caller's. */
  constructor(map: Fd, info: MapInfo) {
    const own = ownFile(info.id);
    this.#map = own ?? duplicateFd(map.value);
    this.#calls = new MapCalls(this.#map);
    this.#deletes = own === undefined || (info.flags & uapi.BPF_F_PRESERVE_ELEMS) !== 0;
  }

  /** Puts an event into the slot of its CPU, in place of what is there. @throws SysError */
  set(cpu: number, event: Fd): void {
    const errno = this.#calls.update(word(cpu), word(event.value), uapi.BPF_ANY);
    if (errno !== 0) throw this.#calls.failure(errno);
    this.#set.push(cpu);
  }

  [Symbol.dispose](): void {
    try {
      // A slot that is empty already is ENOENT.
      if (this.#deletes) for (const cpu of this.#set) this.#calls.delete(word(cpu));
    } finally {
      this.#map[Symbol.dispose]();
    }
  }
}

function ownFile(id: number): Fd | undefined {
  try {
    return openById('map', id);
  } catch (error) {
    if (isErrno(error, 'EPERM')) return undefined;
    throw error;
  }
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
}
