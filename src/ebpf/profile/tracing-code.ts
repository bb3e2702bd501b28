/** The two programs that measure another one: at its entry and at its exit. */
import {
  type AssembledInstruction,
  addRegister,
  addValue,
  assemble,
  callHelper,
  exit,
  ifNotZero,
  ifZero,
  load64,
  mapOf,
  moveRegister,
  moveValue,
  moveWord,
  store64,
  storeWord,
  subtractRegister,
} from '../../obj/instructions/assemble.js';
import type { Fd } from '../../sys/fd.js';

// enum bpf_func_id
const mapLookup = 1;
const clock = 5;
const readCounter = 55;
/** BPF_F_CURRENT_CPU */
const currentCpu = -1;
/** struct bpf_perf_event_value { __u64 counter; __u64 enabled; __u64 running; } */
const readingSize = 24;

/** What each CPU keeps, in 64-bit numbers: the clock at entry, runs, nanoseconds, then two for each counter. */
export const slotsOf = (counters: number): number => 3 + 2 * counters;
const place = {
  start: 0,
  runs: 8,
  total: 16,
  counterStart: (index: number) => 24 + index * 16,
  counterTotal: (index: number) => 32 + index * 16,
} as const;

/** Where the two programs write to. */
export interface Place {
  /** A per-CPU array of one value of `slotsOf` numbers. */
  readonly values: Fd;
  /** Perf event arrays with an event of each CPU, one for each counter. */
  readonly counters: readonly Fd[];
}

/** Remembers the clock and the counters. The counters come last: what is between is measured with the program. */
export function entryCode({ values, counters }: Place): Uint8Array {
  return assemble([
    ...lookup(values),
    ifNotZero(0, 2),
    moveValue(0, 0),
    exit,
    moveRegister(6, 0),
    ...counters.flatMap((counter, index) => [
      ...reading(counter),
      load64(1, 10, -readingSize - 8),
      store64(6, place.counterStart(index), 1),
    ]),
    callHelper(clock),
    store64(6, place.start, 0),
    moveValue(0, 0),
    exit,
  ]);
}

/** Adds what went by since the entry, when that was seen. */
export function exitCode({ values, counters }: Place): Uint8Array {
  const sums: AssembledInstruction[] = [
    ...sum(7, place.start, place.total),
    load64(1, 6, place.runs),
    addValue(1, 1),
    store64(6, place.runs, 1),
    ...counters.flatMap((_, index) => [
      load64(7, 10, stackOf(index)),
      ...sum(7, place.counterStart(index), place.counterTotal(index)),
    ]),
    moveValue(1, 0),
    store64(6, place.start, 1),
  ];
  return assemble([
    callHelper(clock),
    moveRegister(7, 0),
    ...counters.flatMap((counter, index) => [
      ...reading(counter),
      load64(1, 10, -readingSize - 8),
      store64(10, stackOf(index), 1),
    ]),
    ...lookup(values),
    ifZero(0, 3 + sums.length),
    moveRegister(6, 0),
    load64(1, 6, place.start),
    ifZero(1, sums.length),
    ...sums,
    moveValue(0, 0),
    exit,
  ]);
}

/** Below the key and the reading. */
const stackOf = (index: number): number => -readingSize - 16 - index * 8;

/** `r0 = &values[0]` */
function lookup(values: Fd): AssembledInstruction[] {
  return [
    storeWord(10, -4, 0),
    ...mapOf(1, values.value),
    moveRegister(2, 10),
    addValue(2, -4),
    callHelper(mapLookup),
  ];
}

/** Reads a counter of this CPU to the stack, 0 when it cannot be read. */
function reading(counter: Fd): AssembledInstruction[] {
  return [
    moveValue(1, 0),
    store64(10, -readingSize - 8, 1),
    store64(10, -readingSize, 1),
    store64(10, -readingSize + 8, 1),
    ...mapOf(1, counter.value),
    moveWord(2, currentCpu),
    moveRegister(3, 10),
    addValue(3, -readingSize - 8),
    moveValue(4, readingSize),
    callHelper(readCounter),
  ];
}

/** `r6->to += rN - r6->from` */
function sum(register: number, from: number, to: number): AssembledInstruction[] {
  return [
    load64(1, 6, from),
    subtractRegister(register, 1),
    load64(2, 6, to),
    addRegister(2, register),
    store64(6, to, 2),
  ];
}
