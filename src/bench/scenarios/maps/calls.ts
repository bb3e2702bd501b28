/** What is done with a map from user space, and how long an entry takes. */
import type { BpfMap } from '../../../ebpf/map.js';
import type { EntryBatch } from '../../../obj/entries/batch.js';
import type { Measurement } from '../../scenario.js';
import { ascending, middleMean } from '../../statistics/quantile.js';

/** Entries of a call's worth of time: the clock is read between two of them. */
const chunk = 64;

/** Does something to entries from the `start`th on. @returns nanoseconds that it took, and of how many entries */
export type Operation = (start: number) => { readonly ns: number; readonly entries: number };

/** By name: `lookup`, `update`, `delete` one by one; `batch-read` and `batch-write` of all. */
export function operations(map: BpfMap, batch: EntryBatch, canDelete: boolean): Map<string, Operation> {
  const keySize = batch.keys.length / batch.count;
  const stride = batch.values.length / batch.count;
  const keyAt = (at: number): Uint8Array => batch.keys.subarray(at * keySize, (at + 1) * keySize);
  const valueAt = (at: number): Uint8Array => batch.values.subarray(at * stride, (at + 1) * stride);
  const each =
    (act: (at: number) => void, after: (at: number) => void = () => undefined): Operation =>
    (start) => {
      const places = Array.from(
        { length: Math.min(chunk, batch.count) },
        (_, at) => (start + at) % batch.count,
      );
      const ns = timed(() => {
        for (const at of places) act(at);
      });
      for (const at of places) after(at);
      return { ns, entries: places.length };
    };
  // Of a prefix map `getBytes` searches for the prefix itself, which takes a walk; `lookup` is the kernel's.
  const texts =
    map.info.type === 'lpm_trie'
      ? Array.from({ length: batch.count }, (_, at) => `hex:${Buffer.from(keyAt(at)).toString('hex')}`)
      : [];
  const lookup = (at: number): unknown => {
    const text = texts[at];
    return text === undefined ? map.getBytes(keyAt(at)) : map.lookup(text);
  };
  const found = new Map<string, Operation>([
    ['lookup', each(lookup)],
    ['update', each((at) => map.setBytes(keyAt(at), valueAt(at)))],
    ['batch-read', () => ({ ns: timed(() => readAll(map)), entries: batch.count })],
    ['batch-write', () => ({ ns: timed(() => map.writeBatch(batch)), entries: batch.count })],
  ]);
  // What was deleted comes back, which is not timed.
  if (canDelete) {
    found.set(
      'delete',
      each(
        (at) => map.deleteBytes(keyAt(at)),
        (at) => map.setBytes(keyAt(at), valueAt(at)),
      ),
    );
  }
  return found;
}

/** Does it for about so long. @returns nanoseconds of an entry: the mean of the middle half of all calls */
export function timeCalls(operation: Operation, seconds: number): Measurement {
  const started = performance.now();
  const each: number[] = [];
  let at = 0;
  do {
    const { ns, entries } = operation(at);
    each.push(ns / entries);
    at += entries;
  } while (performance.now() - started < seconds * 1000);
  return { seconds: (performance.now() - started) / 1000, values: { time: middleMean(ascending(each)) } };
}

/** All entries. @returns how many, and the sum of what their values begin with */
export function readAll(map: BpfMap): { readonly count: number; readonly sum: number } {
  let count = 0;
  let sum = 0;
  for (const batch of map.batches()) {
    const stride = batch.count === 0 ? 0 : batch.values.length / batch.count;
    const values = new DataView(batch.values.buffer, batch.values.byteOffset, batch.values.length);
    for (let at = 0; at < batch.count; at++) sum += values.getUint32(Math.floor(at * stride), true);
    count += batch.count;
  }
  return { count, sum };
}

function timed(work: () => void): number {
  const started = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - started);
}
